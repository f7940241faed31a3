"""The log of users: what came since, once each, or a word that some is missing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.telemetry import users
from proxy.telemetry.users import MOST, Users

EVENTS = st.lists(st.tuples(st.integers(1, 2**64 - 1), st.sampled_from([1, 2, 6, 14])), max_size=20)


def log(events: list[tuple[int, int]], start: int = 0) -> Users:
    return Users(start, list(events))


@pytest.mark.parametrize(("exceeded", "kinds"), [(1, 2), (2, 2 | 4), (3, 2 | 4 | 8)])
def test_an_answer_is_slow_for_all_thresholds_that_it_exceeded(exceeded: int, kinds: int) -> None:
    assert users.slow(exceeded) == kinds
    assert users.ALL_SLOW == users.slow(3) == sum(users.SLOW)


def test_the_oldest_go_and_the_numbers_go_on() -> None:
    it = Users()
    for n in range(3 * MOST):
        it.add(n, 1)
        assert len(it.events) <= MOST
        assert it.end == n + 1
    assert it.events == [(n, 1) for n in range(it.start, 3 * MOST)]
    assert len(it.events) > 0.89 * MOST


@given(EVENTS, EVENTS, st.data())
def test_a_difference_is_what_came_since_and_nothing_twice(
    before: list[tuple[int, int]], after: list[tuple[int, int]], data: Any
) -> None:
    later = log(before + after)
    held = later.since(data.draw(st.integers(0, len(before))))
    for mark in (log(before), log(before).mark(), Users.from_json(log(before).mark().to_json())):
        delta = held.minus(mark)
        assert (delta.events, delta.gap, delta.end) == (after, False, later.end)


@given(EVENTS, st.integers(0, 20))
def test_lost_events_leave_a_gap(events: list[tuple[int, int]], lost: int) -> None:
    later = log(events).since(lost)
    delta = later.minus(Users())
    assert delta.events == events[lost:]
    assert delta.gap is (lost > 0 and later.start > 0)


def test_the_same_report_again_has_nothing_new() -> None:
    report = log([(7, 1)], start=5)
    assert report.minus(report.mark()) == Users(6)


def test_a_later_state_is_no_earlier_one() -> None:
    with pytest.raises(ValueError, match="3 events were to be subtracted, of 2"):
        log([(7, 1)] * 2).minus(Users(3))


def test_differences_of_two_workers_are_one_behind_the_other_and_keep_a_gap() -> None:
    both = log([(7, 1)]).plus(Users(9, [(8, 2)], gap=True))
    assert (both.events, both.gap) == ([(7, 1), (8, 2)], True)


def test_a_part_is_a_log_of_its_own() -> None:
    it = log([(7, 1)])
    it.since(0).add(8, 1)
    assert it.events == [(7, 1)]


@given(EVENTS, st.integers(0, 10**9))
def test_json_round_trip(events: list[tuple[int, int]], start: int) -> None:
    it = log(events, start)
    assert Users.from_json(json.loads(json.dumps(it.to_json()))) == it


@pytest.mark.parametrize("data", [[], [0, 1], [-1], None, [0, 7, "1"]])
def test_what_is_no_log_is_a_value_error(data: list[int | str] | None) -> None:
    with pytest.raises(ValueError):
        Users.from_json(data)


@pytest.mark.parametrize(
    ("it", "something"), [(Users(), False), (Users(1), True), (log([(7, 1)]), True), (Users(gap=True), True)]
)
def test_it_is_empty_only_when_nothing_ever_came(it: Users, something: bool) -> None:
    assert bool(it) is something
