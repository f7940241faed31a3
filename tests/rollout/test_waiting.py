from dataclasses import replace

import pytest

from proxy.analysis.verdict import Assurance, Verdict
from proxy.rollout.phases import IDLE, PAUSED, PROMOTED, PROMOTING, ROLLED_BACK
from proxy.rollout.plan import AT_ONCE, Plan, Step
from proxy.rollout.rollout import Rollout
from proxy.rollout.waiting import PROMOTION, START, STEP, Waiting, asks, waiting
from tests.rollout.rollouts import (
    FAILING,
    GATE,
    HEALTHY,
    INCONCLUSIVE,
    NOBODY,
    PLAN,
    RUNNING,
    STATES,
    at_step,
    look,
    tripped,
)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (at_step(0), (START, STEP)),
        (at_step(1), (STEP,)),
        (at_step(2), ()),  # a person is asked next
        (at_step(4), (STEP,)),
        (at_step(5), ()),  # the end: it is promoting that asks
        (at_step(5, PROMOTING), (PROMOTION,)),
        (replace(at_step(0), plan=Plan((GATE, *AT_ONCE.steps), None)), (START,)),
        (at_step(2, PAUSED, pause="by hand"), ()),
        (RUNNING, ()),
        (tripped(at_step(2)), ()),
    ],
)
def test_who_is_asked_before_the_next_move(state: Rollout, expected: tuple[str, ...]) -> None:
    assert asks(state) == expected


@pytest.mark.parametrize("phase", [IDLE, PAUSED, PROMOTED, ROLLED_BACK])
def test_only_the_plan_waits(phase: str) -> None:
    assert waiting(STATES[phase], look(), 1100.0) is None


def test_a_step_waits_for_hold_sample_and_verdict() -> None:
    found = waiting(at_step(1), look(INCONCLUSIVE, 31, NOBODY), 1045.0)
    assert found == Waiting(hold=15.0, have=31, need=50, verdict="inconclusive", asks=(STEP,))


def test_a_hold_that_is_over_is_none() -> None:
    assert waiting(at_step(1), look(), 5000.0).hold == 0.0


@pytest.mark.parametrize("verdict", [FAILING, INCONCLUSIVE])
def test_a_verdict_that_is_only_watched_holds_nothing(verdict: Verdict) -> None:
    found = waiting(at_step(1), look(verdict, enforce=False), 1060.0)
    assert (found.verdict, found.due) == ("healthy", True)


@pytest.mark.parametrize("state", [at_step(0), at_step(5, PROMOTING)])
def test_before_the_first_step_and_after_the_last_only_those_who_are_asked_are_waited_for(
    state: Rollout,
) -> None:
    found = waiting(state, look(INCONCLUSIVE, 0, NOBODY), 1000.0)
    assert found == Waiting(0.0, 0, 0, "healthy", asks(state))
    assert found.due


@pytest.mark.parametrize(
    ("at", "answers", "verdict", "due"),
    [
        (1120.0, 100, HEALTHY, True),
        (1119.9, 100, HEALTHY, False),
        (1120.0, 99, HEALTHY, False),
        (1120.0, 100, INCONCLUSIVE, False),
        (1120.0, 100, FAILING, False),
    ],
)
def test_due_is_when_nothing_is_missing(at: float, answers: int, verdict: Verdict, due: bool) -> None:
    assert PLAN.at(2).hold == 120.0
    assert waiting(at_step(2), look(verdict, answers), at).due is due


@pytest.mark.parametrize(
    ("min_requests", "verdict", "answers", "due"),
    [
        (0, INCONCLUSIVE, 0, True),
        (0, INCONCLUSIVE, 1, False),
        (1, INCONCLUSIVE, 0, False),
        (0, FAILING, 0, False),
        (0, replace(INCONCLUSIVE, odds=12.0), 0, False),
        (0, replace(INCONCLUSIVE, assurance=Assurance(1.0, 20.0, 400, None)), 0, False),
    ],
)
def test_a_step_that_needs_no_answers_waits_for_none(
    min_requests: int, verdict: Verdict, answers: int, due: bool
) -> None:
    state = at_step(1)
    assert state.plan is not None
    steps = tuple(
        replace(step, min_requests=min_requests) if isinstance(step, Step) else step
        for step in state.plan.steps
    )
    found = waiting(
        replace(state, plan=replace(state.plan, steps=steps)), look(verdict, answers, NOBODY), 9e9
    )
    assert found is not None
    assert found.due is due
