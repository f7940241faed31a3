"""Counts add up and come apart again, each part in its way, and survive JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcomes import COUNTS, OUTCOMES, counted, events, outcome

from proxy.telemetry.counts import Counts
from proxy.telemetry.users import Users


@given(COUNTS, COUNTS)
def test_plus_then_minus_is_where_it_began(some, more):
    before = some.copy()
    both = some.plus(more)
    assert both.requests == some.requests + more.requests
    assert events(both.minus(events(more))) == events(some)
    assert events(both.minus(events(some))) == events(more)
    assert some == before


@given(st.lists(OUTCOMES, max_size=10), st.lists(OUTCOMES, max_size=10))
def test_plus_is_counting_both(some, more):
    assert counted(some).plus(counted(more)) == counted(some + more)


@given(COUNTS, COUNTS)
def test_a_sum_takes_events_in_and_gives_them_back_and_leaves_the_rest_alone(some, more):
    total, users, failed = some.copy(), some.users.since(0), some.failed.copy()
    total.absorb(more)
    assert (total.users, total.failed) == (users, failed)
    assert events(total) == events(some.plus(more))
    assert total.exposed == some.plus(more).exposed, "users are united"
    total.shed(more)
    assert events(total) == events(some)


@given(COUNTS, st.lists(OUTCOMES, min_size=1, max_size=5))
def test_minus_what_is_more_is_a_value_error(some, more):
    with pytest.raises(ValueError):
        some.minus(some.plus(counted(more)))


@given(st.lists(OUTCOMES, max_size=10), st.lists(OUTCOMES, max_size=10))
def test_a_difference_is_what_came_since_and_keeps_the_newer_state(some, more):
    earlier, later = counted(some), counted(some + more)
    for mark in (earlier, earlier.mark(), Counts.from_json(earlier.mark().to_json())):
        delta = later.minus(mark)
        assert events(delta) == events(counted(more))
        assert (delta.users.events, delta.users.gap) == (counted(more).users.events, False)
        assert (delta.exposed, delta.failed) == (later.exposed, later.failed)
        assert delta.users.start == earlier.users.end


@pytest.mark.parametrize("name", ["diverted", "pins_diverted", "rescued", "harmed", "ejections"])
def test_a_number_of_its_own_comes_apart_as_well(name):
    some, more = Counts(**{name: 2}), Counts(**{name: 5})
    assert more.minus(some) == Counts(**{name: 3})
    with pytest.raises(ValueError, match=f"5 {name} were to be subtracted, of 2"):
        some.minus(more)


def test_a_mark_holds_no_user():
    mark = counted([outcome(status=500, user=77, exposed=True)] * 3).mark()
    assert (mark.users.events, mark.users.end, mark.exposed.estimate()) == ([], 3, 0)


def test_a_gauge_is_added_up_over_workers_but_neither_differenced_nor_accumulated():
    earlier, later = Counts(in_flight=5, overdue=1), Counts(in_flight=2, overdue=3)
    assert (earlier.plus(later).in_flight, earlier.plus(later).overdue) == (7, 4)
    assert (later.minus(earlier).in_flight, later.minus(earlier).overdue) == (2, 3)
    earlier.absorb(later)
    assert (earlier.in_flight, earlier.overdue) == (5, 1)
    earlier.shed(later)
    assert (earlier.in_flight, earlier.overdue) == (5, 1)


def test_nothing_is_subtracted_from_another_life():
    old, new = counted([outcome()] * 3), counted([outcome()] * 2)
    old.life, new.life = 1, 2
    assert new.minus(old) == counted([outcome()] * 2)
    assert new.minus(Counts()) == counted([outcome()] * 2)


def test_the_events_of_another_life_are_all_new_unless_some_were_lost():
    old, new = (Counts(life=life, users=Users(start, [(7, 1)])) for life, start in ((1, 900), (2, 0)))
    assert new.minus(old).users == Users(0, [(7, 1)])
    assert old.minus(new).users == Users(900, [(7, 1)], gap=True)


def test_a_sum_and_a_difference_are_no_life():
    assert Counts(life=3).plus(Counts(life=4)).life == 0
    assert Counts(life=3).minus(Counts(life=3)).life == 0


@given(COUNTS, st.integers(0, 9), st.integers(0, 9))
def test_json_round_trip(counts, in_flight, life):
    counts.in_flight, counts.overdue, counts.life = in_flight, in_flight // 2, life
    assert Counts.from_json(json.loads(json.dumps(counts.to_json()))) == counts


def test_json_is_small():
    counts = counted([outcome(head=0.02 * 1.1 ** (n % 10), total=0.03) for n in range(1000)])
    assert len(json.dumps(counts.to_json(), separators=(",", ":"))) < 300


@pytest.mark.parametrize(
    "change",
    [
        {"open": -1},
        {"open": None},
        {"life": True},
        {"drawn": {"succes": 1}},
        {"pinned": {"failure": -1}},
        {"errors": {"bang": 1}},
        {"codes": [["GET", 200, -1]]},
        {"codes": [["GET", "200", 1]]},
        {"codes": [["GET", 200]]},
        {"head": []},
        {"total": None},
        {"labels": [[7, 1]]},
        {"labels": [[20, 1]]},
        {"labels": [[8, -1]]},
        {"labels": 8},
        {"taken_over": {"won": 1}},
        {"diverted": -1},
        {"harmed": "1"},
        {"ejections": -1},
        {"overdue": None},
        {"users": [0, 7]},
        {"users": [-1]},
        {"exposed": "AAAA"},
        {"exposed": 7},
        {"failed": [["GET", "/", 500]]},
        {"failed": [["GET", "/", 500, -1]]},
    ],
)
def test_what_are_no_counts_is_an_error(change):
    data = Counts().to_json() | change
    with pytest.raises((ValueError, TypeError)):
        Counts.from_json(data)


@pytest.mark.parametrize("field", sorted(Counts().to_json()))
def test_a_missing_part_is_an_error(field):
    data = Counts().to_json()
    del data[field]
    with pytest.raises(KeyError):
        Counts.from_json(data)


def test_what_is_empty_is_left_out_and_older_counts_do_not_have_it():
    data = Counts(in_flight=2).to_json()
    assert data.keys() == {"drawn", "pinned", "codes", "errors", "head", "total", "open", "life"}
    assert Counts.from_json(data) == Counts(in_flight=2)


def test_json_is_small_with_everything_in_it():
    bad = [outcome(status=500, user=2**64 - n, exposed=True, thresholds=(0.1, 0.2, 0.3)) for n in range(20)]
    assert len(json.dumps(counted(bad).to_json(), separators=(",", ":"))) < 1000
