from dataclasses import replace
from typing import Any

import pytest

from proxy.rollout.advance import advance
from proxy.rollout.entry import Entry
from proxy.rollout.inputs import Abort, Pause, Promote, Resume, Retry, SetWeight, Start, Undo
from proxy.rollout.phases import IDLE, PAUSED, PROGRESSING, PROMOTED, PROMOTING, ROLLED_BACK
from proxy.rollout.plan import AT_ONCE, Plan
from proxy.rollout.rollout import Advance, Rollout, Trip, begun
from proxy.rollout.side import VACANT, Side
from tests.rollout.rollouts import (
    BARE,
    FOUR,
    GATE,
    ONE,
    PLAN,
    PROMOTED_STATE,
    RUNNING,
    STATES,
    THREE,
    TWO,
    at_step,
    look,
    refusal,
    tripped,
    went,
)

BY_HAND = "the weight was set by hand"
OTHER_PLAN = replace(PLAN, deadline=60.0)


def aborted(state: Rollout) -> Rollout:
    return went(state, Abort("ann: cancelled"))[0]


def numbered(state: Rollout) -> Rollout:
    return replace(state, revision=10)


@pytest.mark.parametrize(
    ("state", "canary", "then"),
    [
        (RUNNING, None, TWO),
        (RUNNING, THREE, THREE),
        (BARE, THREE, THREE),
        (PROMOTED_STATE, THREE, THREE),
        (PROMOTED_STATE, ONE, ONE),
        (tripped(at_step(2)), THREE, THREE),
    ],
)
def test_a_start_begins_at_0_by_the_plan(state: Rollout, canary: Side | None, then: Side) -> None:
    after, entry = went(state, Start(PLAN, "new", canary))
    assert after == numbered(begun(state, then, PLAN, "new", 1100.0))
    assert entry == Entry(10, "start", state.weight, 0, f"{then.version} begins, in 5 steps")


@pytest.mark.parametrize("state", [at_step(1), at_step(2, PAUSED), at_step(5, PROMOTING)])
@pytest.mark.parametrize(("canary", "then"), [(None, TWO), (TWO, TWO), (THREE, THREE)])
def test_a_start_may_replace_a_rollout_under_way(state: Rollout, canary: Side | None, then: Side) -> None:
    after, entry = went(state, Start(PLAN, "new", canary, replace=True))
    assert after == numbered(begun(state, then, PLAN, "new", 1100.0))
    why = f"{then.version} begins, in 5 steps, in place of {TWO.version}"
    assert entry == Entry(10, "start", state.weight, 0, why)


def test_a_canary_that_a_person_took_out_may_be_started_again_by_a_replacing_start() -> None:
    after, entry = went(aborted(at_step(2)), Start(PLAN, "new", TWO, replace=True))
    assert (after.phase, after.canary, after.trip, entry.event) == ("progressing", TWO, None, "start")


def test_a_canary_without_a_version_begins_as_such() -> None:
    assert went(BARE, Start(PLAN, "new", Side(TWO.endpoints)))[1].why == "the canary begins, in 5 steps"


@pytest.mark.parametrize(
    ("state", "order", "reason"),
    [
        (RUNNING, Start(None, "new"), "there is no plan: write `rollout` into the file"),
        (BARE, Start(PLAN, "new"), "there is no canary to start"),
        (PROMOTED_STATE, Start(PLAN, "new"), "there is no canary to start"),
        (BARE, Start(PLAN, "new", Side((), "v3")), "there is no canary to start"),
        (at_step(1), Start(PLAN, "new", THREE), "a rollout is under way: `replace` takes its canary out"),
        (at_step(2, PAUSED), Start(PLAN, "new", THREE), "a rollout is under way"),
        (at_step(5, PROMOTING), Start(PLAN, "new", THREE), "a rollout is under way"),
        (at_step(1), Start(PLAN, "new", ONE, replace=True), "those of stable"),
        (tripped(at_step(2)), Start(PLAN, "new", TWO, replace=True), "`retry` begins it again"),
        (aborted(at_step(2)), Start(PLAN, "new", TWO), "`retry` begins it again"),
        (RUNNING, Start(PLAN, "new", ONE), "those of stable: there is nothing to roll out"),
        (PROMOTED_STATE, Start(PLAN, "new", TWO), "those of stable: there is nothing to roll out"),
        (tripped(at_step(2)), Start(PLAN, "new"), "`retry` begins it again"),
        (tripped(at_step(2)), Start(PLAN, "new", TWO), "`retry` begins it again"),
        (tripped(RUNNING), Retry("new"), "no plan led to it: `resume` lets the canary back in"),
        (BARE, Promote(full=True), "there is no canary to promote"),
        (RUNNING, Promote(), "no plan is under way: `start` begins one, `promote --full` needs none"),
        (BARE, Abort(), "there is no canary to take out"),
        (BARE, SetWeight(1), "the service has no canary"),
        (at_step(2, PAUSED), Resume(500), "leave the weight out"),
    ],
)
def test_what_can_not_be_says_why(state: Rollout, order: Any, reason: str) -> None:
    assert reason in refusal(state, order)


def test_a_retry_begins_the_same_canary_again() -> None:
    out = tripped(at_step(3))
    after, entry = went(out, Retry("new"))
    assert after == numbered(begun(out, TWO, PLAN, "new", 1100.0))
    assert entry == Entry(10, "retry", 0, 0, "from the first step, with fresh evidence")


def test_a_retry_may_go_by_another_plan() -> None:
    assert went(tripped(at_step(3)), Retry("new", OTHER_PLAN))[0].plan == OTHER_PLAN
    assert went(tripped(RUNNING), Retry("new", OTHER_PLAN))[0].plan == OTHER_PLAN


@pytest.mark.parametrize("step", range(5))
@pytest.mark.parametrize("phase", [PROGRESSING, PAUSED])
def test_a_promote_enters_the_next_step_whatever_is_missing_and_the_deadline_begins_anew(
    step: int, phase: str
) -> None:
    state = at_step(step, phase)
    after, entry = went(state, Promote(), 9_000.0)
    gate = PLAN.steps[step] == GATE
    assert after == at_step(
        step + 1,
        PAUSED if gate else PROGRESSING,
        pause=GATE.text if gate else "",
        revision=10,
        step_revision=10,
        entered=9_000.0,
        began=9_000.0,
    )
    assert (entry.event, entry.why) == (("gate", GATE.text) if gate else ("step", f"step {step + 1} of 5"))
    assert advance(after, look(asked=frozenset()), 9_001.0) == Advance(after)


@pytest.mark.parametrize("phase", [PROGRESSING, PAUSED])
def test_a_promote_past_the_last_step_is_the_end_of_the_plan(phase: str) -> None:
    after, entry = went(at_step(5, phase), Promote())
    assert after == at_step(5, PROMOTING, revision=10, entered=1100.0, began=1100.0)
    assert entry.event == "promoting"


def test_a_promote_leads_to_the_weight_of_the_plan_also_from_one_set_by_hand() -> None:
    for step in range(6):
        after = went(at_step(step, PAUSED, weight=7, pause=BY_HAND), Promote())[0]
        assert after.weight == PLAN.weight(step + 1)


@pytest.mark.parametrize("state", [RUNNING, at_step(0), at_step(2), at_step(3, PAUSED, pause="go?")])
def test_a_full_promote_passes_all_steps(state: Rollout) -> None:
    after, entry = went(state, Promote(full=True), 9_000.0)
    plan = state.plan or AT_ONCE
    assert after == replace(
        state,
        revision=10,
        phase=PROMOTING,
        weight=10_000,
        plan=plan,
        step=len(plan.steps),
        entered=9_000.0,
        began=9_000.0,
        pause="",
    )
    assert entry == Entry(10, "promoting", state.weight, 10_000, "at once, past what was left of the plan")
    assert advance(after, look(asked=frozenset()), 9_001.0) == Advance(after)


@pytest.mark.parametrize("full", [False, True])
def test_a_promote_while_promoting_asks_nobody(full: bool) -> None:
    after, entry = went(at_step(5, PROMOTING), Promote(full))
    assert (after.phase, after.stable, after.previous, after.canary) == (PROMOTED, TWO, ONE, VACANT)
    assert entry == Entry(10, "promotion", 10_000, 0, "v2 is stable now")


@pytest.mark.parametrize("state", [at_step(0), at_step(2), at_step(5, PROMOTING)])
def test_a_pause_keeps_all_but_the_phase(state: Rollout) -> None:
    after, entry = went(state, Pause("ann: lunch"))
    assert after == replace(state, revision=10, phase=PAUSED, pause="ann: lunch")
    assert entry == Entry(10, "pause", state.weight, state.weight, "")
    assert went(state, Pause())[0].pause == "by hand"


@pytest.mark.parametrize("state", [RUNNING, at_step(0), at_step(3, PAUSED), at_step(5, PROMOTING)])
def test_an_abort_takes_the_canary_out_from_everywhere(state: Rollout) -> None:
    after, entry = went(state, Abort("ann: it smells"))
    trip = Trip(1100.0, "taken out by hand (ann: it smells)", None)
    assert after == replace(
        state, revision=10, phase=ROLLED_BACK, weight=0, weight_before=state.weight, trip=trip, pause=""
    )
    assert entry == Entry(10, "abort", state.weight, 0, "taken out by hand")
    assert went(state, Abort())[0].trip.sentence == "taken out by hand"


def test_an_abort_of_what_is_out_changes_nothing() -> None:
    out = tripped(at_step(2))
    assert advance(out, Abort("again"), 1200.0) == Advance(out)


def test_an_undo_at_once_brings_back_the_stable_before_and_no_canary() -> None:
    after, entry = went(PROMOTED_STATE, Undo("new"))
    assert after == replace(
        PROMOTED_STATE, revision=10, since=10, phase=IDLE, stable=ONE, previous=VACANT, plan=None, step=0
    )
    assert entry == Entry(10, "undo", 0, 0, "back to the stable before")


def test_an_undo_by_steps_is_a_rollout_of_the_stable_before() -> None:
    after, entry = went(PROMOTED_STATE, Undo("new", OTHER_PLAN))
    assert after == numbered(begun(PROMOTED_STATE, ONE, OTHER_PLAN, "new", 1100.0))
    assert entry == Entry(10, "undo", 0, 0, "the stable before comes back by steps")


def test_a_weight_without_a_plan_keeps_salt_and_evidence() -> None:
    after, entry = went(RUNNING, SetWeight(2500))
    assert after == replace(RUNNING, revision=10, weight=2500)
    assert entry == Entry(10, "weight", 2000, 2500, "")


@pytest.mark.parametrize("state", [at_step(0), at_step(2), at_step(5, PROMOTING)])
@pytest.mark.parametrize("parts", [0, 500, 9_000, 10_000])
def test_a_weight_on_the_way_pauses(state: Rollout, parts: int) -> None:
    after, entry = went(state, SetWeight(parts))
    assert after == replace(state, revision=10, phase=PAUSED, weight=parts, pause=BY_HAND)
    assert entry == Entry(10, "weight", state.weight, parts, "now paused")


def test_a_weight_during_a_pause_keeps_it_paused() -> None:
    after, entry = went(at_step(3, PAUSED, pause="ask the on-call"), SetWeight(9))
    assert after == at_step(3, PAUSED, revision=10, weight=9, pause=BY_HAND)
    assert entry.why == ""


@pytest.mark.parametrize("step", [0, 1, 2, 4, 5])
@pytest.mark.parametrize("weight", [None, 7])
def test_a_resume_goes_on_in_the_step_with_its_weight_hold_and_sample_anew(
    step: int, weight: int | None
) -> None:
    paused = at_step(step, PAUSED, pause="x")
    after, entry = went(paused if weight is None else replace(paused, weight=weight), Resume(), 9_000.0)
    assert after == at_step(step, revision=10, step_revision=10, entered=9_000.0, began=9_000.0)
    assert (entry.event, entry.why) == ("resume", f"on with step {step} of 5")


def test_a_resume_at_a_gate_passes_it() -> None:
    after, entry = went(at_step(3, PAUSED, pause=GATE.text), Resume(), 9_000.0)
    assert after == at_step(4, revision=10, step_revision=10, entered=9_000.0, began=9_000.0)
    assert (entry.event, entry.why) == ("step", "step 4 of 5")


def test_a_resume_at_a_gate_with_another_weight_goes_back_to_the_gate() -> None:
    after, entry = went(at_step(3, PAUSED, weight=7, pause=BY_HAND), Resume(), 9_000.0)
    assert after == at_step(
        3, PAUSED, revision=10, step_revision=10, entered=9_000.0, began=9_000.0, pause=GATE.text
    )
    assert entry == Entry(10, "resume", 7, 500, "on with step 3 of 5")


@pytest.mark.parametrize(("parts", "weight"), [(None, 2000), (0, 0), (100, 100), (10_000, 10_000)])
def test_back_in_without_a_plan_at_the_weight_before_or_another(parts: int | None, weight: int) -> None:
    after, entry = went(tripped(RUNNING), Resume(parts))
    assert after == replace(RUNNING, revision=10, since=10, weight=weight, weight_before=2000)
    assert entry == Entry(10, "resume", 0, weight, "evidence begins anew")


@pytest.mark.parametrize("state", [at_step(0), at_step(2), at_step(5), at_step(5, PROMOTING)])
@pytest.mark.parametrize("says_it", [False, True])
def test_back_in_at_its_step_it_goes_on_with_fresh_evidence(state: Rollout, says_it: bool) -> None:
    after = went(tripped(state), Resume(state.weight if says_it else None), 9_000.0)[0]
    assert after == at_step(
        state.step,
        revision=10,
        since=10,
        step_revision=10,
        entered=9_000.0,
        began=9_000.0,
        weight_before=state.weight,
    )


@pytest.mark.parametrize("order", [Promote(), Resume(), Promote(full=True)])
def test_a_release_began_when_it_began_whatever_is_ordered_later(order: Promote | Resume) -> None:
    paused = at_step(3, PAUSED, pause=GATE.text, released=800.0)
    assert went(paused, order, 9_000.0)[0].released == 800.0


def test_back_in_it_is_the_release_that_it_was() -> None:
    assert went(tripped(at_step(2, released=800.0)), Resume(), 9_000.0)[0].released == 800.0


def test_back_in_at_a_gate_it_waits_there() -> None:
    after = went(tripped(at_step(3, PAUSED)), Resume())[0]
    assert (after.phase, after.weight, after.pause) == (PAUSED, 500, GATE.text)


@pytest.mark.parametrize("parts", [0, 7, 10_000])
def test_back_in_at_another_weight_than_its_steps_it_is_paused(parts: int) -> None:
    after = went(tripped(at_step(2)), Resume(parts))[0]
    assert (after.phase, after.weight, after.pause, after.since) == (PAUSED, parts, BY_HAND, 10)


def test_the_weight_by_hand_before_a_rollback_is_gone_back_to() -> None:
    out = tripped(at_step(2, PAUSED, weight=7, pause=BY_HAND))
    assert went(out, Resume())[0].weight == 7


def test_the_end_of_a_plan_with_a_gate_behind_it_is_reached_by_a_person() -> None:
    plan = Plan((*AT_ONCE.steps, GATE), None)
    paused = at_step(2, PAUSED, plan=plan, weight=10_000, pause=GATE.text)
    for order in (Promote(), Resume()):
        assert went(paused, order)[0].phase == PROMOTING


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_no_order_changes_whom_the_file_named(state: Rollout) -> None:
    for order in (Start(PLAN, "n", FOUR), Promote(), Abort(), Retry("n"), Undo("n"), SetWeight(7)):
        result = advance(state, order, 1100.0)
        if isinstance(result, Advance):
            after = result.rollout
            assert (after.stable_definition, after.definition) == (ONE.definition, TWO.definition)
