from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.ledger.ledger import Kept
from proxy.ledger.totals import LIVELY, Totals
from proxy.link.messages import Report
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import COMPLETE, Outcome
from proxy.telemetry.tally import Tally
from tests.kits.properties import examples

CANARY = ("checkout", 1, "canary")


class Worker:
    """A tally, and what it would send."""

    def __init__(self, boot: str = "b1") -> None:
        self.tally = Tally(boot)

    def serve(self, key: tuple[str, int, str] = CANARY, count: int = 1, result: str = "success") -> "Worker":
        status = 200 if result == "success" else 500
        for _ in range(count):
            self.tally.begin(key)
            self.tally.add(Outcome(key, "GET", status, COMPLETE, result, True, 0.01, 0.02))
        return self

    def changed(self) -> Report:
        entries = self.tally.changed()
        return Report(self.tally.boot, self.tally.number, entries, 1)

    def everything(self) -> Report:
        entries = self.tally.everything()
        return Report(self.tally.boot, self.tally.number, entries, 1)


def requests(totals: Totals, connected: tuple[Any, ...] = ()) -> dict[tuple[str, str], int]:
    return {side: counts.requests for side, counts in totals.sums(connected)}


def news(deltas: list[tuple[tuple[str, int, str], Counts]]) -> list[tuple[tuple[str, int, str], int]]:
    return [(key, delta.requests) for key, delta in deltas]


class Disk:
    """What a ledger would remember."""

    def __init__(self) -> None:
        self.kept = Kept()

    def keep(self, kept: Kept) -> None:
        marks = {mark: counts for mark, counts in self.kept.marks.items() if mark not in kept.dropped}
        self.kept = Kept(self.kept.totals | kept.totals, marks | kept.marks, self.kept.numbers | kept.numbers)

    def totals(self) -> Totals:
        return Totals(
            Kept(
                {side: counts.copy() for side, counts in self.kept.totals.items()},
                dict(self.kept.marks),
                dict(self.kept.numbers),
            )
        )


def test_differences_are_taken_by_boot_and_entry() -> None:
    totals, one, two = Totals(Kept()), Worker("b1"), Worker("b2")
    assert news(totals.take(one.serve(count=3).changed())) == [(CANARY, 3)]
    assert news(totals.take(one.serve(count=2).changed())) == [(CANARY, 2)]
    assert news(totals.take(two.serve(count=4).changed())) == [(CANARY, 4)]
    later = ("checkout", 2, "canary")
    assert news(totals.take(one.serve(later).changed())) == [(later, 1)]
    assert requests(totals) == {("checkout", "canary"): 10}


def test_a_report_sent_twice_or_late_changes_nothing() -> None:
    totals, worker = Totals(Kept()), Worker()
    first = worker.serve(count=3).changed()
    second = worker.serve(count=2).changed()
    assert news(totals.take(second)) == [(CANARY, 5)]
    assert totals.take(second) == []
    assert totals.take(first) == []
    assert requests(totals) == {("checkout", "canary"): 5}


def test_a_lost_report_is_in_the_next() -> None:
    totals, worker = Totals(Kept()), Worker()
    worker.serve(count=3).changed()
    assert news(totals.take(worker.serve().changed())) == [(CANARY, 4)]


def test_an_entry_that_begins_anew_adds_up() -> None:
    totals, worker = Totals(Kept()), Worker()
    totals.take(worker.serve(count=5).changed())
    worker.tally.forget([CANARY], worker.tally.number)
    assert news(totals.take(worker.serve(count=2).changed())) == [(CANARY, 2)]
    assert requests(totals) == {("checkout", "canary"): 7}


def test_counts_that_fall_are_said_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    totals = Totals(Kept())
    totals.take(Worker().serve(count=5).changed())
    liar = Worker().serve(count=2)
    liar.tally.changed()
    assert totals.take(liar.everything()) == []
    assert "reports less than before" in caplog.text
    assert requests(totals) == {("checkout", "canary"): 5}


def test_open_requests_are_those_of_connected_workers() -> None:
    totals, one, two = Totals(Kept()), Worker("b1"), Worker("b2")
    for worker in (one, two):
        worker.tally.begin(CANARY)
        totals.take(worker.serve().changed())
    gauges = [
        dict(totals.sums(boots))["checkout", "canary"].in_flight
        for boots in (("b1", "b2"), ("b2",), (), ("b9",))
    ]
    assert gauges == [2, 1, 0, 0]


def test_only_what_changed_is_collected() -> None:
    totals, worker = Totals(Kept()), Worker()
    assert not totals.changed
    totals.take(worker.serve().serve(("pay", 1, "stable")).changed())
    assert totals.changed
    kept = totals.collect()
    assert set(kept.totals) == {("checkout", "canary"), ("pay", "stable")}
    assert kept.numbers == {"b1": 1}
    assert not totals.changed
    totals.take(worker.serve(count=2).changed())
    kept = totals.collect()
    assert set(kept.totals) == {("checkout", "canary")}
    assert kept.totals["checkout", "canary"].requests == kept.marks["b1", CANARY].requests == 3
    assert kept.numbers == {"b1": 2}


def test_what_was_collected_does_not_change_any_more() -> None:
    totals, worker = Totals(Kept()), Worker()
    totals.take(worker.serve().changed())
    kept = totals.collect()
    totals.take(worker.serve().changed())
    assert kept.totals["checkout", "canary"].requests == kept.marks["b1", CANARY].requests == 1


def test_what_the_ledger_did_not_take_is_collected_again_as_it_is_then() -> None:
    totals, worker = Totals(Kept()), Worker()
    totals.take(worker.serve().changed())
    failed = totals.collect()
    totals.take(worker.serve(("pay", 1, "stable")).changed())
    totals.restore(failed)
    assert totals.changed
    kept = totals.collect()
    assert set(kept.totals) == {("checkout", "canary"), ("pay", "stable")}
    assert kept.numbers == {"b1": 2}


@pytest.mark.parametrize("unkept", [0, 1, 2])
def test_a_restart_with_live_workers_loses_and_doubles_nothing(unkept: int) -> None:
    disk, worker = Disk(), Worker()
    totals = disk.totals()
    totals.take(worker.serve(count=5).changed())
    disk.keep(totals.collect())
    for _ in range(unkept):
        totals.take(worker.serve(count=3).changed())
    again = disk.totals()
    assert requests(again) == {("checkout", "canary"): 5}
    assert sum(delta.requests for _, delta in again.take(worker.serve().everything())) == 3 * unkept + 1
    assert requests(again) == {("checkout", "canary"): 6 + 3 * unkept}


def test_a_boot_that_is_gone_leaves_its_sums() -> None:
    totals, worker = Totals(Kept()), Worker()
    totals.take(worker.serve(count=5).changed())
    totals.forget(["b1"])
    assert totals.boots == {"b1"}, "its news is still to be kept"
    totals.collect()
    totals.forget(["b1"])
    assert totals.boots == frozenset()
    assert requests(totals) == {("checkout", "canary"): 5}


def test_marks_of_old_revisions_do_not_grow_without_end() -> None:
    disk, worker = Disk(), Worker()
    totals = disk.totals()
    for revision in range(1, 3 * LIVELY):
        totals.take(worker.serve(("checkout", revision, "canary")).changed())
        disk.keep(totals.collect())
    assert len(disk.kept.marks) <= LIVELY + 1
    assert requests(disk.totals()) == {("checkout", "canary"): 3 * LIVELY - 1}


def test_no_mark_is_dropped_that_is_still_to_be_kept() -> None:
    disk, worker = Disk(), Worker()
    totals = disk.totals()
    for revision in range(1, 3 * LIVELY):
        totals.take(worker.serve(("checkout", revision, "canary")).changed())
    disk.keep(totals.collect())
    again = disk.totals()
    again.take(worker.everything())
    assert requests(again) == {("checkout", "canary"): 3 * LIVELY - 1}


def test_a_mark_that_was_dropped_and_is_used_again_is_kept() -> None:
    disk, worker = Disk(), Worker()
    totals = disk.totals()
    for revision in range(1, LIVELY + 2):
        totals.take(worker.serve(("checkout", revision, "canary")).changed())
        disk.keep(totals.collect())
    totals.take(worker.serve(("checkout", LIVELY + 2, "canary")).changed())
    failed = totals.collect()
    ((_, old),) = failed.dropped
    totals.take(worker.serve(old).changed())
    totals.restore(failed)
    kept = totals.collect()
    assert ("b1", old) in kept.marks
    assert ("b1", old) not in kept.dropped


def test_marks_of_other_services_stay() -> None:
    totals, worker = Totals(Kept()), Worker()
    totals.take(worker.serve(("pay", 1, "stable")).changed())
    for revision in range(1, 3 * LIVELY):
        totals.take(worker.serve(("checkout", revision, "canary")).changed())
        totals.collect()
    assert totals.take(worker.everything())
    assert requests(totals)["pay", "stable"] == 1


def test_its_repr_says_what_is_not_kept() -> None:
    totals = Totals(Kept())
    totals.take(Worker().serve().changed())
    assert repr(totals) == "<Totals of 1 backends by 1 boots, 1 entries not kept>"


step = st.one_of(
    st.tuples(st.just("serve"), st.integers(0, 1), st.integers(1, 3), st.integers(1, 4)),
    st.tuples(st.sampled_from(["report", "lose", "repeat", "late", "restart worker"]), st.integers(0, 1)),
    st.tuples(st.sampled_from(["keep", "fail to keep", "restart control"])),
)


@examples(60)
@given(st.lists(step, max_size=40))
def test_whatever_happens_sums_are_what_was_served_and_never_fall(steps: list[tuple[int | str, ...]]) -> None:
    story = Story()
    for word, *rest in steps:
        getattr(story, word.replace(" ", "_"))(*rest)
    story.end()


class Story:
    """Two workers, one control, and everything that can go wrong between them."""

    def __init__(self) -> None:
        self.disk, self.boot = Disk(), 0
        self.totals = self.disk.totals()
        self.workers = [self.fresh(), self.fresh()]
        self.sent = []
        self.shown = Counter()
        self.unreported = {}

    def fresh(self) -> Worker:
        self.boot += 1
        return Worker(f"b{self.boot}")

    def serve(self, index: int, revision: int, count: int) -> None:
        self.workers[index].serve(("checkout", revision, "canary"), count)
        self.unreported[index] = self.unreported.get(index, 0) + count

    def report(self, index: int) -> None:
        report = self.workers[index].changed()
        self.sent.append(report)
        self.totals.take(report)

    def lose(self, index: int) -> None:
        """A lost report breaks the connection, and everything is said on the next."""
        self.workers[index].changed()
        self.sent.append(self.workers[index].everything())
        self.totals.take(self.sent[-1])

    def repeat(self, _index: int) -> None:
        if self.sent:
            self.totals.take(self.sent[-1])

    def late(self, _index: int) -> None:
        for report in self.sent[:2]:
            self.totals.take(report)

    def restart_worker(self, index: int) -> None:
        """In order: with its last word said and kept."""
        self.report(index)
        self.keep()
        self.workers[index] = self.fresh()

    def keep(self) -> None:
        self.disk.keep(self.totals.collect())
        self.show()

    def fail_to_keep(self) -> None:
        self.totals.restore(self.totals.collect())

    def restart_control(self) -> None:
        self.totals = self.disk.totals()
        for worker in self.workers:
            self.totals.take(worker.everything())
        self.show()

    def show(self) -> None:
        now = requests(self.totals).get(("checkout", "canary"), 0)
        assert now >= self.shown["canary"]
        self.shown["canary"] = now

    def end(self) -> None:
        for index in (0, 1):
            self.report(index)
        assert requests(self.totals).get(("checkout", "canary"), 0) == sum(self.unreported.values())


def test_marks_tell_what_is_overdue_and_failed_most_and_hold_no_user() -> None:
    totals, disk, worker = Totals(Kept()), Disk(), Worker()
    worker.tally.begin(CANARY)
    worker.tally.overdue(CANARY, (0.1, 0.2, 0.3), 77)
    worker.serve(result="failure", count=2)
    [(_, delta)] = totals.take(worker.changed())
    assert delta.users.events == [(77, 14)]
    sums = dict(totals.sums(["b1"]))["checkout", "canary"]
    assert (sums.overdue, sum(sums.failed.counts.values())) == (1, 2)
    assert (dict(totals.sums([]))["checkout", "canary"].overdue, sums.users.events) == (0, [])
    disk.keep(totals.collect())
    assert [mark.users.events for mark in disk.kept.marks.values()] == [[]]
    [(_, delta)] = disk.totals().take(worker.serve().everything())
    assert (delta.requests, delta.users.events, delta.users.gap) == (1, [], False), "nobody is told twice"
