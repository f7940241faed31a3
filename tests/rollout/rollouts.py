"""Sides, plans, verdicts, a state of each phase, and a story that is told line by line."""

from dataclasses import replace
from typing import Any

from proxy.analysis.verdict import Finding, Verdict
from proxy.rollout.advance import advance
from proxy.rollout.entry import Entry
from proxy.rollout.inputs import Look
from proxy.rollout.phases import IDLE, PAUSED, PROGRESSING, PROMOTED, PROMOTING, ROLLED_BACK
from proxy.rollout.plan import Gate, Plan, Step
from proxy.rollout.rollout import Advance, Refused, Rollout, Trip
from proxy.rollout.side import VACANT, Side
from proxy.rollout.waiting import PROMOTION, START, STEP
from proxy.routing.endpoint import Endpoint

ONE, TWO, THREE, FOUR = (Side((Endpoint.parse(f"http://v{n}"),), f"v{n}") for n in (1, 2, 3, 4))

FINDING = Finding(
    check="error-rate",
    state="failing",
    value=0.5,
    limit=0.1,
    stable=0.01,
    sample=40,
    needed=20,
    window=30.0,
    unit="ratio",
    sentence="error-rate 50 % over 30 s is above its limit of 10 %",
)
FAILING = Verdict("failing", (FINDING,))
HEALTHY = Verdict("healthy", (replace(FINDING, state="healthy", value=0.0),))
INCONCLUSIVE = Verdict("inconclusive", (replace(FINDING, state="inconclusive", value=None),))

EVERYBODY = frozenset({START, STEP, PROMOTION})
NOBODY: frozenset[str] = frozenset()
GATE = Gate("ask the on-call")
PLAN = Plan(
    (Step(100, 60.0, 50), Step(500, 120.0, 100), GATE, Step(2500, 60.0, 50), Step(10_000, 30.0, 20)), 3600.0
)
LATER = 10_000.0
"""By then every hold is over, and no deadline has been kept."""

SEEN = Rollout(
    revision=9,
    since=4,
    salt="old",
    stable=ONE,
    stable_definition=ONE.definition,
    canary=TWO,
    definition=TWO.definition,
)
RUNNING = replace(SEEN, weight=2000)
BARE = replace(SEEN, canary=VACANT, definition="")


def at_step(step: int, phase: str = PROGRESSING, **more: Any) -> Rollout:
    """On its way since 900, in a step that was entered at 1000."""
    state = replace(
        SEEN, plan=PLAN, step=step, weight=PLAN.weight(step), step_revision=9, entered=1000.0, began=900.0
    )
    return replace(state, phase=phase, **more)


def tripped(state: Rollout) -> Rollout:
    return replace(
        state,
        phase=ROLLED_BACK,
        weight=0,
        weight_before=state.weight,
        pause="",
        trip=Trip(1100.0, FINDING.sentence, FINDING),
    )


PROMOTED_STATE = at_step(5, PROMOTED, weight=0, stable=TWO, canary=VACANT, previous=ONE)
STATES = {
    IDLE: RUNNING,
    PROGRESSING: at_step(2),
    PAUSED: at_step(3, PAUSED, pause="ask the on-call"),
    PROMOTING: at_step(5, PROMOTING),
    PROMOTED: PROMOTED_STATE,
    ROLLED_BACK: tripped(at_step(2)),
}


def look(
    verdict: Verdict = HEALTHY,
    answers: int = 1000,
    asked: frozenset[str] = EVERYBODY,
    *,
    enforce: bool = True,
) -> Look:
    """Nothing is missing, unless it is said."""
    return Look(verdict, enforce, answers, asked)


class Story:
    """One rollout from its first sight on, by a clock that only `wait` moves."""

    def __init__(self, *beginning: Any) -> None:
        self.rollout, self.at, self.entries = Rollout(), 1000.0, []
        for happened in beginning:
            self.tell(happened)

    def wait(self, seconds: float) -> None:
        self.at += seconds

    def tell(self, happened: Any) -> str | tuple[str, int, int]:
        """Where it leads: phase, step, weight; the reason when it is refused."""
        result = advance(self.rollout, happened, self.at)
        if isinstance(result, Refused):
            return result.reason
        if result.entry:
            self.entries.append(result.entry)
        self.rollout = result.rollout
        return self.rollout.phase, self.rollout.step, self.rollout.weight

    @property
    def words(self) -> list[str]:
        return [entry.event for entry in self.entries]


def went(state: Rollout, happened: Any, at: float = 1100.0) -> tuple[Rollout, Entry]:
    """The state and the entry that something leads to."""
    result = advance(state, happened, at)
    assert isinstance(result, Advance), result
    return result.rollout, result.entry


def refusal(state: Rollout, happened: Any, at: float = 1100.0) -> str:
    result = advance(state, happened, at)
    assert isinstance(result, Refused), result
    return result.reason
