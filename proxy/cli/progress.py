"""A rollout as text: its plan, where it is, what it waits for and what a person can do about it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from proxy.analysis.wording import duration
from proxy.cli.figures import percent


def state(view: dict[str, Any]) -> str:
    """For example: progressing, step 2 of 6."""
    rollout = view["rollout"]
    if rollout is None or view["phase"] in ("idle", "promoted"):
        return str(view["phase"])
    return f"{view['phase']}, step {rollout['step']} of {rollout['of']}"


def plan(view: dict[str, Any]) -> Iterator[str]:
    """The steps under each other, the one that it is in marked."""
    rollout = view["rollout"]
    for number, step in enumerate(rollout["steps"], 1):
        mark = ">" if number == rollout["step"] else " "
        yield f"{mark} step {number}  {terms(step)}"


def terms(step: dict[str, Any]) -> str:
    """For example: 5 % for 10 min and 500 answers. A pause says what for."""
    if "pause" in step:
        return f"pause: {step['pause']}"
    parts = [duration(step["hold"])] if step["hold"] else []
    if least := step["min_requests"]:
        parts.append(f"{least:,} answer{'' if least == 1 else 's'}")
    return percent(step["weight"]) + (f" for {' and '.join(parts)}" if parts else "")


def expectation(view: dict[str, Any]) -> str:
    """How long the plan takes at the traffic seen: about 42 min at 120 requests a second."""
    rollout = view["rollout"]
    rate = rollout["rate"]
    seen = f"at {rate:.{0 if rate >= 10 else 1}f} requests a second" if rate else "no traffic is seen"
    if rollout["expected"] is None:
        return f"nobody can say yet how long it takes, {seen}"
    pauses = sum("pause" in step for step in rollout["steps"])
    asked = "" if not pauses else f", and {pauses} pause{'' if pauses == 1 else 's'}"
    return f"about {duration(rollout['expected'])} {seen}{asked}"


def proof(view: dict[str, Any]) -> str:
    """Return what each step takes beside its time and its answers; "" where nothing has to be shown."""
    assured = view["rollout"]["assured"]
    if not assured:
        return ""
    return (
        "each step below 100 % also waits until the canary is shown to be good enough: "
        f"about {assured:,} good answers of it"
    )


def lateness(view: dict[str, Any]) -> str:
    """That the plan is expected to take longer than its deadline; "" when it isn't."""
    rollout = view["rollout"]
    expected, deadline = rollout["expected"], rollout["deadline"]
    if deadline is None or expected is None or expected <= deadline:
        return ""
    return (
        f"at this rate the plan takes about {duration(expected)}, and after its deadline of "
        f"{duration(deadline)} the rollout is paused; give it fewer answers to wait for, or more time"
    )


def waits(view: dict[str, Any]) -> str:
    """What it waits for now: 31 of 200 answers; at this rate in about 11 min. "" when for nothing."""
    rollout = view["rollout"]
    return str(rollout["waiting"]["says"]) if rollout and rollout["waiting"] else ""


def course(view: dict[str, Any]) -> Iterator[str]:
    """Where the rollout under way is, what it waits for, and how long that and the rest may take."""
    rollout = view["rollout"]
    if rollout is None or rollout["waiting"] is None:
        return
    step = f"step {rollout['step']} of {rollout['of']}"
    if rollout["step"] and not rollout["waiting"]["pause"]:
        step += f" ({terms(rollout['steps'][rollout['step'] - 1])})"
    yield f"{step}: {waits(view)}"
    if rollout["expected"] is not None:
        yield f"to its end: {expectation(view)}"


def obstacle(view: dict[str, Any], flags: str = "") -> str:
    """What doesn't go away by itself: a pause, or a gate that is closed; "" for neither."""
    waiting = view["rollout"]["waiting"] if view["rollout"] else None
    if waiting is None:
        return ""
    if view["phase"] == "paused":
        return "; ".join([f"paused: {waiting['pause']}", *advice(view, flags)])
    gate = waiting["gate"]
    return f"{gate['at']}: {gate['says']}" if gate and gate["says"] else ""


def advice(view: dict[str, Any], flags: str = "") -> Iterator[str]:
    """The commands that lead on from here, of those that are legal now, each with what it does."""
    for order, what in ADVICE.get(view["phase"], ()):
        if order in view["orders"] and (said := what(view)):
            yield f"{said}: weir {order} {view['name']}{flags}"


def _at_gate(view: dict[str, Any]) -> bool:
    """Whether the plan itself asks for a person."""
    rollout = view["rollout"]
    return bool(rollout and rollout["step"] and "pause" in rollout["steps"][rollout["step"] - 1])


def _back(view: dict[str, Any]) -> str:
    trip = view["trip"]
    if trip is None:
        return "to let the canary back in"
    if not trip["weight_before"]:
        return "to let the canary back in for segments and `force`"
    return f"to let the canary back in at {percent(trip['weight_before'])}"


def _undone(view: dict[str, Any]) -> str:
    undo = view["undo"]
    if undo is None:
        return ""
    return f"to go back to {undo['version'] or ', '.join(undo['endpoints'])}"


ADVICE: Mapping[str, tuple[tuple[str, Callable[[dict[str, Any]], str]], ...]] = {
    "paused": (
        ("promote", lambda view: "to go on" if _at_gate(view) else ""),
        ("resume", lambda view: "" if _at_gate(view) else "to go on"),
    ),
    "rolled-back": (
        ("resume", _back),
        ("retry", lambda view: "to begin again from the first step" if view["rollout"] else ""),
    ),
    "promoted": (("undo", _undone),),
}
"""By phase: what a person may want to order, and what it would do; "" when that makes no sense now."""
