from dataclasses import replace

import pytest

from proxy.rollout.advance import advance
from proxy.rollout.entry import Entry
from proxy.rollout.inputs import Release
from proxy.rollout.phases import IDLE, PROGRESSING, PROMOTED
from proxy.rollout.plan import Plan
from proxy.rollout.rollout import Advance, Rollout, begun
from proxy.rollout.side import VACANT, Side
from proxy.routing.endpoint import Endpoint
from tests.rollout.rollouts import (
    BARE,
    FOUR,
    ONE,
    PLAN,
    PROMOTED_STATE,
    RUNNING,
    STATES,
    THREE,
    TWO,
    at_step,
    tripped,
    went,
)

MORE_OF_ONE = Side((*ONE.endpoints, Endpoint.parse("http://v1b")), "v1")


def says(
    stable: Side = ONE, canary: Side = TWO, *changed: str, weight: int = 9000, plan: Plan | None = None
) -> Release:
    return Release(stable, canary, weight, "new", changed, plan)


def test_first_sight_is_a_release() -> None:
    after, entry = went(Rollout(), says(weight=500), 7.0)
    assert after == Rollout(
        revision=1,
        since=1,
        weight=500,
        salt="new",
        stable=ONE,
        stable_definition=ONE.definition,
        canary=TWO,
        definition=TWO.definition,
        released=7.0,
    )
    assert entry == Entry(1, "release", 0, 500, "first seen in the file")


def test_first_sight_of_a_service_without_canary_is_numbered_too() -> None:
    after, entry = went(Rollout(), says(canary=VACANT), 7.0)
    assert after == Rollout(
        revision=1,
        since=1,
        salt="new",
        stable=ONE,
        stable_definition=ONE.definition,
        definition="",
        released=7.0,
    )
    assert (entry.event, entry.after) == ("release", 0)


def test_stable_may_be_its_own_canary_to_see_what_the_split_does() -> None:
    assert went(Rollout(), says(ONE, ONE, weight=500), 7.0)[0].canary == ONE


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_the_same_word_and_another_weight_alone_change_nothing(state: Rollout) -> None:
    for weight in (0, 9000):
        assert advance(state, says(weight=weight, plan=PLAN), 1100.0) == Advance(state)


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_another_canary_begins_everything_anew(state: Rollout) -> None:
    after, entry = went(state, says(canary=THREE, weight=700))
    assert after == Rollout(
        revision=10,
        since=10,
        weight=700,
        salt="new",
        stable=state.stable,
        stable_definition=ONE.definition,
        canary=THREE,
        definition=THREE.definition,
        released=1100.0,
    )
    assert entry == Entry(10, "release", state.weight, 700, "the file's canary is another one")


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_another_canary_with_a_plan_begins_by_itself_from_0(state: Rollout) -> None:
    after, entry = went(state, says(canary=THREE, plan=PLAN))
    fresh = went(state, says(canary=THREE, weight=0))[0]
    assert after == replace(begun(replace(fresh, revision=9), THREE, PLAN, "new", 1100.0), revision=10)
    assert entry == Entry(10, "start", state.weight, 0, "the file's canary is another one")


def test_first_sight_with_a_plan_begins_by_itself() -> None:
    after, entry = went(Rollout(), says(plan=PLAN), 7.0)
    assert (after.phase, after.weight, after.since, after.step_revision) == (PROGRESSING, 0, 1, 1)
    assert entry == Entry(1, "start", 0, 0, "first seen in the file")


@pytest.mark.parametrize("plan", [None, PLAN])
def test_a_canary_that_is_no_longer_in_the_file_is_gone(plan: Plan | None) -> None:
    after, entry = went(at_step(2), says(canary=VACANT, plan=plan))
    assert (after.phase, after.canary, after.weight, after.plan) == (IDLE, VACANT, 0, None)
    assert entry == Entry(10, "release", 500, 0, "the file has no canary any more")


def test_both_at_once_are_a_release_against_the_new_stable() -> None:
    after = went(RUNNING, says(THREE, FOUR))[0]
    assert (after.stable, after.stable_definition, after.canary) == (THREE, THREE.definition, FOUR)


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_other_keys_change_nothing_but_the_number(state: Rollout) -> None:
    after, entry = went(state, says(ONE, TWO, "segments", "timeouts"))
    assert after == replace(state, revision=10)
    assert entry == Entry(10, "reload", state.weight, state.weight, "the file changed segments, timeouts")


def test_another_stable_is_taken_at_the_same_weight_and_evidence_begins_anew() -> None:
    after, entry = went(at_step(2), says(THREE, TWO, "timeouts"))
    assert after == at_step(2, revision=10, since=10, stable=THREE, stable_definition=THREE.definition)
    assert entry == Entry(
        10, "reload", 500, 500, "the file changed timeouts, stable; stable is v3 now, in place of v1"
    )


def test_one_endpoint_more_of_stable_keeps_the_evidence() -> None:
    after = went(at_step(2), says(MORE_OF_ONE))[0]
    assert after == at_step(2, revision=10, stable=MORE_OF_ONE, stable_definition=MORE_OF_ONE.definition)


def test_a_key_is_named_once() -> None:
    entry = went(RUNNING, says(THREE, TWO, "stable", "stable"))[1]
    assert entry.why == "the file changed stable; stable is v3 now, in place of v1"


# A canary named at runtime: the file has v2 or nobody, v3 is in force.


def test_a_canary_named_at_runtime_stays_until_the_file_says_something_new() -> None:
    runtime = replace(RUNNING, canary=THREE)
    assert advance(runtime, says(), 1100.0) == Advance(runtime)
    assert went(runtime, says(canary=FOUR))[0].canary == FOUR


def test_a_file_that_has_caught_up_with_a_canary_named_at_runtime_starts_nothing() -> None:
    runtime = at_step(2, definition="")
    after, entry = went(runtime, says(canary=TWO, plan=PLAN))
    assert after == at_step(2, revision=10)
    assert entry == Entry(10, "reload", 500, 500, "the file changed canary")


# After a promotion: v2 is stable, and the file has v1 and v2 yet.


def test_a_file_whose_line_was_moved_has_caught_up() -> None:
    after, entry = went(PROMOTED_STATE, says(TWO, VACANT, "stable", "canary"))
    assert after == replace(PROMOTED_STATE, revision=10, stable_definition=TWO.definition, definition="")
    assert entry == Entry(10, "reload", 0, 0, "the file changed stable, canary")
    assert after.previous == ONE
    assert advance(after, says(TWO, VACANT, plan=PLAN), 1100.0) == Advance(after)


@pytest.mark.parametrize("first", [says(TWO, TWO), says(ONE, VACANT)], ids=["stable first", "canary first"])
def test_a_line_may_be_moved_in_two_moves(first: Release) -> None:
    between = went(PROMOTED_STATE, replace(first, plan=PLAN))[0]
    assert (between.phase, between.stable, between.canary) == (PROMOTED, TWO, VACANT)
    after = went(between, says(TWO, VACANT))[0]
    assert after == replace(PROMOTED_STATE, revision=11, stable_definition=TWO.definition, definition="")


def test_the_next_canary_comes_after_a_promotion_whether_the_line_was_moved_or_not() -> None:
    for stable in (ONE, TWO):
        after = went(PROMOTED_STATE, says(stable, THREE))[0]
        assert (after.stable, after.canary, after.stable_definition) == (TWO, THREE, stable.definition)


def test_another_stable_in_the_file_is_taken_even_after_a_promotion() -> None:
    after = went(PROMOTED_STATE, says(THREE))[0]
    assert (after.phase, after.stable, after.previous, after.since) == (PROMOTED, THREE, ONE, 10)


@pytest.mark.parametrize("plan", [None, PLAN])
def test_who_was_promoted_is_no_canary_when_the_file_names_it_late(plan: Plan | None) -> None:
    unnamed = replace(PROMOTED_STATE, definition="")
    after, entry = went(unnamed, says(canary=TWO, plan=plan))
    assert after == replace(PROMOTED_STATE, revision=10)
    assert entry.event == "reload"


@pytest.mark.parametrize("plan", [None, PLAN])
def test_who_was_promoted_is_no_canary_when_the_file_is_put_back(plan: Plan | None) -> None:
    bad = tripped(replace(RUNNING, stable=TWO, canary=THREE, definition=THREE.definition))
    after, entry = went(bad, says(canary=TWO, plan=plan))
    assert (after.phase, after.stable, after.canary, after.weight) == (IDLE, TWO, VACANT, 0)
    assert after.definition == TWO.definition
    assert entry.event == "release"
    assert advance(after, says(canary=TWO, plan=plan), 1100.0) == Advance(after)


def test_a_service_without_a_canary_may_get_one() -> None:
    assert went(BARE, says(weight=300))[0].weight == 300


def test_a_stable_without_a_version_is_named_by_its_endpoints() -> None:
    bare = Side((Endpoint.parse("http://a"), Endpoint.parse("http://b")))
    entry = went(RUNNING, says(bare, TWO))[1]
    assert entry.why == "the file changed stable; stable is http://a, http://b now, in place of v1"
