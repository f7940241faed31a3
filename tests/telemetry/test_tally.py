"""The tally: what is reported when, and that control adds up the same whatever happens to reports."""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from proxy.telemetry import users
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import Outcome
from proxy.telemetry.tally import Tally
from tests.telemetry.outcomes import KEY, OUTCOMES, STABLE, THRESHOLDS, events, outcome


def test_begin_opens_and_add_closes() -> None:
    tally = Tally("b1")
    tally.begin(KEY)
    tally.begin(KEY)
    tally.add(outcome())
    [counts] = tally.changed().values()
    assert (counts.in_flight, counts.requests) == (1, 1)


def test_an_outcome_that_never_began_is_counted_and_the_gauge_stays_at_zero() -> None:
    tally = Tally("b1")
    tally.add(outcome())
    tally.add(outcome())
    [counts] = tally.changed().values()
    assert (counts.in_flight, counts.requests) == (0, 2)


def test_only_what_changed_is_reported_and_each_report_has_a_number() -> None:
    tally, other = Tally("b1"), ("shop", 7, "stable")
    tally.begin(KEY)
    tally.begin(other)
    assert tally.changed().keys() == {KEY, other}
    assert (tally.changed(), tally.number) == ({}, 2)
    tally.add(outcome())
    assert (tally.changed().keys(), tally.number) == ({KEY}, 3)
    assert (tally.everything().keys(), tally.number) == ({KEY, other}, 4)
    assert tally.changed() == {}


def test_a_report_is_a_picture_that_later_counting_leaves_alone() -> None:
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
def test_a_failure_is_urgent_until_it_is_reported(ending: str, status: int, urgent: bool) -> None:
    tally = Tally("b1")
    tally.add(outcome(ending=ending, status=status))
    assert tally.urgent is urgent
    tally.changed()
    assert tally.urgent is False


def test_only_closed_entries_of_other_revisions_are_droppable() -> None:
    tally, old, gone, current = Tally("b1"), ("shop", 6, "canary"), ("blog", 1, "stable"), KEY
    for key in (old, gone, current):
        tally.begin(key)
    assert tally.droppable({"shop": 7}) == []
    for key in (old, gone, current):
        tally.add(outcome(key))
    assert tally.droppable({"shop": 7}) == [old, gone]


def test_an_acknowledged_entry_is_forgotten() -> None:
    tally = Tally("b1")
    tally.add(outcome())
    tally.changed()
    tally.forget([KEY, ("nobody", 1, "stable")], 1)
    assert tally.everything() == {}


def test_an_open_entry_is_kept() -> None:
    tally = Tally("b1")
    tally.begin(KEY)
    tally.changed()
    tally.forget([KEY], 1)
    assert tally.everything()[KEY].in_flight == 1


def test_an_entry_that_changed_since_the_acknowledged_report_is_kept() -> None:
    tally = Tally("b1")
    tally.add(outcome())
    tally.changed()
    tally.add(outcome())
    tally.forget([KEY], 1)
    assert tally.changed()[KEY].requests == 2
    tally.forget([KEY], 1)  # the change is reported, but report 2 isn't acknowledged
    assert tally.everything()[KEY].requests == 2


def test_a_late_outcome_of_a_forgotten_key_begins_a_new_life() -> None:
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


def test_its_repr_tells_its_state() -> None:
    tally = Tally("b1")
    tally.begin(KEY)
    assert repr(tally) == "<Tally b1 report 0: 1 entries, 1 unreported, 1 in flight>"


def test_one_that_is_overdue_is_told_at_once_and_its_end_takes_it_down() -> None:
    tally = Tally("b1")
    tally.begin(KEY)
    tally.changed()
    tally.overdue(KEY, THRESHOLDS, 77)
    assert tally.urgent
    [counts] = tally.changed().values()
    assert (counts.overdue, counts.labels, counts.users.events) == (1, {28: 1}, [(77, 14)])
    tally.add(outcome(overdue=True, thresholds=THRESHOLDS, user=77))
    [counts] = tally.changed().values()
    assert (counts.overdue, counts.labels, counts.users.events) == (0, {28: 1}, [])


@pytest.mark.parametrize(("drawn", "counted"), [(True, (1, 0)), (False, (0, 1))])
def test_a_diverted_request_is_told_at_once_under_the_backend_that_was_meant(
    drawn: bool, counted: tuple[int, int]
) -> None:
    tally = Tally("b1")
    tally.divert(KEY, 0, drawn=drawn)
    assert tally.urgent
    [(key, counts)] = tally.changed().items()
    assert (key, counts.in_flight, counts.requests) == (KEY, 0, 0)
    assert (counts.diverted, counts.pins_diverted) == counted


def test_an_ejection_is_told_with_the_next_report_even_when_nothing_else_is_new() -> None:
    tally = Tally("b1")
    tally.add(outcome())
    tally.changed()
    tally.eject(KEY)
    assert not tally.urgent
    assert {key: counts.ejections for key, counts in tally.changed().items()} == {KEY: 1}


def test_a_rescue_is_told_of_both_backends() -> None:
    tally = Tally("b1")
    tally.add(outcome(status=500, passed_on=True))
    tally.changed()
    tally.add(outcome(key=STABLE, drawn=False, taken_over=True, rescue_of=KEY))
    report = tally.changed()
    assert report.keys() == {KEY, STABLE}
    assert (report[KEY].rescued, report[KEY].harmed, report[KEY].failures) == (1, 0, 1)
    assert (report[STABLE].taken_over, report[STABLE].harmed) == ({"success": 1}, 0)


def test_a_rescue_that_fails_harms_where_the_request_failed_first() -> None:
    tally = Tally("b1")
    tally.add(outcome(key=STABLE, status=500, drawn=False, taken_over=True, rescue_of=KEY))
    report = tally.changed()
    assert (report[KEY].harmed, report[STABLE].harmed) == (1, 0)


def test_a_report_holds_the_users_since_the_one_before_and_everything_all_that_are_kept() -> None:
    tally = Tally("b1")
    tally.add(outcome(status=500, user=1))
    assert tally.changed()[KEY].users == users.Users(0, [(1, 1)])
    tally.add(outcome())
    assert tally.changed()[KEY].users == users.Users(1)
    tally.add(outcome(status=500, user=2))
    assert tally.changed()[KEY].users == users.Users(1, [(2, 1)])
    assert tally.everything()[KEY].users == users.Users(0, [(1, 1), (2, 1)])
    tally.add(outcome(status=500, user=3))
    assert tally.changed()[KEY].users == users.Users(2, [(3, 1)])


def test_a_log_that_began_anew_is_reported_from_its_beginning() -> None:
    tally = Tally("b1")
    tally.add(outcome(status=500, user=1))
    tally.changed()
    tally.forget([KEY], 1)
    tally.add(outcome(status=500, user=2))
    assert tally.changed()[KEY].users == users.Users(0, [(2, 1)])


class Link(RuleBasedStateMachine):
    """A worker's tally and a control that takes differences. The link loses, repeats and reorders reports and
    acknowledgements, and the worker forgets whatever key it is told to.

    Control acknowledges a report when it has it and all before it, or when it is one of everything.
    """

    KEYS = tuple(("shop", revision, backend) for revision in (1, 2) for backend in ("stable", "canary"))

    def __init__(self) -> None:
        super().__init__()
        self.tally = Tally("b1")
        self.truth = Counts()
        self.heard = Counts().users
        self.open = []
        self.late = []
        self.sent = []
        self.acknowledged = 0
        self.whole = 0
        self.last = 0
        self.marks = {}
        self.totals = Counts()

    @rule(key=st.sampled_from(KEYS))
    def begin(self, key: tuple[str, int, str]) -> None:
        self.tally.begin(key)
        self.open.append(key)

    @rule(data=st.data(), like=OUTCOMES)
    def end(self, data: Any, like: Outcome) -> None:
        if self.open:
            key = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
            self.finish(key, like, overdue=False)

    @rule(data=st.data())
    def falls_overdue(self, data: Any) -> None:
        if self.open:
            key = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
            self.late.append(key)
            self.tally.overdue(key, THRESHOLDS, 77)
            self.truth.fall_overdue(THRESHOLDS, 77)

    @rule(data=st.data(), like=OUTCOMES)
    def late_one_ends(self, data: Any, like: Outcome) -> None:
        if self.late:
            key = self.late.pop(data.draw(st.integers(0, len(self.late) - 1)))
            self.finish(key, like, overdue=True)

    @rule(key=st.sampled_from(KEYS), user=st.integers(0, 2), drawn=st.booleans())
    def divert(self, key: tuple[str, int, str], user: int, drawn: bool) -> None:
        self.tally.divert(key, user, drawn=drawn)
        self.truth.divert(user, drawn=drawn)

    @rule(key=st.sampled_from(KEYS))
    def eject(self, key: tuple[str, int, str]) -> None:
        self.tally.eject(key)
        self.truth.ejections += 1

    def finish(self, key: tuple[str, int, str], like: Outcome, *, overdue: bool) -> None:
        values = {name: getattr(like, name) for name in Outcome.__slots__[1:]} | {"overdue": overdue}
        ended = Outcome(key, **values)
        self.tally.add(ended)
        self.truth.record(ended)
        if ended.rescue_of:
            self.truth.settle_rescue(ended)

    @rule(everything=st.booleans())
    def report(self, everything: bool) -> None:
        entries = self.tally.everything() if everything else self.tally.changed()
        self.sent.append((self.tally.number, entries, everything))

    @rule(data=st.data())
    def deliver_any_report_any_number_of_times(self, data: Any) -> None:
        if self.sent:
            self.take(*data.draw(st.sampled_from(self.sent)))

    @rule(keys=st.sets(st.sampled_from(KEYS)))
    def acknowledge(self, keys: set[tuple[str, int, str]]) -> None:
        self.tally.forget(keys, self.acknowledged)

    @rule()
    def acknowledgement_travels(self) -> None:
        self.acknowledged = self.whole

    @rule()
    def connect_again(self) -> None:
        """A report may have been lost with the old connection: the first one on the new says everything."""
        self.report(everything=True)
        self.take(*self.sent[-1])

    def take(self, number: int, entries: dict[tuple[str, int, str], Counts], everything: bool) -> None:
        """What control does with a report."""
        if number <= self.last:
            return
        self.last = number
        if everything or number == self.whole + 1:
            self.whole = number
        for key, counts in entries.items():
            delta = counts.minus(self.marks.get(key, Counts()))
            self.totals.absorb(delta)
            self.heard = self.heard.plus(delta.users)
            self.marks[key] = counts.mark()

    @invariant()
    def control_never_has_more_than_there_was(self) -> None:
        events(self.truth).minus(events(self.totals))
        assert len(self.heard.events) <= len(self.truth.users.events)

    def teardown(self) -> None:
        self.connect_again()
        assert events(self.totals) == events(self.truth)
        assert self.totals.exposed == self.truth.exposed
        # A report that is lost on a connection that goes on, which a stream never does, leaves a gap.
        if not self.heard.gap:
            assert sorted(self.heard.events) == sorted(self.truth.users.events)
        left = self.tally.everything().values()
        assert sum(counts.in_flight for counts in left) == len(self.open) + len(self.late)
        assert sum(counts.overdue for counts in left) == len(self.late)


TestLink = Link.TestCase


def test_a_tunnel_is_open_until_its_exchange_ends() -> None:
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
