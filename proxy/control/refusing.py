"""Why an order can't be carried out, what stays in force, and what to order instead."""

from proxy.control.record import percent
from proxy.control.standing import Standing
from proxy.rollout.rollout import Refused


def why_not(standing: Standing, refused: Refused) -> str:
    """For the person who ordered it."""
    if standing.gone:
        return f"{standing.name}: {refused.reason}. Nothing was changed"
    rollout, legal = standing.rollout, ", ".join(refused.legal)
    said = f"{standing.name}: {refused.reason}; possible now: {legal}"
    if rollout.halted and rollout.trip:
        back = f"it is resumed: weir resume {standing.name}"
        return f"{said}. The canary was taken out ({rollout.trip.sentence}) and stays at 0 % until {back}"
    if rollout.has_canary:
        return f"{said}. The canary stays at {percent(rollout.weight):g} %"
    return f"{said}. Nothing was changed"


def overtaken(standing: Standing) -> str:
    """Something else came while it waited."""
    return (
        f"while this waited to be written down, {standing.name} was changed otherwise: it is at revision "
        f"{standing.rollout.revision}, its canary at {percent(standing.rollout.weight):g} %, and stays so"
    )
