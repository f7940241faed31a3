"""Whole rollouts, told line by line."""

from typing import Any

import pytest

from proxy.rollout.inputs import Abort, Held, Pause, Promote, Release, Resume, Retry, SetWeight, Start, Undo
from proxy.rollout.plan import Plan, Step
from proxy.rollout.side import VACANT
from tests.rollout.rollouts import (
    EVERYBODY,
    FAILING,
    FOUR,
    GATE,
    HEALTHY,
    INCONCLUSIVE,
    NOBODY,
    ONE,
    PLAN,
    THREE,
    TWO,
    Story,
    look,
)

FILE = Release(ONE, VACANT, 0, "s0")
START = Start(PLAN, "s1", TWO)
FIVE = Plan(
    (
        Step(100, 60.0, 50),
        Step(500, 120.0, 100),
        GATE,
        Step(2500, 60.0, 50),
        Step(5000, 60.0, 50),
        Step(10_000, 60.0, 50),
    ),
    86_400.0,
)


def on_its_way(*more: Any) -> Story:
    """In step 2 of 5, since this moment."""
    story = Story(FILE, START, look())
    story.wait(60.0)
    assert story.tell(look()) == ("progressing", 2, 500)
    for happened in more:
        story.tell(happened)
    return story


def promoted() -> Story:
    story = on_its_way(Promote(full=True), look())
    assert story.rollout.phase == "promoted"
    return story


def test_five_steps_with_a_gate_a_promotion_and_an_undo() -> None:
    story = Story(FILE)
    assert story.tell(Start(FIVE, "s1", TWO)) == ("progressing", 0, 0)
    assert story.tell(look(INCONCLUSIVE, 0, NOBODY)) == ("progressing", 0, 0)  # it doesn't answer yet
    assert story.tell(look(INCONCLUSIVE, 0)) == ("progressing", 1, 100)
    story.wait(59.0)
    assert story.tell(look()) == ("progressing", 1, 100)
    story.wait(1.0)
    assert story.tell(look(INCONCLUSIVE)) == ("progressing", 1, 100)
    assert story.tell(look(answers=49)) == ("progressing", 1, 100)
    assert story.tell(look(asked=NOBODY)) == ("progressing", 1, 100)
    assert story.tell(look(answers=50)) == ("progressing", 2, 500)
    story.wait(120.0)
    assert story.tell(look()) == ("paused", 3, 500)
    assert story.rollout.pause == "ask the on-call"
    story.wait(7200.0)
    assert story.tell(look()) == ("paused", 3, 500)
    assert story.tell(Promote()) == ("progressing", 4, 2500)
    story.wait(60.0)
    assert story.tell(look()) == ("progressing", 5, 5000)
    story.wait(60.0)
    assert story.tell(look()) == ("progressing", 6, 10_000)
    assert story.tell(look()) == ("progressing", 6, 10_000)
    story.wait(60.0)
    assert story.tell(look()) == ("promoting", 6, 10_000)
    assert story.tell(look(asked=NOBODY)) == ("promoting", 6, 10_000)
    assert story.tell(look()) == ("promoted", 6, 0)
    assert (story.rollout.stable, story.rollout.canary, story.rollout.previous) == (TWO, VACANT, ONE)
    assert story.tell(Undo("s2")) == ("idle", 0, 0)
    assert (story.rollout.stable, story.rollout.canary) == (ONE, VACANT)
    words = "release start step step gate step step step promoting promotion undo"
    assert story.words == words.split()
    assert [entry.revision for entry in story.entries] == list(range(1, 12))


@pytest.mark.parametrize("before", [[], [Pause()], [Promote()], [SetWeight(9000)], [Promote(full=True)]])
def test_a_canary_that_goes_bad_is_out_wherever_it_is_and_stays_out(
    before: list[Pause | Promote | SetWeight],
) -> None:
    story = on_its_way(*before)
    weight = story.rollout.weight
    assert story.tell(look(FAILING, asked=NOBODY))[::2] == ("rolled-back", 0)
    for happened in (look(), look(FAILING), Release(ONE, VACANT, 5000, "s9"), Held(3, False), Abort()):
        story.wait(100_000.0)
        assert story.tell(happened)[::2] == ("rolled-back", 0)
    for order in (Promote(), Promote(full=True), Pause(), SetWeight(1), Undo("s")):
        assert "is not possible while the rollout is rolled-back" in story.tell(order)
    assert story.rollout.weight_before == weight
    assert story.words[-1] == "trip"


def test_a_resume_after_a_trip_is_back_at_its_step_and_waits_for_all_of_it_again() -> None:
    story = on_its_way()
    story.wait(119.0)
    story.tell(look(FAILING))
    story.wait(50_000.0)
    assert story.tell(Resume()) == ("progressing", 2, 500)
    assert story.rollout.since == story.rollout.step_revision == story.rollout.revision
    story.wait(119.0)
    assert story.tell(look()) == ("progressing", 2, 500)
    story.wait(1.0)
    assert story.tell(look()) == ("paused", 3, 500)  # at the gate; no deadline came in between


def test_a_retry_begins_at_0_with_another_salt() -> None:
    story = on_its_way(look(FAILING))
    assert story.tell(Retry("s2")) == ("progressing", 0, 0)
    assert (story.rollout.salt, story.rollout.trip) == ("s2", None)
    assert story.tell(look()) == ("progressing", 1, 100)


def test_the_next_canary_may_start_over_one_that_was_rolled_back() -> None:
    story = on_its_way(look(FAILING))
    assert "`retry` begins it again" in story.tell(START)
    assert story.tell(Start(PLAN, "s3", THREE)) == ("progressing", 0, 0)
    assert story.rollout.canary == THREE
    assert story.tell(FILE) == ("progressing", 0, 0)  # the file says what it said


def test_a_deadline_pauses_and_a_resume_begins_it_anew() -> None:
    story = on_its_way()
    story.wait(PLAN.deadline - 60.1)
    assert story.tell(look(INCONCLUSIVE)) == ("progressing", 2, 500)
    story.wait(0.1)
    assert story.tell(look()) == ("paused", 2, 500)
    assert (story.words[-1], story.rollout.pause) == ("deadline", "its deadline is over")
    assert story.tell(Resume()) == ("progressing", 2, 500)
    story.wait(PLAN.deadline - 0.1)
    assert story.tell(look(INCONCLUSIVE)) == ("progressing", 2, 500)
    story.wait(0.1)
    assert story.tell(look(INCONCLUSIVE))[0] == "paused"


def test_a_gate_may_take_longer_than_the_deadline() -> None:
    story = on_its_way()
    story.wait(120.0)
    assert story.tell(look()) == ("paused", 3, 500)
    story.wait(PLAN.deadline * 2)
    assert story.tell(look()) == ("paused", 3, 500)
    assert story.tell(Promote()) == ("progressing", 4, 2500)
    assert story.tell(look()) == ("progressing", 4, 2500)


def test_a_weight_by_hand_pauses_and_a_resume_goes_back_to_the_steps() -> None:
    story = on_its_way(SetWeight(4000))
    assert story.tell(look()) == ("paused", 2, 4000)
    story.wait(3000.0)
    assert story.tell(look()) == ("paused", 2, 4000)
    assert story.tell(Resume()) == ("progressing", 2, 500)


def test_a_promote_passes_a_gate_before_it_is_reached_in_two_moves() -> None:
    story = on_its_way()
    assert story.tell(Promote()) == ("paused", 3, 500)
    assert story.tell(Promote()) == ("progressing", 4, 2500)


def test_a_full_promote_from_idle_needs_no_plan() -> None:
    story = Story(Release(ONE, TWO, 1000, "s0"))
    assert "needs none" in story.tell(Promote())
    assert story.tell(Promote(full=True)) == ("promoting", 1, 10_000)
    assert story.tell(look(asked=NOBODY)) == ("promoting", 1, 10_000)
    assert story.tell(look()) == ("promoted", 1, 0)
    assert story.tell(Undo("s1"))[0] == "idle"
    assert story.rollout.stable == ONE


def test_an_undo_by_steps_promotes_the_stable_before_and_can_be_undone() -> None:
    story = promoted()
    assert story.tell(Undo("s2", PLAN)) == ("progressing", 0, 0)
    assert (story.rollout.stable, story.rollout.canary) == (TWO, ONE)
    story.tell(Promote(full=True))
    assert story.tell(look())[0] == "promoted"
    assert (story.rollout.stable, story.rollout.previous) == (ONE, TWO)
    story.tell(Undo("s3"))
    assert story.rollout.stable == TWO


def test_an_undo_by_steps_may_be_rolled_back_like_any_other() -> None:
    story = promoted()
    story.tell(Undo("s2", PLAN))
    story.tell(look())
    assert story.tell(look(FAILING))[0] == "rolled-back"
    assert (story.rollout.stable, story.rollout.canary) == (TWO, ONE)


PHASES = {
    "progressing": [],
    "paused": [Pause()],
    "promoting": [Promote(full=True)],
    "promoted": [Promote(full=True), look()],
    "rolled-back": [Abort()],
}


@pytest.mark.parametrize("phase", PHASES)
def test_the_file_in_each_phase(phase: str) -> None:
    """It has v1 alone; v2 was named at runtime."""
    again = on_its_way(*PHASES[phase])
    state = again.rollout
    again.tell(FILE)
    assert (again.rollout, again.rollout.phase) == (state, phase)

    caught_up = on_its_way(*PHASES[phase])
    caught_up.tell(Release(ONE, TWO, 5000, "s5", plan=PLAN))
    assert caught_up.words[-1] == "reload"
    assert (caught_up.rollout.phase, caught_up.rollout.weight) == (phase, state.weight)

    new = on_its_way(*PHASES[phase])
    assert new.tell(Release(ONE, FOUR, 300, "s5")) == ("idle", 0, 300)
    assert (new.rollout.canary, new.rollout.stable) == (FOUR, state.stable)

    begins = on_its_way(*PHASES[phase])
    assert begins.tell(Release(ONE, FOUR, 0, "s5", plan=PLAN)) == ("progressing", 0, 0)


def test_a_moved_line_after_a_promotion_and_the_release_after_it() -> None:
    story = Story(Release(ONE, TWO, 0, "s0", plan=PLAN))
    assert story.words == ["start"]
    story.tell(Promote(full=True))
    story.tell(look())
    assert story.tell(Release(ONE, TWO, 0, "s1", plan=PLAN))[0] == "promoted"  # not moved yet
    assert story.words[-1] == "promotion"
    assert story.tell(Release(TWO, VACANT, 0, "s2", plan=PLAN))[0] == "promoted"
    assert story.words[-1] == "reload"
    assert story.tell(Release(TWO, THREE, 0, "s3", plan=PLAN)) == ("progressing", 0, 0)
    assert (story.rollout.stable, story.rollout.canary) == (TWO, THREE)


def test_an_undone_canary_does_not_come_back_by_a_reload_or_a_restart() -> None:
    story = Story(Release(ONE, TWO, 0, "s0", plan=PLAN), Promote(full=True), look(), Undo("s1"))
    state = story.rollout
    story.tell(Release(ONE, TWO, 0, "s2", plan=PLAN))
    assert story.rollout == state
    assert (state.stable, state.canary) == (ONE, VACANT)


def test_a_control_that_died_after_telling_and_before_writing_goes_on_lower() -> None:
    story = on_its_way(Held(9, halted=False))
    assert (story.rollout.phase, story.rollout.weight, story.rollout.revision) == ("paused", 0, 10)
    assert story.tell(Resume()) == ("progressing", 2, 500)


def test_verdicts_that_are_only_watched_neither_roll_back_nor_hold() -> None:
    story = on_its_way()
    story.wait(120.0)
    for verdict in (FAILING, INCONCLUSIVE, HEALTHY):
        assert story.tell(look(verdict, 99, EVERYBODY, enforce=False)) == ("progressing", 2, 500)
    assert story.tell(look(FAILING, 100, enforce=False)) == ("paused", 3, 500)
