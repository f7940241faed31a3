"""What one exchange adds to counts, each outcome in its places; how counts add up and come apart again."""

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.telemetry import counts as module
from proxy.telemetry import counts_json
from proxy.telemetry.counts import NUMBERS, Counts
from proxy.telemetry.histogram import Histogram
from proxy.telemetry.outcome import Outcome
from proxy.telemetry.users import Users
from tests.telemetry.outcomes import COUNTS, KEY, OUTCOMES, STABLE, THRESHOLDS, counted, events, outcome


def test_every_part_is_of_one_kind() -> None:
    kinds = (
        module.BY_KEY,
        module.HISTOGRAMS,
        module.NUMBERS,
        module.GAUGES,
        module.STATES,
    )
    assert sorted([*(name for kind in kinds for name in kind), "users", "life"]) == sorted(
        each.name for each in fields(Counts)
    )


@given(COUNTS)
def test_a_copy_is_equal_and_shares_nothing(counts: Counts) -> None:
    again, before = counts.copy(), counts.copy()
    assert again == counts
    again.absorb(counted([outcome(status=500, user=7, exposed=True)]))
    again.failed.absorb(counted([outcome(status=500)]).failed)
    assert counts == before


def test_what_the_coin_meant_is_answered_or_diverted_and_never_excluded() -> None:
    counts = counted([outcome(), outcome(), outcome(status=500), outcome(ending="client-left")])
    counts.record(outcome(drawn=False))
    counts.divert(0, drawn=True)
    counts.divert(0, drawn=False)
    assert (counts.drawn_bad, counts.drawn_good, counts.drawn_meant) == (2, 2, 4)


def test_a_drawn_success_is_counted_once_everywhere() -> None:
    counts = counted([outcome()])
    assert (counts.drawn, counts.pinned) == ({"success": 1}, {})
    assert (counts.requests, counts.successes, counts.failures, counts.excluded) == (1, 1, 0, 0)
    assert counts.codes == {("GET", 200): 1}
    assert counts.errors == counts.taken_over == counts.labels == {}
    assert (counts.head.nanoseconds, counts.total.nanoseconds) == (20_000_000, 30_000_000)


@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize(
    ("ending", "status", "result", "errors"),
    [
        ("complete", 200, "success", {}),
        ("complete", 500, "failure", {}),
        ("connect", 502, "failure", {"connect": 1}),
        ("truncated", 200, "failure", {"truncated": 1}),
        ("refused", 503, "failure", {"refused": 1}),
        ("refused", 400, "excluded", {}),
        ("client-left", 0, "excluded", {}),
    ],
)
def test_each_result_has_its_place_drawn_or_pinned(
    ending: str, status: int, result: str, errors: dict[str, int], drawn: bool
) -> None:
    counts = counted([outcome(ending=ending, status=status, drawn=drawn)])
    place, other = (counts.drawn, counts.pinned) if drawn else (counts.pinned, counts.drawn)
    assert (place, other) == ({result: 1}, {})
    assert counts.errors == errors
    assert counts.codes == {("GET", status): 1}


def test_excluded_exchanges_are_in_total_and_codes_only() -> None:
    counts = counted([outcome(ending="client-left", head=0.01)])
    assert counts.requests == 0
    assert counts.head == Histogram()
    assert counts.total.count == 1


def test_no_head_no_time_to_it() -> None:
    assert counted([outcome(ending="connect", status=502, head=None)]).head == Histogram()


def test_what_neither_coin_nor_pin_brought_has_a_place_of_its_own_and_is_counted_with_the_others() -> None:
    counts = counted([outcome(drawn=False, taken_over=True), outcome(), outcome(drawn=False)])
    assert counts.drawn == counts.pinned == counts.taken_over == {"success": 1}
    assert counts.requests == counts.successes == 3


@pytest.mark.parametrize(
    ("head", "thresholds", "labels"),
    [
        (0.02, (), {}),
        (0.02, (0.05,), {8: 1}),
        (0.05, (0.05,), {8: 1}),
        (0.06, (0.05,), {9: 1}),
        (0.02, (0.01, 0.1), {17: 1}),
        (0.02, THRESHOLDS, {25: 1}),
        (5.0, THRESHOLDS, {27: 1}),
        (None, THRESHOLDS, {}),
    ],
)
def test_a_drawn_success_is_compared_with_the_thresholds(
    head: float | None, thresholds: tuple[float, ...], labels: dict[int, int]
) -> None:
    assert counted([outcome(head=head, thresholds=thresholds)]).labels == labels


@pytest.mark.parametrize(
    "more",
    [
        {"drawn": False},
        {"drawn": False, "taken_over": True},
        {"ending": "truncated"},
        {"status": 500},
        {"ending": "client-left"},
        {"overdue": True},
    ],
)
def test_nothing_else_is_compared(more: dict[str, int | str]) -> None:
    assert counted([outcome(thresholds=THRESHOLDS, head=5.0, **more)]).labels == {}


@pytest.mark.parametrize(
    ("more", "events"),
    [
        ({}, []),
        ({"head": 0.005}, []),
        ({"head": 0.02}, [(77, 2)]),
        ({"head": 0.2}, [(77, 6)]),
        ({"head": 2.0}, [(77, 14)]),
        ({"head": 2.0, "user": 0}, []),
        ({"head": 2.0, "drawn": False}, []),
        ({"head": 2.0, "overdue": True}, []),
        ({"status": 500}, [(77, 1)]),
        ({"status": 500, "head": 2.0, "overdue": True}, [(77, 1)]),
        ({"status": 500, "user": 0}, []),
        ({"status": 500, "drawn": False}, []),
        ({"ending": "client-left"}, []),
    ],
)
def test_users_are_noted_for_failures_and_slow_answers_that_the_coin_brought(
    more: dict[str, float | str], events: list[tuple[int, int]]
) -> None:
    values = {"user": 77, "thresholds": THRESHOLDS, "head": 0.001} | more
    assert counted([outcome(**values)]).users.events == events


def test_one_that_falls_overdue_is_labelled_then_and_not_when_it_ends() -> None:
    counts = Counts(in_flight=1)
    counts.fall_overdue(THRESHOLDS, 77)
    assert (counts.labels, counts.overdue, counts.users.events) == ({28: 1}, 1, [(77, 14)])
    last = outcome(ending="client-left", overdue=True, thresholds=THRESHOLDS, user=77)
    counts.end(last)
    counts.record(last)
    assert (counts.labels, counts.overdue, counts.users.events) == ({28: 1}, 0, [(77, 14)])
    assert (counts.in_flight, counts.excluded) == (0, 1)


def test_one_that_falls_overdue_without_a_user_is_in_no_log() -> None:
    counts = Counts()
    counts.fall_overdue(THRESHOLDS, 0)
    assert counts.users.events == []


def test_diverted_requests_are_counted_by_what_meant_them() -> None:
    counts = Counts()
    counts.divert(0, drawn=True)
    counts.divert(77, drawn=True)
    counts.divert(78, drawn=False)
    assert (counts.diverted, counts.pins_diverted, counts.users.events) == (2, 1, [(77, 1)])


@pytest.mark.parametrize(
    ("more", "harmed"),
    [
        ({}, 0),
        ({"status": 500}, 1),
        ({"status": 500, "drawn": False}, 1),
        ({"status": 500, "passed_on": True}, 0),
        ({"status": 500, "drawn": False, "taken_over": True}, 1),
        ({"status": 500, "drawn": False, "taken_over": True, "rescue_of": KEY}, 0),
        ({"ending": "client-left"}, 0),
        ({"ending": "halted", "status": 503}, 1),
        ({"ending": "halted", "status": 200}, 1),
        ({"ending": "halted", "status": 0, "passed_on": True}, 0),
        ({"ending": "halted", "status": 101}, 0),
        ({"ending": "refused", "status": 413}, 0),
    ],
)
def test_a_bad_answer_harms_once(more: dict[str, int | str | tuple[str, int, str]], harmed: int) -> None:
    assert counted([outcome(key=STABLE, **more)]).harmed == harmed


@pytest.mark.parametrize(
    ("rescue", "told"),
    [
        ({}, (1, 0, 0)),
        ({"status": 500}, (0, 1, 0)),
        ({"ending": "client-left"}, (0, 0, 0)),
        ({"ending": "client-left", "gave_up": True}, (0, 0, 1)),
    ],
)
def test_a_rescue_is_counted_where_the_request_failed_first(
    rescue: dict[str, Any], told: tuple[int, int, int]
) -> None:
    counts = Counts()
    counts.settle_rescue(outcome(key=STABLE, rescue_of=KEY, **rescue))
    assert (counts.rescued, counts.harmed, counts.gave_up) == told
    assert counts.harm == told[1] + told[2]


@pytest.mark.parametrize(
    ("more", "cut"),
    [
        ({"ending": "truncated"}, 1),
        ({"ending": "timeout"}, 1),
        ({"ending": "timeout", "status": 504, "head": None}, 0),
        ({"ending": "halted"}, 1),
        ({"ending": "halted", "status": 101}, 0),
        ({"ending": "client-left"}, 0),
        ({"status": 503, "passed_on": True}, 0),
        ({"status": 503}, 0),
    ],
)
def test_an_answer_that_broke_off_within_is_cut(more: dict[str, Any], cut: int) -> None:
    assert counted([outcome(**more)]).cut == cut


def test_exposed_users_are_counted_once_each() -> None:
    users = [n * 0x9E3779B97F4A7C15 % 2**64 for n in (1, 2, 1)]
    counts = counted([outcome(user=user, exposed=True) for user in users] + [outcome(user=5)])
    assert counts.exposed.estimate() == 2


def test_failed_requests_are_listed_with_their_numbers_folded() -> None:
    bad = [outcome(status=500, route=b"/order/%d" % n) for n in range(3)]
    counts = counted([*bad, outcome(route=b"/fine"), outcome(ending="client-left")])
    assert counts.failed.counts == {("GET", "/order/#", 500): 3}


def test_slow_and_timely_are_counted_of_those_that_had_the_threshold() -> None:
    counts = counted([outcome(head=0.02, thresholds=each) for each in ((0.01,), THRESHOLDS, ())])
    counts.fall_overdue(THRESHOLDS, 0)
    assert [counts.slow(n) for n in range(3)] == [3, 1, 1]
    assert [counts.timely(n) for n in range(3)] == [0, 1, 1]


@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize(
    ("ending", "late", "abandoned"),
    [("client-left", True, 1), ("client-left", False, 0), ("complete", True, 0)],
)
def test_one_that_was_overdue_when_its_client_went_away_is_abandoned(
    ending: str, late: bool, abandoned: int, drawn: bool
) -> None:
    counts = Counts(in_flight=1)
    if late:
        counts.fall_overdue(THRESHOLDS if drawn else (), 0)
    assert (counts.overdue, bool(counts.labels)) == (int(late), late and drawn)
    result = "success" if ending == "complete" else "excluded"
    left = Outcome(("shop", 7, "canary"), "GET", 0, ending, result, drawn, None, 1.0, overdue=late)
    left.gave_up = late and ending == "client-left"
    counts.end(left)
    counts.record(left)
    assert (counts.abandoned, counts.harm, counts.overdue) == (abandoned, abandoned, 0)


@pytest.mark.parametrize(("status", "ending"), [(0, "halted"), (503, "complete"), (504, "timeout")])
def test_an_attempt_that_was_passed_on_is_no_request_of_a_client(status: int, ending: str) -> None:
    counts = counted([outcome(status=status, ending=ending, passed_on=True)])
    assert (counts.codes, counts.total.count) == ({}, 0)
    assert sum(counts.drawn.values()) == 1


@given(COUNTS, COUNTS)
def test_plus_then_minus_is_where_it_began(some: Counts, more: Counts) -> None:
    before = some.copy()
    both = some.plus(more)
    assert both.requests == some.requests + more.requests
    assert events(both.minus(events(more))) == events(some)
    assert events(both.minus(events(some))) == events(more)
    assert some == before


@given(st.lists(OUTCOMES, max_size=10), st.lists(OUTCOMES, max_size=10))
def test_plus_is_counting_both(some: list[Outcome], more: list[Outcome]) -> None:
    assert counted(some).plus(counted(more)) == counted(some + more)


@given(COUNTS, COUNTS)
def test_a_sum_takes_events_in_and_gives_them_back_and_leaves_the_rest_alone(
    some: Counts, more: Counts
) -> None:
    total, users, failed = some.copy(), some.users.since(0), some.failed.copy()
    total.absorb(more)
    assert (total.users, total.failed) == (users, failed)
    assert events(total) == events(some.plus(more))
    assert total.exposed == some.plus(more).exposed, "users are united"
    total.shed(more)
    assert events(total) == events(some)


@given(COUNTS, st.lists(OUTCOMES, min_size=1, max_size=5))
def test_minus_what_is_more_is_a_value_error(some: Counts, more: list[Outcome]) -> None:
    with pytest.raises(ValueError):
        some.minus(some.plus(counted(more)))


@given(st.lists(OUTCOMES, max_size=10), st.lists(OUTCOMES, max_size=10))
def test_a_difference_is_what_came_since_and_keeps_the_newer_state(
    some: list[Outcome], more: list[Outcome]
) -> None:
    earlier, later = counted(some), counted(some + more)
    for mark in (earlier, earlier.mark(), counts_json.from_json(counts_json.to_json(earlier.mark()))):
        delta = later.minus(mark)
        assert events(delta) == events(counted(more))
        assert (delta.users.events, delta.users.gap) == (counted(more).users.events, False)
        assert (delta.exposed, delta.failed) == (later.exposed, later.failed)
        assert delta.users.start == earlier.users.end


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_of_its_own_comes_apart_as_well(name: str) -> None:
    some, more = Counts(**{name: 2}), Counts(**{name: 5})
    assert more.minus(some) == Counts(**{name: 3})
    with pytest.raises(ValueError, match=f"5 {name} were to be subtracted, of 2"):
        some.minus(more)


def test_a_mark_holds_no_user() -> None:
    mark = counted([outcome(status=500, user=77, exposed=True)] * 3).mark()
    assert (mark.users.events, mark.users.end, mark.exposed.estimate()) == ([], 3, 0)


def test_a_gauge_is_added_up_over_workers_but_neither_differenced_nor_accumulated() -> None:
    earlier, later = Counts(in_flight=5, overdue=1), Counts(in_flight=2, overdue=3)
    assert (earlier.plus(later).in_flight, earlier.plus(later).overdue) == (7, 4)
    assert (later.minus(earlier).in_flight, later.minus(earlier).overdue) == (2, 3)
    earlier.absorb(later)
    assert (earlier.in_flight, earlier.overdue) == (5, 1)
    earlier.shed(later)
    assert (earlier.in_flight, earlier.overdue) == (5, 1)


def test_nothing_is_subtracted_from_another_life() -> None:
    old, new = counted([outcome()] * 3), counted([outcome()] * 2)
    old.life, new.life = 1, 2
    assert new.minus(old) == counted([outcome()] * 2)
    assert new.minus(Counts()) == counted([outcome()] * 2)


def test_the_events_of_another_life_are_all_new_unless_some_were_lost() -> None:
    old, new = (Counts(life=life, users=Users(start, [(7, 1)])) for life, start in ((1, 900), (2, 0)))
    assert new.minus(old).users == Users(0, [(7, 1)])
    assert old.minus(new).users == Users(900, [(7, 1)], gap=True)


def test_a_sum_and_a_difference_are_no_life() -> None:
    assert Counts(life=3).plus(Counts(life=4)).life == 0
    assert Counts(life=3).minus(Counts(life=3)).life == 0
