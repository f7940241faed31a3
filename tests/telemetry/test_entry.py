"""What one exchange adds to an entry: each outcome has its places, and no other."""

import pytest
from outcomes import KEY, STABLE, THRESHOLDS, counted, outcome

from proxy.telemetry.entry import Entry
from proxy.telemetry.histogram import Histogram
from proxy.telemetry.outcome import Outcome


def test_a_drawn_success_is_counted_once_everywhere():
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
def test_each_result_has_its_place_drawn_or_pinned(ending, status, result, errors, drawn):
    counts = counted([outcome(ending=ending, status=status, drawn=drawn)])
    place, other = (counts.drawn, counts.pinned) if drawn else (counts.pinned, counts.drawn)
    assert (place, other) == ({result: 1}, {})
    assert counts.errors == errors
    assert counts.codes == {("GET", status): 1}


def test_excluded_exchanges_are_in_total_and_codes_only():
    counts = counted([outcome(ending="client-left", head=0.01)])
    assert counts.requests == 0
    assert counts.head == Histogram()
    assert counts.total.count == 1


def test_no_head_no_time_to_it():
    assert counted([outcome(ending="connect", status=502, head=None)]).head == Histogram()


def test_what_neither_coin_nor_pin_brought_has_a_place_of_its_own_and_is_counted_with_the_others():
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
def test_a_drawn_success_is_compared_with_the_thresholds(head, thresholds, labels):
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
def test_nothing_else_is_compared(more):
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
def test_users_are_noted_for_failures_and_slow_answers_that_the_coin_brought(more, events):
    values = {"user": 77, "thresholds": THRESHOLDS, "head": 0.001} | more
    assert counted([outcome(**values)]).users.events == events


def test_one_that_falls_overdue_is_labelled_then_and_not_when_it_ends():
    entry = Entry(in_flight=1)
    entry.fall_overdue(THRESHOLDS, 77)
    assert (entry.labels, entry.overdue, entry.users.events) == ({28: 1}, 1, [(77, 14)])
    last = outcome(ending="client-left", overdue=True, thresholds=THRESHOLDS, user=77)
    entry.end(last)
    entry.record(last)
    assert (entry.labels, entry.overdue, entry.users.events) == ({28: 1}, 0, [(77, 14)])
    assert (entry.in_flight, entry.excluded) == (0, 1)


def test_one_that_falls_overdue_without_a_user_is_in_no_log():
    entry = Entry()
    entry.fall_overdue(THRESHOLDS, 0)
    assert entry.users.events == []


def test_diverted_requests_are_counted_by_what_meant_them():
    entry = Entry()
    entry.divert(0, drawn=True)
    entry.divert(77, drawn=True)
    entry.divert(78, drawn=False)
    assert (entry.diverted, entry.pins_diverted, entry.users.events) == (2, 1, [(77, 1)])


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
    ],
)
def test_a_bad_answer_harms_once(more, harmed):
    assert counted([outcome(key=STABLE, **more)]).harmed == harmed


@pytest.mark.parametrize(("result", "told"), [("success", (1, 0)), ("failure", (0, 1)), ("excluded", (0, 0))])
def test_a_rescue_is_counted_where_the_request_failed_first(result, told):
    entry = Entry()
    entry.settle_rescue(result)
    assert (entry.rescued, entry.harmed) == told


def test_exposed_users_are_counted_once_each():
    users = [n * 0x9E3779B97F4A7C15 % 2**64 for n in (1, 2, 1)]
    counts = counted([outcome(user=user, exposed=True) for user in users] + [outcome(user=5)])
    assert counts.exposed.estimate() == 2


def test_failed_requests_are_listed_with_their_numbers_folded():
    bad = [outcome(status=500, route=b"/order/%d" % n) for n in range(3)]
    counts = counted([*bad, outcome(route=b"/fine"), outcome(ending="client-left")])
    assert counts.failed.counts == {("GET", "/order/#", 500): 3}


def test_slow_and_timely_are_counted_of_those_that_had_the_threshold():
    entry = counted([outcome(head=0.02, thresholds=each) for each in ((0.01,), THRESHOLDS, ())])
    entry.fall_overdue(THRESHOLDS, 0)
    assert [entry.slow(n) for n in range(3)] == [3, 1, 1]
    assert [entry.timely(n) for n in range(3)] == [0, 1, 1]


@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize(
    ("ending", "late", "abandoned"),
    [("client-left", True, 1), ("client-left", False, 0), ("halted", True, 0), ("complete", True, 0)],
)
def test_one_that_was_overdue_when_its_client_went_away_is_abandoned(ending, late, abandoned, drawn):
    entry = Entry(in_flight=1)
    if late:
        entry.fall_overdue(THRESHOLDS if drawn else (), 0)
    assert (entry.overdue, bool(entry.labels)) == (int(late), late and drawn)
    result = "success" if ending == "complete" else "excluded"
    left = Outcome(("shop", 7, "canary"), "GET", 200, ending, result, drawn, None, 1.0, overdue=late)
    entry.end(left)
    entry.record(left)
    assert (entry.abandoned, entry.overdue) == (abandoned, 0)


@pytest.mark.parametrize(
    ("status", "passed_on", "codes"),
    [(0, True, {}), (503, True, {("GET", 503): 1}), (0, False, {("GET", 0): 1})],
)
def test_an_attempt_that_was_passed_on_without_a_status_has_no_code(status, passed_on, codes):
    entry = Entry()
    ending = "halted" if not status else "complete"
    result = "failure" if status else "excluded"
    entry.record(
        Outcome(("shop", 7, "canary"), "GET", status, ending, result, True, None, 1.0, passed_on=passed_on)
    )
    assert entry.codes == codes, "499 means that the client left"
