from dataclasses import replace

import pytest

from proxy.analysis.verdict import Verdict
from proxy.rollout.advance import advance
from proxy.rollout.automatic_moves import switch
from proxy.rollout.entry import Entry
from proxy.rollout.inputs import Held, Look, Release
from proxy.rollout.phases import PAUSED, PROMOTED, PROMOTING, ROLLED_BACK
from proxy.rollout.plan import AT_ONCE, Plan
from proxy.rollout.rollout import Advance, Rollout, Trip
from proxy.rollout.side import VACANT, Side
from proxy.rollout.waiting import PROMOTION, START, STEP
from tests.rollout.rollouts import (
    BARE,
    EVERYBODY,
    FAILING,
    FINDING,
    GATE,
    HEALTHY,
    INCONCLUSIVE,
    NOBODY,
    ONE,
    PLAN,
    PROMOTED_STATE,
    RUNNING,
    STATES,
    TWO,
    at_step,
    look,
    tripped,
    went,
)

ON_TRIAL = [
    RUNNING,
    replace(RUNNING, weight=0),
    at_step(0),
    at_step(2),
    at_step(3, PAUSED),
    at_step(5, PROMOTING),
]


@pytest.mark.parametrize("state", ON_TRIAL, ids=repr)
@pytest.mark.parametrize("asked", [EVERYBODY, NOBODY])
def test_a_failing_canary_is_taken_out_wherever_it_is(state: Rollout, asked: frozenset[str]) -> None:
    after, entry = went(state, look(FAILING, asked=asked), 99_999.0)
    trip = Trip(99_999.0, FINDING.sentence, FINDING)
    assert after == replace(
        state, revision=10, phase=ROLLED_BACK, weight=0, weight_before=state.weight, trip=trip, pause=""
    )
    assert entry == Entry(10, "trip", state.weight, 0, FINDING.sentence, FINDING)


def test_the_first_failing_finding_is_the_reason() -> None:
    other = replace(FINDING, check="latency-p99", sentence="it is slow")
    verdict = Verdict("failing", (HEALTHY.findings[0], other, FINDING))
    after, entry = went(RUNNING, look(verdict))
    assert (entry.finding, entry.why, after.trip.sentence) == (other, "it is slow", "it is slow")


@pytest.mark.parametrize("state", [BARE, PROMOTED_STATE, tripped(RUNNING)], ids=["bare", "promoted", "out"])
def test_nobody_is_taken_out_twice_or_without_being_there(state: Rollout) -> None:
    assert advance(state, look(FAILING), 1100.0) == Advance(state)


@pytest.mark.parametrize("state", [RUNNING, at_step(3, PAUSED), BARE, tripped(RUNNING)], ids=repr)
@pytest.mark.parametrize(
    "seen", [look(), look(INCONCLUSIVE), look(FAILING, enforce=False)], ids=["good", "open", "watch only"]
)
def test_other_verdicts_change_nothing_where_no_plan_moves(state: Rollout, seen: Look) -> None:
    assert advance(state, seen, 99_999.0) == Advance(state)


def test_the_first_step_is_entered_when_all_agree_whatever_the_verdict_is_yet() -> None:
    begun = at_step(0)
    for asked in (NOBODY, {START}, {STEP}, {PROMOTION}):
        assert advance(begun, look(INCONCLUSIVE, 0, frozenset(asked)), 1100.0) == Advance(begun)
    after, entry = went(begun, look(INCONCLUSIVE, 0, frozenset({START, STEP})), 1100.0)
    assert after == replace(begun, revision=10, step=1, step_revision=10, weight=100, entered=1100.0)
    assert entry == Entry(10, "step", 0, 100, "step 1 of 5")


@pytest.mark.parametrize(
    ("seen", "at"),
    [
        (look(), 1059.9),
        (look(answers=49), 1060.0),
        (look(INCONCLUSIVE), 1060.0),
        (look(asked=NOBODY), 1060.0),
        (look(asked=frozenset({START, PROMOTION})), 1060.0),
    ],
    ids=["hold", "sample", "verdict", "nobody asked", "others asked"],
)
def test_a_step_is_not_left_before_it_has_had_all(seen: Look, at: float) -> None:
    assert advance(at_step(1), seen, at) == Advance(at_step(1))


def test_a_step_is_left_when_it_has_had_all() -> None:
    after, entry = went(at_step(1), look(answers=50, asked=frozenset({STEP})), 1060.0)
    assert after == at_step(2, revision=10, step_revision=10, entered=1060.0)
    assert entry == Entry(10, "step", 100, 500, "step 2 of 5")


@pytest.mark.parametrize("verdict", [FAILING, INCONCLUSIVE])
def test_watched_verdicts_hold_no_step(verdict: Verdict) -> None:
    assert went(at_step(1), look(verdict, enforce=False))[0].step == 2


def test_a_gate_keeps_the_weight_and_waits_for_a_person() -> None:
    after, entry = went(at_step(2), look(asked=NOBODY), 1120.0)
    assert after == at_step(
        3, PAUSED, revision=10, step_revision=10, entered=1120.0, pause="ask the on-call", weight=500
    )
    assert entry == Entry(10, "gate", 500, 500, "ask the on-call")


def test_after_the_last_step_it_is_promoting() -> None:
    after, entry = went(at_step(5), look(asked=NOBODY), 1030.0)
    assert after == at_step(5, PROMOTING, revision=10, entered=1030.0)
    assert entry == Entry(10, "promoting", 10_000, 10_000, "all steps are done")


def test_a_promotion_waits_for_those_who_are_asked_before_it() -> None:
    promoting = at_step(5, PROMOTING)
    assert advance(promoting, look(asked=frozenset({START, STEP})), 1100.0) == Advance(promoting)
    after, entry = went(promoting, look(asked=frozenset({PROMOTION})), 1100.0)
    assert after == replace(
        promoting, revision=10, phase=PROMOTED, weight=0, stable=TWO, canary=VACANT, previous=ONE
    )
    assert entry == Entry(10, "promotion", 10_000, 0, "v2 is stable now")


def test_a_canary_without_a_version_is_promoted_as_such() -> None:
    assert switch(at_step(5, PROMOTING, canary=Side(TWO.endpoints))).entry.why == "the canary is stable now"


@pytest.mark.parametrize(
    "state", [at_step(0), at_step(2), at_step(5, PROMOTING)], ids=["begin", "step", "end"]
)
def test_when_the_deadline_is_over_it_pauses_and_keeps_its_weight(state: Rollout) -> None:
    late = replace(state, plan=replace(PLAN, deadline=300.0))
    for asked in (EVERYBODY, NOBODY):
        after, entry = went(late, look(asked=asked), 1200.0)
        assert after == replace(late, revision=10, phase=PAUSED, pause="its deadline is over")
        assert entry == Entry(10, "deadline", state.weight, state.weight, "its deadline is over")
    assert advance(late, look(asked=NOBODY), 1199.9).rollout.pause != "its deadline is over"


def test_without_a_deadline_it_may_take_for_ever() -> None:
    state = at_step(2, plan=replace(PLAN, deadline=None))
    assert advance(state, look(INCONCLUSIVE), 1e12) == Advance(state)


def test_a_failing_canary_goes_before_a_deadline() -> None:
    assert went(at_step(2), look(FAILING), 99_999.0)[1].event == "trip"


@pytest.mark.parametrize("state", ON_TRIAL, ids=repr)
@pytest.mark.parametrize("revision", [9, 12])
def test_a_canary_that_a_worker_holds_as_taken_out_stays_out(state: Rollout, revision: int) -> None:
    after, entry = went(state, Held(revision, halted=True))
    why = f"a worker holds revision {revision} with the canary taken out; why never reached the ledger"
    trip = Trip(1100.0, why, None)
    assert after == replace(
        state,
        revision=revision + 1,
        phase=ROLLED_BACK,
        weight=0,
        weight_before=state.weight,
        trip=trip,
        pause="",
    )
    assert entry == Entry(revision + 1, "trip", state.weight, 0, why)


@pytest.mark.parametrize("state", ON_TRIAL[2:], ids=repr)
def test_an_unknown_lower_weight_pauses_a_rollout_at_0(state: Rollout) -> None:
    after, entry = went(state, Held(12, halted=False))
    why = "a worker holds revision 12, which never reached the ledger; now at zero"
    assert after == replace(state, revision=13, phase=PAUSED, weight=0, pause=why)
    assert entry == Entry(13, "weight", state.weight, 0, why)


def test_without_a_plan_it_is_at_0_and_idle() -> None:
    assert went(RUNNING, Held(12, halted=False))[0] == replace(RUNNING, revision=13, weight=0)


@pytest.mark.parametrize("halted", [True, False])
def test_a_canary_that_is_out_keeps_its_reason_when_a_worker_is_ahead(halted: bool) -> None:
    out = tripped(at_step(2))
    after, entry = went(out, Held(18, halted))
    assert after == replace(out, revision=19)
    assert (entry.event, entry.finding) == ("trip", FINDING)


@pytest.mark.parametrize("halted", [True, False])
def test_without_a_canary_a_worker_that_is_ahead_is_numbered_past(halted: bool) -> None:
    for state in (BARE, PROMOTED_STATE):
        assert went(state, Held(18, halted))[0] == replace(state, revision=19)


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_an_older_worker_is_no_news(state: Rollout) -> None:
    assert advance(state, Held(8, halted=True), 1100.0) == Advance(state)
    assert advance(state, Held(9, halted=False), 1100.0) == Advance(state)


def test_the_same_number_of_a_canary_that_is_out_is_no_news() -> None:
    assert advance(tripped(RUNNING), Held(9, halted=True), 1100.0) == Advance(tripped(RUNNING))


def test_a_gate_may_stand_first_and_last() -> None:
    plan = Plan((GATE, *AT_ONCE.steps, GATE), None)
    first = went(at_step(0, plan=plan), look(asked=frozenset({START})))[0]
    assert (first.phase, first.step, first.weight) == (PAUSED, 1, 0)
    last = went(at_step(2, plan=plan), look(asked=NOBODY))[0]
    assert (last.phase, last.step, last.weight) == (PAUSED, 3, 10_000)


def test_a_worker_may_speak_before_the_file_does() -> None:
    """The ledger was lost, and the workers outlived it."""
    first, entry = went(Rollout(), Held(7, halted=True))
    assert first == Rollout(revision=8)
    assert entry.event == "weight"
    after, _ = went(first, Release(ONE, TWO, 300, "s"))
    assert (after.revision, after.stable, after.canary, after.weight) == (9, ONE, TWO, 300)
