import json
from dataclasses import replace
from typing import get_args

import pytest

from proxy.rollout.entry import Entry
from proxy.rollout.phases import (
    MOVES,
    PAUSED,
    PROGRESSING,
    ROLLED_BACK,
    UNDER_WAY,
    OrderName,
    Phase,
    orders,
)
from proxy.rollout.rollout import Advance, Refused, Rollout, Trip, begun, move, refused, taken_out
from proxy.rollout.side import VACANT
from tests.rollout.rollouts import BARE, FINDING, PLAN, RUNNING, STATES, THREE, TWO, at_step, tripped

ORDERS = get_args(OrderName)
EVENTS = (*ORDERS, "release", "reload", "step", "gate", "deadline", "finish", "switch", "trip", "adopt")


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("phase", get_args(Phase))
def test_every_move_that_the_table_has_and_no_other(phase: str, event: str) -> None:
    before = STATES[phase]
    for goal, after in STATES.items():
        result = move(before, event, after, "step", "because")
        if goal in MOVES.get((phase, event), ()):
            assert result == Advance(
                replace(after, revision=10), Entry(10, "step", before.weight, after.weight, "because")
            )
        else:
            assert result == Refused(
                f"{event} is not possible while the rollout is {phase}", phase, orders(phase)
            )


def test_the_events_are_those_of_the_table() -> None:
    assert {event for _, event in MOVES} == set(EVENTS)


def test_a_trip_is_entered_with_what_was_found() -> None:
    after = tripped(RUNNING)
    assert move(RUNNING, "trip", after, "trip").entry.finding is FINDING
    assert move(after, "reload", after, "reload").entry.finding is None


def test_a_refusal_says_where_it_is_and_what_can_be_ordered() -> None:
    assert refused(RUNNING, "no") == Refused("no", "idle", ("start", "promote", "abort", "set-weight"))


@pytest.mark.parametrize("weight", [-1, 10_001])
def test_a_weight_out_of_range_is_no_state(weight: int) -> None:
    with pytest.raises(ValueError, match=rf"a weight of {weight} parts is outside 0\.\.10000"):
        replace(RUNNING, weight=weight)


def test_a_halted_canary_with_weight_is_no_state() -> None:
    with pytest.raises(ValueError, match="has no weight, not 2000 parts"):
        replace(RUNNING, phase=ROLLED_BACK)


@pytest.mark.parametrize("phase", sorted(UNDER_WAY))
def test_a_rollout_under_way_without_a_plan_is_no_state(phase: str) -> None:
    with pytest.raises(ValueError, match=f"that is {phase} follows a plan"):
        replace(RUNNING, phase=phase)


@pytest.mark.parametrize("phase", STATES)
def test_only_a_canary_that_was_rolled_back_is_halted(phase: str) -> None:
    assert STATES[phase].halted is (phase == ROLLED_BACK)


def test_nobody_is_on_trial_without_a_canary() -> None:
    assert RUNNING.has_canary
    assert not BARE.has_canary
    assert not Rollout().has_canary


@pytest.mark.parametrize(
    "state",
    [Rollout(), BARE, *STATES.values(), replace(STATES[ROLLED_BACK], trip=Trip(1.0, "lost", None))],
    ids=lambda state: state.phase,
)
def test_json_round_trip(state: Rollout) -> None:
    assert Rollout.from_json(json.loads(json.dumps(state.to_json()))) == state


def test_what_an_older_version_wrote_is_read() -> None:
    """It knew a weight and a trip, and not who answers."""
    finding = FINDING.to_json()
    trip = {"at": 5.0, "sentence": "it failed", "finding": finding}
    old = {"revision": 4, "since": 1, "phase": "rolled-back", "weight": 0, "weight_before": 2000, "salt": "s"}
    assert Rollout.from_json(old | {"definition": "d", "trip": trip}) == Rollout(
        revision=4,
        since=1,
        phase=ROLLED_BACK,
        weight_before=2000,
        salt="s",
        definition="d",
        trip=Trip(5.0, "it failed", FINDING),
    )
    assert Rollout.from_json(old | {"trip": None}).stable == VACANT


def test_taken_out_it_has_no_weight_and_remembers_what_it_had() -> None:
    trip = Trip(7.0, "it failed", None)
    out = taken_out(at_step(2, PAUSED, pause="by hand"), trip)
    assert out == replace(at_step(2), phase=ROLLED_BACK, weight=0, weight_before=500, trip=trip)


def test_taken_out_twice_it_remembers_the_weight_of_the_first_time() -> None:
    again = Trip(9.0, "again", None)
    assert taken_out(tripped(RUNNING), again) == replace(tripped(RUNNING), trip=again)


@pytest.mark.parametrize("phase", STATES)
def test_a_plan_begins_at_0_with_fresh_evidence_whatever_was_before(phase: str) -> None:
    before = replace(STATES[phase], previous=TWO)
    plan = replace(PLAN, deadline=None)
    assert begun(before, THREE, plan, "new", 7.0) == replace(
        before,
        phase=PROGRESSING,
        weight=0,
        since=10,
        salt="new",
        canary=THREE,
        plan=plan,
        step=0,
        step_revision=10,
        entered=7.0,
        began=7.0,
        released=7.0,
        trip=None,
        pause="",
    )


def test_nothing_in_a_state_begins_later_than_now() -> None:
    state = Rollout(entered=100.0, began=50.0)
    assert state.begun_by(100.0) is state
    assert state.begun_by(70.0) == replace(state, entered=70.0)
    assert state.begun_by(20.0) == replace(state, entered=20.0, began=20.0)
