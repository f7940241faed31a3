"""What holds for every story: whatever comes, in whatever order, at whatever time."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

from proxy.rollout.actions import Lower, Nothing, Raise, action
from proxy.rollout.advance import advance
from proxy.rollout.inputs import Abort, Held, Look, Release, Resume, Retry, SetWeight, Start, Undo
from proxy.rollout.phases import IDLE, MOVES, PAUSED, PROGRESSING, PROMOTED, PROMOTING, ROLLED_BACK, orders
from proxy.rollout.plan import Gate, Plan, Step
from proxy.rollout.rollout import Advance, Refused, Rollout
from proxy.rollout.side import VACANT
from proxy.rollout.waiting import PROMOTION, START, STEP
from tests.rollout.rollouts import FAILING, HEALTHY
from tests.rollout.telling import Moment, every


@every
def test_every_state_that_is_reached_is_valid(story: list[Moment]) -> None:
    for after in (moment.after for moment in story):
        steps = len(after.plan.steps) if after.plan else 0
        assert after.step <= steps
        assert max(after.since, after.step_revision) <= after.revision
        assert after.has_canary or (after.weight == 0 and after.phase in (IDLE, PROMOTED))
        assert (after.trip is not None) == after.halted == (after.phase == ROLLED_BACK)
        assert bool(after.pause) == (after.phase == PAUSED)
        assert after.plan is None or after.phase != IDLE
        assert after.weight == after.plan.weight(after.step) if after.phase == PROGRESSING else True
        assert after.weight == 10_000 if after.phase == PROMOTING else True
        assert after.phase != PROGRESSING or not isinstance(after.plan.at(after.step), Gate)
        assert after.phase != PROMOTED or (after.canary == VACANT and after.previous != VACANT)


@every
def test_every_state_that_is_reached_outlives_json(story: list[Moment]) -> None:
    for after in (moment.after for moment in story):
        assert Rollout.from_json(json.loads(json.dumps(after.to_json()))) == after


@every
def test_what_is_refused_says_what_can_be_ordered_and_no_order_is_lost(story: list[Moment]) -> None:
    for moment in story:
        match moment.result:
            case Refused(reason, phase, legal):
                assert moment.ordered
                assert reason
                assert (phase, legal) == (moment.before.phase, orders(moment.before.phase))
            case Advance(_, None) if moment.ordered:
                assert moment.happened == SetWeight(moment.before.weight) or moment.before.halted


@every
def test_a_state_and_its_number_change_together(story: list[Moment]) -> None:
    for moment in story:
        if not moment.event:
            assert moment.after == moment.before
            continue
        entry, (before, after) = moment.result.entry, (moment.before, moment.after)
        assert entry.revision == after.revision > before.revision
        assert after.revision == before.revision + 1 or isinstance(moment.happened, Held)
        assert (entry.before, entry.after) == (before.weight, after.weight)
        assert (entry.finding is not None) == (entry.event == "trip" and after.trip.finding is not None)


@every
def test_the_entries_alone_replayed_give_the_same_state(story: list[Moment]) -> None:
    """A ledger that was read to any of its ends, and what was kept with the entry there."""
    ledger: list[tuple[Any, Any]] = []
    for moment in story:
        if moment.event:
            ledger.append((moment.result.entry, moment.after.to_json()))
        if ledger:
            entry, kept = ledger[-1]
            assert Rollout.from_json(kept) == moment.after
            assert (entry.after, entry.revision) == (moment.after.weight, moment.after.revision)
    revisions = [entry.revision for entry, _ in ledger]
    assert revisions == sorted(set(revisions))
    for (earlier, _), (later, _) in pairwise(ledger):
        assert later.before == earlier.after


@every
def test_every_move_is_one_of_the_table(story: list[Moment]) -> None:
    moves = {(phase, goal) for (phase, _), goals in MOVES.items() for goal in goals}
    for moment in story:
        assert not moment.event or (moment.before.phase, moment.after.phase) in moves


@every
def test_the_weight_that_the_plan_gives_is_that_of_its_step(story: list[Moment]) -> None:
    for moment in story:
        if isinstance(moment.happened, Look) and moment.after.weight > moment.before.weight:
            assert moment.after.weight == moment.after.plan.weight(moment.after.step)
        if moment.event in ("step", "gate", "promoting", "resume") and moment.after.phase != IDLE:
            given = moment.happened == Resume(moment.after.weight)
            back = moment.before.halted and moment.after.weight == moment.before.weight_before
            assert moment.after.weight == moment.after.plan.weight(moment.after.step) or given or back


@every
def test_a_look_raises_once_for_a_step(story: list[Moment]) -> None:
    for moment in story:
        if isinstance(moment.happened, Look) and moment.after.weight > moment.before.weight:
            assert moment.after.step == moment.before.step + 1
            assert moment.after.plan == moment.before.plan
            assert moment.after.step_revision == moment.after.revision


@every
def test_a_step_is_not_left_by_itself_before_all_is_there(story: list[Moment]) -> None:
    """When a step began is read from the history alone."""
    entered = 0.0
    for moment in story:
        before, look = moment.before, moment.happened
        if isinstance(look, Look) and moment.event in ("step", "gate", "promoting"):
            step, following = before.plan.at(before.step), before.plan.after(before.step)
            assert before.phase == PROGRESSING
            if isinstance(step, Step):
                assert moment.at - entered >= step.hold
                assert look.answers >= step.min_requests
                unneeded = not look.answers and look.verdict is not FAILING  # a step may need no answers
                assert look.verdict is HEALTHY or not look.enforce or unneeded
            assert STEP in look.open or not isinstance(following, Step)
            assert START in look.open or before.step
        if isinstance(look, Look) and moment.event == "promotion":
            assert before.phase == PROMOTING
            assert PROMOTION in look.open
        if moment.event in ("start", "retry", "undo", "step", "resume"):
            entered = moment.at


@every
def test_a_failing_canary_is_out_in_the_same_move(story: list[Moment]) -> None:
    for moment in story:
        look = moment.happened
        if isinstance(look, Look) and look.verdict is FAILING and look.enforce and moment.before.has_canary:
            assert moment.after.halted
            assert moment.after.weight == 0


@every
def test_after_a_failing_verdict_nothing_grows_until_a_person_or_a_release_says_so(
    story: list[Moment],
) -> None:
    bad = False
    for moment in story:
        look = moment.happened
        if isinstance(look, Look) and look.verdict is FAILING and look.enforce and moment.before.has_canary:
            bad = True
        elif (moment.ordered or isinstance(look, Release)) and moment.event:
            bad = False
        assert not bad or moment.after.weight <= moment.before.weight


@every
def test_an_abort_reaches_0_in_one_step_from_everywhere(story: list[Moment]) -> None:
    for moment in story:
        for state in (moment.before, moment.after):
            result = advance(state, Abort("now"), moment.at)
            if state.has_canary:
                assert isinstance(result, Advance)
                assert (result.rollout.phase, result.rollout.weight) == (ROLLED_BACK, 0)
            else:
                assert isinstance(result, Refused)


@every
def test_what_was_rolled_back_stays_out_until_a_person_or_a_release_lets_it_in(story: list[Moment]) -> None:
    for moment in story:
        if moment.before.halted and not moment.after.halted:
            assert isinstance(moment.happened, Start | Resume | Retry | Release)
            assert moment.after.since == moment.after.revision
        assert not (moment.after.halted and moment.after.weight)


@every
def test_the_evidence_begins_anew_with_another_canary_and_another_stable(story: list[Moment]) -> None:
    for moment in story:
        before, after = moment.before, moment.after
        if after.has_canary and (before.canary, before.salt) != (after.canary, after.salt):
            assert after.since == after.revision
        if before.stable.definition != after.stable.definition and after.has_canary:
            assert after.since == after.revision


@every
def test_an_undo_gives_back_exactly_the_stable_that_was_before(story: list[Moment]) -> None:
    before_promotion = None
    for moment in story:
        if moment.event == "promotion":
            before_promotion = moment.before.stable
            assert moment.after.stable == moment.before.canary
        if moment.after.phase == PROMOTED:
            at_once = advance(moment.after, Undo("u"), moment.at)
            assert at_once.rollout.stable == before_promotion
            by_steps = advance(moment.after, Undo("u", Plan((Step(10_000, 0.0, 0),), None)), moment.at)
            assert by_steps.rollout.canary == before_promotion


@every
def test_a_release_said_again_changes_nothing(story: list[Moment]) -> None:
    for moment in story:
        if isinstance(moment.happened, Release):
            again = replace(moment.happened, salt="again", weight=77, changed=())
            assert advance(moment.after, again, moment.at) == Advance(moment.after)


@every
def test_a_file_that_says_what_is_in_force_starts_nothing_and_moves_no_weight(story: list[Moment]) -> None:
    for moment in story:
        state = moment.after
        if state.revision and state.stable != VACANT:
            said = Release(
                state.stable, state.canary, 77, "caught up", (), Plan((Step(10_000, 0.0, 0),), None)
            )
            caught_up = advance(state, said, moment.at).rollout
            assert caught_up == replace(
                state,
                revision=caught_up.revision,
                stable_definition=state.stable.definition,
                definition=state.canary.definition,
            )


@every
def test_a_reload_moves_no_weight(story: list[Moment]) -> None:
    for moment in story:
        if moment.event == "reload":
            assert moment.after.weight == moment.before.weight
            assert (moment.after.canary, moment.after.phase) == (moment.before.canary, moment.before.phase)


@every
def test_what_lets_a_canary_in_is_written_first_and_what_takes_it_out_waits_for_nothing(
    story: list[Moment],
) -> None:
    for moment in story:
        if isinstance(moment.result, Refused):
            continue
        before, after = moment.before, moment.after
        decided = action(before, moment.result)
        more = after.weight > before.weight or (before.halted and not after.halted)
        others = (before.stable, before.canary, before.salt) != (after.stable, after.canary, after.salt)
        assert isinstance(decided, Nothing) == (moment.event == "")
        if moment.event and (more or others):
            assert isinstance(decided, Raise)
        out = after.halted and not before.halted
        lower = after.weight < before.weight and isinstance(moment.happened, SetWeight | Held)
        if out or lower:
            assert isinstance(decided, Lower)
