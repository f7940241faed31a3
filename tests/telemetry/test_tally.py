"""Counts and the tally: what is counted, and that control adds up the same whatever happens to reports."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from proxy.telemetry.histogram import Histogram
from proxy.telemetry.outcome import ENDINGS, Outcome, classify
from proxy.telemetry.tally import Counts, Tally

KEY = ("shop", 7, "canary")


def outcome(key=KEY, ending="complete", status=200, drawn=True, head=0.02, total=0.03, method="GET"):
    return Outcome(*key, method, status, ending, classify(ending, status), drawn, head, total)


OUTCOMES = st.builds(
    outcome,
    ending=st.sampled_from(ENDINGS),
    status=st.sampled_from([0, 200, 404, 500, 503]),
    drawn=st.booleans(),
    head=st.none() | st.floats(0, 10),
    total=st.floats(0, 10),
    method=st.sampled_from(["GET", "POST"]),
)


def counted(outcomes):
    counts = Counts()
    for each in outcomes:
        counts.record(each)
    return counts


COUNTS = st.lists(OUTCOMES, max_size=12).map(counted)


def test_a_drawn_success_is_counted_once_everywhere():
    counts = counted([outcome()])
    assert (counts.drawn, counts.pinned) == ({"success": 1}, {})
    assert (counts.requests, counts.successes, counts.failures, counts.excluded) == (1, 1, 0, 0)
    assert counts.codes == {("GET", 200): 1}
    assert counts.errors == {}
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


@given(COUNTS, COUNTS)
def test_plus_then_minus_is_where_it_began(some, more):
    before = some.copy()
    both = some.plus(more)
    assert both.requests == some.requests + more.requests
    assert both.minus(more) == some
    assert both.minus(some) == more
    assert some == before


@given(st.lists(OUTCOMES, max_size=10), st.lists(OUTCOMES, max_size=10))
def test_plus_is_counting_both(some, more):
    assert counted(some).plus(counted(more)) == counted(some + more)


@given(COUNTS, st.lists(OUTCOMES, min_size=1, max_size=5))
def test_minus_what_is_more_is_a_value_error(some, more):
    with pytest.raises(ValueError):
        some.minus(some.plus(counted(more)))


def test_a_gauge_is_added_up_over_workers_but_neither_differenced_nor_accumulated():
    earlier, later = Counts(in_flight=5), Counts(in_flight=2)
    assert earlier.plus(later).in_flight == 7
    assert later.minus(earlier).in_flight == 2
    earlier.absorb(later)
    assert earlier.in_flight == 5
    earlier.shed(later)
    assert earlier.in_flight == 5


def test_nothing_is_subtracted_from_another_life():
    old, new = counted([outcome()] * 3), counted([outcome()] * 2)
    old.life, new.life = 1, 2
    assert new.minus(old) == counted([outcome()] * 2)
    assert new.minus(Counts()) == counted([outcome()] * 2)


def test_a_sum_and_a_difference_are_no_life():
    assert Counts(life=3).plus(Counts(life=4)).life == 0
    assert Counts(life=3).minus(Counts(life=3)).life == 0


@given(COUNTS, st.integers(0, 9), st.integers(0, 9))
def test_json_round_trip(counts, in_flight, life):
    counts.in_flight, counts.life = in_flight, life
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
    ],
)
def test_what_are_no_counts_is_an_error(change):
    data = Counts().to_json() | change
    with pytest.raises((ValueError, TypeError)):
        Counts.from_json(data)


@pytest.mark.parametrize("field", sorted(Counts().to_json().keys() - {"tunnels"}))
def test_a_missing_part_is_an_error(field):
    data = Counts().to_json()
    del data[field]
    with pytest.raises(KeyError):
        Counts.from_json(data)


def test_begin_opens_and_add_closes():
    tally = Tally("b1")
    tally.begin(KEY)
    tally.begin(KEY)
    tally.add(outcome())
    [counts] = tally.changed().values()
    assert (counts.in_flight, counts.requests) == (1, 1)


def test_an_outcome_that_never_began_is_counted_and_the_gauge_stays_at_zero():
    tally = Tally("b1")
    tally.add(outcome())
    tally.add(outcome())
    [counts] = tally.changed().values()
    assert (counts.in_flight, counts.requests) == (0, 2)


def test_only_what_changed_is_reported_and_each_report_has_a_number():
    tally, other = Tally("b1"), ("shop", 7, "stable")
    tally.begin(KEY)
    tally.begin(other)
    assert tally.changed().keys() == {KEY, other}
    assert (tally.changed(), tally.number) == ({}, 2)
    tally.add(outcome())
    assert (tally.changed().keys(), tally.number) == ({KEY}, 3)
    assert (tally.everything().keys(), tally.number) == ({KEY, other}, 4)
    assert tally.changed() == {}


def test_a_report_is_a_picture_that_later_counting_leaves_alone():
    tally = Tally("b1")
    tally.add(outcome())
    report = tally.changed()
    tally.add(outcome(ending="connect", drawn=False))
    assert report[KEY].requests == 1
    assert report[KEY].pinned == report[KEY].errors == {}


@pytest.mark.parametrize(
    ("ending", "status", "urgent"),
    [("complete", 200, False), ("client-left", 0, False), ("complete", 500, True), ("reset", 502, True)],
)
def test_a_failure_is_urgent_until_it_is_reported(ending, status, urgent):
    tally = Tally("b1")
    tally.add(outcome(ending=ending, status=status))
    assert tally.urgent is urgent
    tally.changed()
    assert tally.urgent is False


def test_only_closed_entries_of_other_revisions_are_droppable():
    tally, old, gone, current = Tally("b1"), ("shop", 6, "canary"), ("blog", 1, "stable"), KEY
    for key in (old, gone, current):
        tally.begin(key)
    assert tally.droppable({"shop": 7}) == []
    for key in (old, gone, current):
        tally.add(outcome(key))
    assert tally.droppable({"shop": 7}) == [old, gone]


def test_an_acknowledged_entry_is_forgotten():
    tally = Tally("b1")
    tally.add(outcome())
    tally.changed()
    tally.forget([KEY, ("nobody", 1, "stable")], 1)
    assert tally.everything() == {}


def test_an_open_entry_is_kept():
    tally = Tally("b1")
    tally.begin(KEY)
    tally.changed()
    tally.forget([KEY], 1)
    assert tally.everything()[KEY].in_flight == 1


def test_an_entry_that_changed_since_the_acknowledged_report_is_kept():
    tally = Tally("b1")
    tally.add(outcome())
    tally.changed()
    tally.add(outcome())
    tally.forget([KEY], 1)
    assert tally.changed()[KEY].requests == 2
    tally.forget([KEY], 1)  # the change is reported, but report 2 isn't acknowledged
    assert tally.everything()[KEY].requests == 2


def test_a_late_outcome_of_a_forgotten_key_begins_a_new_life():
    tally = Tally("b1")
    for _ in range(3):
        tally.add(outcome())
    mark = tally.changed()[KEY]
    tally.forget([KEY], 1)
    tally.add(outcome(ending="reset"))
    reborn = tally.changed()[KEY]
    assert reborn.life != mark.life
    delta = reborn.minus(mark)
    assert (delta.requests, delta.failures) == (1, 1)


def test_its_repr_tells_its_state():
    tally = Tally("b1")
    tally.begin(KEY)
    assert repr(tally) == "<Tally b1 report 0: 1 entries, 1 unreported, 1 in flight>"


class Link(RuleBasedStateMachine):
    """A worker's tally and a control that takes differences. The link loses, repeats and reorders reports and
    acknowledgements, and the worker forgets whatever key it is told to.

    Control acknowledges a report when it has it and all before it, or when it is one of everything.
    """

    KEYS = tuple(("shop", revision, backend) for revision in (1, 2) for backend in ("stable", "canary"))

    def __init__(self):
        super().__init__()
        self.tally = Tally("b1")
        self.truth = Counts()
        self.open = []
        self.sent = []
        self.acknowledged = 0
        self.whole = 0
        self.last = 0
        self.marks = {}
        self.totals = Counts()

    @rule(key=st.sampled_from(KEYS))
    def begin(self, key):
        self.tally.begin(key)
        self.open.append(key)

    @rule(data=st.data(), like=OUTCOMES)
    def end(self, data, like):
        if self.open:
            key = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
            ended = Outcome(*key, *(getattr(like, name) for name in Outcome.__slots__[3:]))
            self.tally.add(ended)
            self.truth.record(ended)

    @rule(everything=st.booleans())
    def report(self, everything):
        entries = self.tally.everything() if everything else self.tally.changed()
        self.sent.append((self.tally.number, entries, everything))

    @rule(data=st.data())
    def deliver_any_report_any_number_of_times(self, data):
        if self.sent:
            self.take(*data.draw(st.sampled_from(self.sent)))

    @rule(keys=st.sets(st.sampled_from(KEYS)))
    def acknowledge(self, keys):
        self.tally.forget(keys, self.acknowledged)

    @rule()
    def acknowledgement_travels(self):
        self.acknowledged = self.whole

    @rule()
    def connect_again(self):
        """A report may have been lost with the old connection: the first one on the new says everything."""
        self.report(everything=True)
        self.take(*self.sent[-1])

    def take(self, number, entries, everything):
        """What control does with a report."""
        if number <= self.last:
            return
        self.last = number
        if everything or number == self.whole + 1:
            self.whole = number
        for key, counts in entries.items():
            self.totals.absorb(counts.minus(self.marks.get(key, Counts())))
            self.marks[key] = counts

    @invariant()
    def control_never_has_more_than_there_was(self):
        self.truth.minus(self.totals)

    def teardown(self):
        self.connect_again()
        assert self.totals == self.truth
        assert sum(counts.in_flight for counts in self.tally.everything().values()) == len(self.open)


TestLink = Link.TestCase


def test_counts_from_before_there_were_tunnels_have_none():
    data = Counts(in_flight=2).to_json()
    del data["tunnels"]
    assert Counts.from_json(data) == Counts(in_flight=2)


def test_a_tunnel_is_open_until_its_exchange_ends():
    tally = Tally("boot")
    key = KEY
    tally.begin(key)
    tally.begin(key)
    tally.changed()
    tally.switch(key)
    assert tally.changed()[key].tunnels == 1, "a change that has to be told by itself"
    tally.add(outcome(status=101))
    counts = tally.changed()[key]
    assert (counts.tunnels, counts.in_flight) == (0, 1)
    tally.add(outcome(status=200))
    assert tally.everything()[key].tunnels == 0
