"""Where a rollout is on its way, what it waits for, and when that may be there.

Pure, of the state, the verdict and the moment. Expected times are those at the traffic seen: a step's sample
comes at its weight's share of all requests. They are None where there is no traffic to reckon with, and a
pause takes no time, for nobody knows how long a person takes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from proxy.analysis.verdict import HEALTHY, Verdict
from proxy.analysis.wording import duration
from proxy.control.views.facts import Moment
from proxy.ledger.record import iso, percent
from proxy.rollout import phases
from proxy.rollout.inputs import Look
from proxy.rollout.phases import PAUSED, UNDER_WAY
from proxy.rollout.plan import Gate, Step
from proxy.rollout.rollout import Rollout
from proxy.rollout.side import VACANT, Side
from proxy.rollout.waiting import PROMOTION, START, Waiting, waiting
from proxy.routing.split import TOTAL

SHORTEST = 10.0
"""Seconds of a step from which on its own answers tell the rate of more."""


@dataclass(frozen=True, slots=True)
class Course:
    """All that a rollout's way is shown from."""

    rollout: Rollout
    verdict: Verdict
    enforce: bool
    moment: Moment

    @property
    def waiting(self) -> Waiting | None:
        """What there is to wait for; None unless the plan moves by itself."""
        look = Look(self.verdict, self.enforce, self.moment.answers)
        return waiting(self.rollout, look, self.moment.at)


def shown(course: Course) -> dict[str, Any]:
    """What the API shows of it, beside the phase."""
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
    """Seconds until all steps are done, without pauses; None: nobody can say."""
    rollout = course.rollout
    if rollout.plan is None or rollout.phase not in UNDER_WAY:
        return None
    missing = course.waiting
    times = [_left(course, missing) if missing else 0.0]
    for step in rollout.plan.steps[rollout.step :]:
        if isinstance(step, Step):
            shown = course.moment.assured if course.enforce and step.weight < TOTAL else 0
            answers = max(step.min_requests, shown)
            sample = _time(answers, course.moment.rate * step.weight / TOTAL)
            times.append(None if sample is None else max(step.hold, sample))
    known = [time for time in times if time is not None]
    return sum(known) if len(known) == len(times) else None


def says(course: Course) -> str:
    """What it waits for, in words; "" where no rollout is under way."""
    rollout, missing = course.rollout, course.waiting
    if rollout.phase == PAUSED:
        return f"paused: {rollout.pause}"
    return "; ".join(_missing(course, missing)) if missing else ""


def told(course: Course) -> str:
    """Where it is and what it waits for, in a sentence; "" where no rollout is under way."""
    rollout = course.rollout
    if rollout.plan is None or rollout.phase not in UNDER_WAY:
        return ""
    where = f"Its rollout is {rollout.phase}, in step {rollout.step} of {len(rollout.plan.steps)}"
    waits = says(course).removeprefix("paused: ")
    return f"{where}{f' ({waits})' if waits else ''}."


def onward(service: str, rollout: Rollout) -> tuple[str, ...]:
    """What a person may order next, a sentence each."""
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
        "rate": course.moment.rate,
        "assured": course.moment.assured if course.enforce else 0,
        "waiting": _waiting(course) if rollout.phase in UNDER_WAY else None,
    }


def _step(step: Step | Gate) -> dict[str, Any]:
    if isinstance(step, Gate):
        return {"pause": step.says}
    return {"weight": percent(step.weight), "hold": step.hold, "min_requests": step.min_requests}


def _waiting(course: Course) -> dict[str, Any]:
    missing = course.waiting
    sample = {"have": missing.have, "need": missing.need} if missing and missing.need else None
    return {
        "says": says(course),
        "seconds": _left(course, missing) if missing else None,
        "hold": missing.hold if missing else 0.0,
        "sample": sample,
        "verdict": course.verdict.state,
        "gate": _gate(course, missing) if missing else None,
        "pause": course.rollout.pause,
    }


def _gate(course: Course, missing: Waiting) -> dict[str, Any] | None:
    """Who is asked once all else is there; nobody while something is missing."""
    if not (missing.due and missing.asks):
        return None
    at = course.moment.refused_at or missing.asks[0]
    return {"at": at, "says": course.moment.refusal, "asked": course.moment.asked}


def _missing(course: Course, missing: Waiting) -> Iterator[str]:
    """A sentence for each thing that isn't there."""
    if missing.have < missing.need:
        time = _time(missing.need - missing.have, _rate(course, missing))
        when = f"about {duration(time)}" if time is not None else "nobody can say when: no traffic is seen"
        rate = "at this rate in " if time is not None else ""
        yield f"{missing.have:,} of {missing.need:,} answers; {rate}{when}"
    if missing.hold > 0:
        yield f"holds for {duration(missing.hold)} yet"
    if missing.verdict != HEALTHY:
        yield f"the verdict is {missing.verdict}: {course.verdict.sentence}"
    if missing.due:
        yield from _asks(course, missing)


def _asks(course: Course, missing: Waiting) -> Iterator[str]:
    """Who has to agree before it goes on, and why not yet."""
    moment = course.moment
    if moment.refusal and missing.asks:
        times = "" if moment.asked < 2 else f" (asked {moment.asked} times)"
        yield f"held at {moment.refused_at}: {moment.refusal}{times}"
    elif START in missing.asks:
        yield "asks whether the canary answers"
    elif missing.asks:
        yield "asks before it becomes stable" if PROMOTION in missing.asks else "asks before the next step"
    if moment.stuck:
        yield f"it can't go on: {moment.stuck}"


def _left(course: Course, missing: Waiting) -> float | None:
    """Seconds until the present step has what it needs; None: nobody can say."""
    times = [missing.hold, _time(missing.need - missing.have, _rate(course, missing))]
    if missing.verdict != HEALTHY:
        assurance = course.verdict.assurance
        times.append(assurance.seconds if assurance else None)
    known = [time for time in times if time is not None]
    return max(known) if len(known) == len(times) else None


def _rate(course: Course, missing: Waiting) -> float:
    """Canary answers a second in the present step: its own, once it has some."""
    lasted = course.moment.at - course.rollout.entered
    if missing.have and lasted >= SHORTEST:
        return missing.have / lasted
    return course.moment.rate * course.rollout.weight / TOTAL


def _time(answers: int, rate: float) -> float | None:
    """Seconds until so many have come."""
    if answers <= 0:
        return 0.0
    return answers / rate if rate > 0 else None


def _side(side: Side) -> dict[str, Any]:
    return {"endpoints": [endpoint.url for endpoint in side.endpoints], "version": side.version}


def _origin(side: Side, said: str) -> str:
    """Who says that it is there: the file, or (after a promotion or a start at runtime) the ledger."""
    return "file" if side.definition in ("", said) else "ledger"
