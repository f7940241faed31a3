"""What a person orders through the API: one word and a body, read strictly.

All that is wrong with an order is named at once, and nothing has changed when it is refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from proxy.control.api import order_steps, order_values
from proxy.control.api.bodies import Faults, json_object
from proxy.rollout.inputs import Abort, Order, Pause, Promote, Resume, Retry, SetWeight, Start, Undo
from proxy.rollout.phases import OrderName
from proxy.rollout.side import Side
from proxy.routing.endpoint import Endpoint
from proxy.settings.plan import Planned

ALWAYS = ("reason", "actor")
PLAN = ("hold", "min_requests", "deadline")
"""What says more about the steps of an order, and nothing without them."""
KEYS: Mapping[OrderName, tuple[str, ...]] = {
    "start": ("canary", "version", "steps", *PLAN),
    "promote": ("full",),
    "pause": (),
    "resume": ("canary",),
    "abort": (),
    "retry": (),
    "undo": ("steps",),
    "set-weight": ("canary",),
}
"""What each order may say beside ALWAYS."""


@dataclass(frozen=True, slots=True)
class ParsedOrder:
    """An order, who gives it and why. What it needs a salt for has none yet."""

    order: Order
    reason: str
    actor: str


def parse(word: OrderName, body: bytes, planned: Planned) -> ParsedOrder:
    """The order in `body`; HttpProblem 400 when it is no JSON object, 422 when its values are wrong."""
    document, faults = json_object(body), Faults()
    faults.unknown(document, (*KEYS[word], *ALWAYS))
    reason = faults.get(document, "reason", order_values.text, "")
    actor = faults.get(document, "actor", order_values.text, "") or "api"
    order = READERS[word](document, planned, f"{actor}: {reason}" if reason else actor, faults)
    faults.refuse()
    return ParsedOrder(order, reason, actor)


def _start(document: dict[str, Any], planned: Planned, _says: str, faults: Faults) -> Order:
    canary = _canary(document, faults)
    if "steps" in document:
        return Start(order_steps.plan(document, planned, faults), "", canary)
    for key in PLAN:
        if key in document:
            faults.add(f"#/{key}", "it is about the steps of this order; give `steps`, too")
    return Start(None, "", canary)


def _canary(document: dict[str, Any], faults: Faults) -> Side | None:
    """The endpoints to begin with; None for those that are there."""
    none: tuple[Endpoint, ...] = ()
    version = faults.get(document, "version", order_values.text, "")
    if "canary" in document:
        return Side(faults.get(document, "canary", order_values.endpoints, none), version)
    if "version" in document:
        faults.add("#/version", "it is that of the canary in this order; give `canary`, its endpoints, too")
    return None


def _resume(document: dict[str, Any], _planned: Planned, _says: str, faults: Faults) -> Order:
    return Resume(faults.get(document, "canary", order_values.weight, None))


def _set_weight(document: dict[str, Any], _planned: Planned, _says: str, faults: Faults) -> Order:
    if "canary" not in document:
        faults.add("#/canary", f'it is missing; {order_values.RANGE}, such as {{"canary": 5}}')
    return SetWeight(faults.get(document, "canary", order_values.weight, 0))


def _undo(document: dict[str, Any], planned: Planned, _says: str, faults: Faults) -> Order:
    by_steps = faults.get(document, "steps", order_values.flag, False)
    if by_steps and planned.plan is None:
        faults.add("#/steps", "the file has no `rollout` for this service, so there are none; expected false")
    return Undo("", planned.plan if by_steps else None)


def _promote(document: dict[str, Any], _planned: Planned, _says: str, faults: Faults) -> Order:
    return Promote(faults.get(document, "full", order_values.flag, False))


READERS: Mapping[OrderName, Callable[[dict[str, Any], Planned, str, Faults], Order]] = {
    "start": _start,
    "promote": _promote,
    "pause": lambda _document, _planned, says, _faults: Pause(says),
    "resume": _resume,
    "abort": lambda _document, _planned, says, _faults: Abort(says),
    "retry": lambda _document, _planned, _says, _faults: Retry(""),
    "undo": _undo,
    "set-weight": _set_weight,
}
