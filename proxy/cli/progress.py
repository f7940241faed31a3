"""A rollout as text: its plan, its step, what it waits for, and the commands that lead on."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from proxy.analysis.wording import duration
from proxy.cli.figures import percent
from proxy.counted import counted


def state(view: dict[str, Any]) -> str:
    """Return the phase and the step, such as: progressing, step 2 of 6."""
    rollout = view["rollout"]
    if rollout is None or view["phase"] in ("idle", "promoted"):
        return str(view["phase"])
    return f"{view['phase']}, {place(rollout)}"


def place(rollout: dict[str, Any]) -> str:
    """Return the step of a rollout, such as: step 2 of 6."""
    return (
        f"step {rollout['step']} of {rollout['of']}"
        if rollout["step"]
        else f"before step 1 of {rollout['of']}"
    )


def plan(view: dict[str, Any]) -> Iterator[str]:
    """Yield the steps of the plan, with a mark before the present one."""
    rollout = view["rollout"]
    for number, step in enumerate(rollout["steps"], 1):
        mark = ">" if number == rollout["step"] else " "
        yield f"{mark} step {number}  {step_text(step)}"


def step_text(step: dict[str, Any]) -> str:
    """Return a step as text, such as: 5 % for 10 min and 500 answers; for a pause its reason."""
    if "pause" in step:
        return f"pause: {step['pause']}"
    parts = [duration(step["hold"])] if step["hold"] else []
    if least := step["min_requests"]:
        parts.append(counted(least, "answer"))
    return percent(step["weight"]) + (f" for {' and '.join(parts)}" if parts else "")


def expectation(view: dict[str, Any]) -> str:
    """Return how long the plan takes at the present traffic: about 42 min at 120 requests a second."""
    rollout = view["rollout"]
    rate = rollout["rate"]
    digits = 0 if rate >= 10 else 1
    traffic = f"at {rate:.{digits}f} requests a second" if rate else "without traffic"
    if rollout["expected"] is None:
        return f"no estimate yet of how long it takes, {traffic}"
    pauses = sum("pause" in step for step in rollout["steps"][rollout["step"] :])
    added = "" if not pauses else f", and {counted(pauses, 'pause')}"
    return f"about {duration(rollout['expected'])} {traffic}{added}"


def proof(view: dict[str, Any]) -> str:
    """Return what each step needs beside its time and its answers; "": nothing."""
    assured = view["rollout"]["assured"]
    if not assured:
        return ""
    return (
        "each step below 100 % also waits until the canary is shown to be good enough: "
        f"about {counted(assured, 'good answer')} of it"
    )


def lateness(view: dict[str, Any]) -> str:
    """Return a warning when the plan is expected to take longer than its deadline; else ""."""
    rollout = view["rollout"]
    expected, deadline = rollout["expected"], rollout["deadline"]
    if deadline is None or expected is None or expected <= deadline:
        return ""
    return (
        f"at this rate the plan takes about {duration(expected)}, but the rollout is paused after its "
        f"deadline of {duration(deadline)}; lower --min-requests or raise --deadline"
    )


def waits(view: dict[str, Any]) -> str:
    """Return what it waits for, such as: 31 of 200 answers; "" for nothing."""
    rollout = view["rollout"]
    return str(rollout["waiting"]["says"]) if rollout and rollout["waiting"] else ""


def course(view: dict[str, Any]) -> Iterator[str]:
    """Yield the step of a rollout under way, what it waits for, and how long the rest takes."""
    rollout = view["rollout"]
    if rollout is None or rollout["waiting"] is None:
        return
    step = place(rollout)
    if rollout["step"] and not rollout["waiting"]["pause"]:
        step += f" ({step_text(rollout['steps'][rollout['step'] - 1])})"
    yield f"{step}: {waits(view)}"
    if rollout["expected"] is not None:
        yield f"to its end: {expectation(view)}"


def obstacle(view: dict[str, Any], flags: str = "") -> str:
    """Return what a person has to resolve: a pause, or a closed gate; else ""."""
    waiting = view["rollout"]["waiting"] if view["rollout"] else None
    if waiting is None:
        return ""
    if view["phase"] == "paused":
        return "; ".join([f"paused: {waiting['pause']}", *advice(view, flags)])
    gate = waiting["gate"]
    return f"{gate['at']}: {gate['says']}" if gate and gate["says"] else ""


def unstarted(view: dict[str, Any]) -> str:
    """Return what the first step waits for, such as a canary that doesn't answer; "" once it has begun."""
    if view["phase"] != "progressing" or view["rollout"]["step"]:
        return ""
    return waits(view) or "it is about to begin"


def advice(view: dict[str, Any], flags: str = "") -> Iterator[str]:
    """Yield the commands that lead on, of those that are legal now, each with its effect."""
    for order, what in ADVICE.get(view["phase"], ()):
        if order in view["orders"] and (effect := what(view)):
            yield f"{effect}: weir {order} {view['name']}{flags}"


def _at_gate(view: dict[str, Any]) -> bool:
    """Return whether the present step is a pause of the plan."""
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
"""By phase: the orders to suggest, each with a function that returns its effect; "" suggests nothing."""
