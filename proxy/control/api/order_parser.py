"""Orders as the API reads them: the order's name and the body, strictly.

All faults of an order are reported at once, and nothing has changed when it is refused. A changed weight
moves real users, so nothing is guessed: numbers in quotes, true for 1, steps finer than 0.01 % are refused.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from proxy.config import addresses
from proxy.config.problems import Unfit
from proxy.config.units import LONGEST
from proxy.control.api.requests import REASON, Faults, json_object, shown
from proxy.counted import counted
from proxy.rollout.inputs import Abort, Order, Pause, Promote, Resume, Retry, SetWeight, Start, Undo
from proxy.rollout.phases import OrderName
from proxy.rollout.plan import Gate, Plan, Step
from proxy.rollout.side import Side
from proxy.routing.endpoint import Endpoint
from proxy.routing.split import TOTAL
from proxy.settings.plan import Planned

ALWAYS = ("reason", "actor")
PLAN = ("hold", "min_requests", "deadline")
"""Keys about the steps of an order, which mean nothing without them."""
KEYS: Mapping[OrderName, tuple[str, ...]] = {
    "start": ("canary", "version", "steps", *PLAN, "replace"),
    "promote": ("full",),
    "pause": (),
    "resume": ("canary",),
    "abort": (),
    "retry": (),
    "undo": ("steps",),
    "set-weight": ("canary", "stable"),
}
"""The keys that each order may have beside ALWAYS."""
EXAMPLES: Mapping[OrderName, str] = {
    "set-weight": '{"canary": 5}',
    "start": '{"canary": "http://127.0.0.1:9002"}',
}
"""Bodies of orders that are more than their reason."""
TEXT_LIMIT = 500  # characters of a reason or an actor
STEP = Decimal("0.01")  # percent: one of the 10,000 parts
RANGE = "expected a number from 0 to 100 (percent) in steps of 0.01"
PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)%", re.ASCII)
MOST_ANSWERS = 10**9
MOST_ENDPOINTS = 100
# Controls, lone surrogates (no UTF-8, so no ledger, can hold them), line and paragraph separators.
FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they make a history line lie

MOST_STEPS = 100
STEP_KEYS = ("weight", "hold", "min_requests")
FORM = 'expected a percent, {"weight": percent, "hold": seconds, "min_requests": number} or {"pause": text}'


@dataclass(frozen=True, slots=True)
class ParsedOrder:
    """An order, its actor and its reason. Salts are empty, and a Start may have no plan."""

    order: Order
    reason: str
    actor: str


def parse(word: OrderName, body: bytes, planned: Planned) -> ParsedOrder:
    """Return the order in `body`. `planned` is what the file defines for steps that leave it open.

    Raises HttpProblem 400 for no JSON object, 422 for wrong values.
    """
    document, faults = json_object(body, example(word)), Faults()
    faults.unknown(document, (*KEYS[word], *ALWAYS))
    reason = faults.get(document, "reason", text, "")
    actor = faults.get(document, "actor", text, "") or "api"
    order = READERS[word](document, planned, f"{actor}: {reason}" if reason else actor, faults)
    faults.refuse()
    return ParsedOrder(order, reason, actor)


def example(word: OrderName) -> str:
    """Return a body of an order."""
    return EXAMPLES.get(word, REASON)


def _start(document: dict[str, Any], planned: Planned, _by: str, faults: Faults) -> Order:
    canary = _canary(document, faults)
    replace = faults.get(document, "replace", flag, False)
    if "steps" in document:
        return Start(plan(document, planned, faults), "", canary, replace)
    for key in PLAN:
        if key in document:
            faults.add(f"#/{key}", "it is about the steps of this order; give `steps`, too")
    return Start(None, "", canary, replace)


def _canary(document: dict[str, Any], faults: Faults) -> Side | None:
    """Return the canary that the rollout begins with; None for the one that is there."""
    none: tuple[Endpoint, ...] = ()
    version = faults.get(document, "version", text, "")
    if "canary" in document:
        return Side(faults.get(document, "canary", endpoints, none), version)
    if "version" in document:
        faults.add("#/version", "it is that of the canary in this order; give `canary`, its endpoints, too")
    return None


def _resume(document: dict[str, Any], _planned: Planned, _by: str, faults: Faults) -> Order:
    return Resume(faults.get(document, "canary", weight, None))


def _set_weight(document: dict[str, Any], _planned: Planned, _by: str, faults: Faults) -> Order:
    if "canary" not in document:
        faults.add("#/canary", f'it is missing; {RANGE}, such as {{"canary": 5}}')
    parts = faults.get(document, "canary", weight, 0)
    rest = faults.get(document, "stable", weight, TOTAL - parts)
    if parts + rest != TOTAL and not faults.found:
        faults.add(
            "#/stable", f"with canary at {parts / 100:g} it is {(TOTAL - parts) / 100:g}; leave it out"
        )
    return SetWeight(parts)


def _undo(document: dict[str, Any], planned: Planned, _by: str, faults: Faults) -> Order:
    by_steps = faults.get(document, "steps", flag, False)
    steps = planned.plan if by_steps else None
    if by_steps and steps is None:
        faults.add("#/steps", "the file has no `rollout` for this service, so there are none; expected false")
    return Undo("", steps)


def _promote(document: dict[str, Any], _planned: Planned, _by: str, faults: Faults) -> Order:
    return Promote(faults.get(document, "full", flag, False))


READERS: Mapping[OrderName, Callable[[dict[str, Any], Planned, str, Faults], Order]] = {
    "start": _start,
    "promote": _promote,
    "pause": lambda _document, _planned, by, _faults: Pause(by),
    "resume": _resume,
    "abort": lambda _document, _planned, by, _faults: Abort(by),
    "retry": lambda _document, _planned, _by, _faults: Retry(""),
    "undo": _undo,
    "set-weight": _set_weight,
}


# Plans.


def plan(document: dict[str, Any], planned: Planned, faults: Faults) -> Plan | None:
    """Return the plan in a body that has `steps`, such as `[1, {"weight": 10}, {"pause": "ask"}, 100]`.

    None when anything is wrong with it, which is added to `faults`.
    """
    before = len(faults.found)
    usual = Planned(
        hold=faults.get(document, "hold", seconds, planned.hold),
        min_requests=faults.get(document, "min_requests", answers, planned.min_requests),
        deadline=faults.get(document, "deadline", deadline, planned.deadline),
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
    """Return a step; any step when something is wrong with it, which is added."""
    if not isinstance(given, dict):
        return Step(faults.read(where, weight, given, 0), usual.hold, usual.min_requests)
    if "pause" in given:
        faults.unknown(given, ("pause",), where)
        return Gate(faults.get(given, "pause", nonempty, "", where))
    faults.unknown(given, STEP_KEYS, where)
    if "weight" not in given:
        faults.add(where, f"{shown(given)} is no step; {FORM}")
    return Step(
        faults.get(given, "weight", weight, 0, where),
        faults.get(given, "hold", seconds, usual.hold, where),
        faults.get(given, "min_requests", answers, usual.min_requests, where),
    )


def _rising(steps: tuple[Step | Gate, ...], faults: Faults) -> None:
    """Check that weights rise to 100 %, and that no pause follows another."""
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


# Values. Each function raises Unfit for a value that it can't take.


def weight(value: object) -> int:
    """Return percent as parts of 10,000: a number of 0 to 100 in steps of 0.01, or a text such as `5%`."""
    percent = _percent(value) if isinstance(value, str) else number(value)
    rounded = percent.quantize(STEP) if percent is not None and 0 <= percent <= 100 else None
    # Comparing is exact where multiplying by 100 would round 5.000...01 away.
    if rounded is None or rounded != percent:
        raise Unfit(f"{shown(value)} is no weight", RANGE)
    return int(rounded * 100)


def _percent(text: str) -> Decimal | None:
    """Return the number in `5%`, as the file has weights; None for another text."""
    match = PERCENT.fullmatch(text)
    return Decimal(match[1]) if match else None


def seconds(value: object) -> float:
    """Return a duration in seconds."""
    found = number(value)
    if found is None or not 0 <= found <= LONGEST:
        raise Unfit(f"{shown(value)} is no duration", f"expected seconds, a number from 0 to {LONGEST}")
    return float(found)


def deadline(value: object) -> float | None:
    """Return seconds, more than 0; null for none."""
    if value is None:
        return None
    if not (found := seconds(value)):
        raise Unfit("a deadline of 0 s is over before it began", "expected seconds, or null for none")
    return found


def answers(value: object) -> int:
    """Return a number of answers."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_ANSWERS:
        raise Unfit(f"{shown(value)} is no number of answers", "expected a whole number, such as 200")
    return value


def number(value: object) -> Decimal | None:
    """Return a number exactly; None for anything else, such as a bool."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def flag(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise Unfit(f"{shown(value)} is neither true nor false", "expected one of them, without quotes")
    return value


def text(value: object) -> str:
    """Return one line of plain text."""
    if not isinstance(value, str):
        raise Unfit(f"{shown(value)} is no text", "expected a string")
    if len(value) > TEXT_LIMIT:
        raise Unfit(f"it has {counted(len(value), 'character')}", f"expected at most {TEXT_LIMIT}")
    for char in value:
        if unicodedata.category(char) in FORBIDDEN or char in BIDI:
            raise Unfit(
                f"it holds the control character U+{ord(char):04X}", "expected one line of plain text"
            )
    return value


def nonempty(value: object) -> str:
    """Return one line of plain text that isn't empty."""
    if not (found := text(value).strip()):
        raise Unfit("it is empty", "expected the question to the person who decides")
    return found


def endpoints(value: Any) -> tuple[Endpoint, ...]:
    """Return the endpoints of a backend: a list of URLs, or one URL alone."""
    urls = [value] if isinstance(value, str) else value
    if not isinstance(urls, list) or not 0 < len(urls) <= MOST_ENDPOINTS:
        raise Unfit(
            f"{shown(value)} is no list of endpoints",
            f'expected 1 to {MOST_ENDPOINTS} URLs, such as ["http://10.0.0.7:8000"]',
        )
    found = [addresses.endpoint(text(url)) for url in urls]
    for url in found:
        if found.count(url) > 1:
            raise Unfit(f"{shown(url)} stands there twice", "expected each endpoint once")
    return tuple(map(Endpoint.parse, found))
