"""The progress of a rollout: its step, what it waits for, and how long that takes.

Pure. Expected times are those at the present traffic: a step's answers come at its weight's share of all
requests. Without traffic they are None. A pause counts as no time, because a person's time can't be
estimated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from proxy.analysis.verdict import HEALTHY, Verdict
from proxy.analysis.wording import duration
from proxy.control.views.facts import RolloutFacts
from proxy.counted import counted
from proxy.ledger.record import iso
from proxy.rollout import phases
from proxy.rollout.inputs import Look
from proxy.rollout.phases import PAUSED, UNDER_WAY
from proxy.rollout.plan import Gate, Step
from proxy.rollout.rollout import Rollout
from proxy.rollout.side import VACANT, Side
from proxy.rollout.waiting import PROMOTION, START, Waiting, waiting
from proxy.routing.split import TOTAL, percent

SHORTEST = 10.0
"""Seconds of a step after which the rate of its own answers is used for estimates."""


@dataclass(frozen=True, slots=True)
class Course:
    """The values from which the progress of a rollout is shown."""

    rollout: Rollout
    verdict: Verdict
    enforce: bool
    facts: RolloutFacts

    @property
    def waiting(self) -> Waiting | None:
        """What the rollout waits for; None unless its plan goes on by itself."""
        look = Look(self.verdict, self.enforce, self.facts.answers)
        return waiting(self.rollout, look, self.facts.at)


def to_json(course: Course) -> dict[str, Any]:
    """Return the progress as JSON values."""
    rollout = course.rollout
    return {
        "rollout": _rollout(course),
        "orders": list(phases.orders(rollout.phase)),
        "undo": None if rollout.previous == VACANT else _side(rollout.previous),
        "origin": {
            "stable": _origin(rollout.stable, rollout.stable_definition),
            "canary": _origin(rollout.canary, rollout.definition) if rollout.has_canary else "none",
        },
    }


def expected(course: Course) -> float | None:
    """Return the seconds to the end of all steps, without pauses; None: no estimate."""
    rollout = course.rollout
    if rollout.plan is None or rollout.phase not in UNDER_WAY:
        return None
    missing = course.waiting
    times = [_left(course, missing) if missing else 0.0]
    for step in rollout.plan.steps[rollout.step :]:
        if isinstance(step, Step):
            assured = course.facts.assured if course.enforce and step.weight < TOTAL else 0
            answers = max(step.min_requests, assured)
            sample = _time(answers, course.facts.rate * step.weight / TOTAL)
            times.append(None if sample is None else max(step.hold, sample))
    known = [time for time in times if time is not None]
    return sum(known) if len(known) == len(times) else None


def waiting_text(course: Course) -> str:
    """Return what the rollout waits for; "": none is under way."""
    rollout, missing = course.rollout, course.waiting
    if rollout.phase == PAUSED:
        return f"paused: {rollout.pause}"
    return "; ".join(_missing(course, missing)) if missing else ""


def sentence(course: Course) -> str:
    """Return the phase, the step and what the rollout waits for, in a sentence; "": none is under way."""
    rollout = course.rollout
    if rollout.plan is None or rollout.phase not in UNDER_WAY:
        return ""
    place = f"in step {rollout.step}" if rollout.step else "before step 1"
    where = f"Its rollout is {rollout.phase}, {place} of {len(rollout.plan.steps)}"
    waits_for = waiting_text(course).removeprefix("paused: ")
    return f"{where}{f' ({waits_for})' if waits_for else ''}."


def next_orders(service: str, rollout: Rollout) -> tuple[str, ...]:
    """Return the orders that lead on from this phase, a sentence each."""
    match rollout.phase:
        case phases.PAUSED:
            at_gate = rollout.plan is not None and isinstance(rollout.plan.at(rollout.step), Gate)
            return (f"To go on: weir {'promote' if at_gate else 'resume'} {service}",)
        case phases.ROLLED_BACK if rollout.plan:
            return (f"To begin again from its first step: weir retry {service}",)
        case phases.PROMOTED if rollout.previous != VACANT:
            before = rollout.previous.version or "the stable before"
            return (f"To go back to {before}: weir undo {service}",)
    return ()


def _rollout(course: Course) -> dict[str, Any] | None:
    rollout = course.rollout
    if rollout.plan is None:
        return None
    return {
        "steps": [_step(step) for step in rollout.plan.steps],
        "step": rollout.step,
        "of": len(rollout.plan.steps),
        "began": iso(rollout.began),
        "entered": iso(rollout.entered),
        "deadline": rollout.plan.deadline,
        "expected": expected(course),
        "rate": course.facts.rate,
        "assured": course.facts.assured if course.enforce else 0,
        "waiting": _waiting(course) if rollout.phase in UNDER_WAY else None,
    }


def _step(step: Step | Gate) -> dict[str, Any]:
    if isinstance(step, Gate):
        return {"pause": step.text}
    return {"weight": percent(step.weight), "hold": step.hold, "min_requests": step.min_requests}


def _waiting(course: Course) -> dict[str, Any]:
    missing = course.waiting
    sample = {"have": missing.have, "need": missing.need} if missing and missing.need else None
    return {
        "says": waiting_text(course),
        "seconds": _left(course, missing) if missing else None,
        "hold": missing.hold if missing else 0.0,
        "sample": sample,
        "verdict": course.verdict.state,
        "gate": _gate(course, missing) if missing else None,
        "pause": course.rollout.pause,
    }


def _gate(course: Course, missing: Waiting) -> dict[str, Any] | None:
    """Return the gate that is asked; None while anything else is missing."""
    if not (missing.due and missing.asks):
        return None
    at = course.facts.refused_at or missing.asks[0]
    return {"at": at, "says": course.facts.refusal, "asked": course.facts.refusals}


def _missing(course: Course, missing: Waiting) -> Iterator[str]:
    """Yield what is missing, a clause each."""
    if missing.have < missing.need:
        time = _time(missing.need - missing.have, _rate(course, missing))
        when = f"about {duration(time)}" if time is not None else "no estimate without traffic"
        rate = "at this rate in " if time is not None else ""
        yield f"{missing.have:,} of {counted(missing.need, 'answer')}; {rate}{when}"
    if missing.hold > 0:
        yield f"holds for {duration(missing.hold)} yet"
    if missing.verdict != HEALTHY:
        yield f"the verdict is {missing.verdict}: {course.verdict.sentence}"
    if missing.due:
        yield from _asks(course, missing)


def _asks(course: Course, missing: Waiting) -> Iterator[str]:
    """Yield the gate that has to agree, and why it does not yet."""
    facts = course.facts
    if facts.refusal and missing.asks:
        times = "" if facts.refusals < 2 else f" (asked {counted(facts.refusals, 'time')})"
        yield f"held at {facts.refused_at}: {facts.refusal}{times}"
    elif START in missing.asks:
        yield "asks whether the canary answers"
    elif missing.asks:
        yield "asks before it becomes stable" if PROMOTION in missing.asks else "asks before the next step"
    if facts.stuck:
        yield f"it can't go on: {facts.stuck}"


def _left(course: Course, missing: Waiting) -> float | None:
    """Return the seconds until the present step has what it needs; None: no estimate."""
    times = [missing.hold, _time(missing.need - missing.have, _rate(course, missing))]
    if missing.verdict != HEALTHY:
        assurance = course.verdict.assurance
        times.append(assurance.seconds if assurance else None)
    known = [time for time in times if time is not None]
    return max(known) if len(known) == len(times) else None


def _rate(course: Course, missing: Waiting) -> float:
    """Return the canary's answers a second in the present step: measured, or estimated at first."""
    lasted = course.facts.at - course.rollout.entered
    if missing.have and lasted >= SHORTEST:
        return missing.have / lasted
    return course.facts.rate * course.rollout.weight / TOTAL


def _time(answers: int, rate: float) -> float | None:
    """Return the seconds until so many answers have come; None: without traffic."""
    if answers <= 0:
        return 0.0
    return answers / rate if rate > 0 else None


def _side(side: Side) -> dict[str, Any]:
    return {"endpoints": [endpoint.url for endpoint in side.endpoints], "version": side.version}


def _origin(side: Side, by_file: str) -> str:
    """Return where a definition is from: the file, or after a promotion or an order the ledger."""
    return "file" if side.definition in ("", by_file) else "ledger"
