"""How anything that happens changes a rollout: one pure function."""

from collections.abc import Callable, Mapping
from typing import Any

from proxy.rollout import inputs, ordered, phases
from proxy.rollout.inputs import Held, Input, Look, Release
from proxy.rollout.looked import held, looked
from proxy.rollout.released import release
from proxy.rollout.rollout import Advance, Refused, Rollout, refused

Carries = Callable[[Rollout, Any, float], Advance | Refused]

ORDERS: Mapping[type[inputs.Order], tuple[phases.Order, Carries]] = {
    inputs.Start: ("start", ordered.start),
    inputs.Promote: ("promote", ordered.promote),
    inputs.Pause: ("pause", ordered.pause),
    inputs.Resume: ("resume", ordered.resume),
    inputs.Abort: ("abort", ordered.abort),
    inputs.Retry: ("retry", ordered.retry),
    inputs.Undo: ("undo", ordered.undo),
    inputs.SetWeight: ("set-weight", ordered.set_weight),
}
"""What each order is called, and what carries it out."""


def advance(rollout: Rollout, happened: Input, at: float) -> Advance | Refused:
    """The state after `happened`. `at` is now, in unix seconds. ValueError for a weight outside 0..10,000."""
    match happened:
        case Look():
            return looked(rollout, happened, at)
        case Held():
            return held(rollout, happened, at)
        case Release():
            return release(rollout, happened, at)
    name, carry = ORDERS[type(happened)]
    already = happened == inputs.SetWeight(rollout.weight)
    if (rollout.phase, name) not in phases.MOVES and not already:
        return refused(rollout, f"{name} is not possible while the rollout is {rollout.phase}")
    return carry(rollout, happened, at)
