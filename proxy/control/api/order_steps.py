"""A plan as an order gives it: `[1, {"weight": 10, "hold": 600}, {"pause": "ask the on-call"}, 100]`."""

from itertools import pairwise
from typing import Any

from proxy.control.api import order_values
from proxy.control.api.bodies import Faults, shown
from proxy.rollout.plan import Gate, Plan, Step
from proxy.routing.split import TOTAL
from proxy.settings.plan import Planned

MOST_STEPS = 100
KEYS = ("weight", "hold", "min_requests")
FORM = 'expected a percent, {"weight": percent, "hold": seconds, "min_requests": number} or {"pause": text}'


def plan(document: dict[str, Any], planned: Planned, faults: Faults) -> Plan | None:
    """The plan in a body that has ``steps``; None when anything is wrong, which is added to ``faults``."""
    before = len(faults.found)
    usual = Planned(
        hold=faults.get(document, "hold", order_values.seconds, planned.hold),
        min_requests=faults.get(document, "min_requests", order_values.answers, planned.min_requests),
        deadline=faults.get(document, "deadline", order_values.deadline, planned.deadline),
    )
    given = document["steps"]
    if not isinstance(given, list) or not 0 < len(given) <= MOST_STEPS:
        faults.add("#/steps", f"{shown(given)} is no list of 1 to {MOST_STEPS} steps, such as [1, 10, 100]")
        return None
    steps = tuple(_step(f"#/steps/{number}", each, usual, faults) for number, each in enumerate(given))
    if len(faults.found) == before:
        _rising(steps, faults)
    return Plan(steps, usual.deadline) if len(faults.found) == before else None


def _step(where: str, given: Any, usual: Planned, faults: Faults) -> Step | Gate:
    """A step; any one when something is wrong with it."""
    if not isinstance(given, dict):
        return Step(faults.read(where, order_values.weight, given, 0), usual.hold, usual.min_requests)
    if "pause" in given:
        faults.unknown(given, ("pause",), where)
        return Gate(faults.get(given, "pause", order_values.said, "", where))
    faults.unknown(given, KEYS, where)
    if "weight" not in given:
        faults.add(where, f"{shown(given)} is no step; {FORM}")
    return Step(
        faults.get(given, "weight", order_values.weight, 0, where),
        faults.get(given, "hold", order_values.seconds, usual.hold, where),
        faults.get(given, "min_requests", order_values.answers, usual.min_requests, where),
    )


def _rising(steps: tuple[Step | Gate, ...], faults: Faults) -> None:
    """Weights rise to 100 %, and no pause follows another: there would be nothing in between."""
    weights = [(number, step.weight) for number, step in enumerate(steps) if isinstance(step, Step)]
    for (_, before), (number, parts) in pairwise([(-1, 0), *weights]):
        if parts <= before:
            faults.add(
                f"#/steps/{number}",
                f"{parts / 100:g} % is not more than {before / 100:g} % before it; expected rising weights",
            )
    if not weights or weights[-1][1] != TOTAL:
        faults.add(
            "#/steps", "the last weight is not 100 %; expected a plan that ends there, such as [1, 100]"
        )
    for number, (one, other) in enumerate(pairwise(steps)):
        if isinstance(one, Gate) and isinstance(other, Gate):
            faults.add(f"#/steps/{number + 1}", "it pauses right after a pause; expected one of them")
