"""Totals: what all workers have counted since the ledger began, and the marks that keep it exact.

A worker's counts are cumulative since its boot. A mark is the last state of one of its entries that was used:
the difference from it is what is new, and goes into the sums. Sums and marks are kept in one transaction, so
whichever process dies, and whichever report is lost, late or sent twice, nothing counts twice and no sum ever
falls. A dead worker needs no care: what it counted is in the sums, and its marks only wait to be forgotten.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from proxy.ledger.ledger import Kept, Mark
from proxy.link.messages import Report
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import BackendKey, Key

log = logging.getLogger(__name__)

LIVELY = 32
"""Old revisions of a service whose marks each boot keeps. The worker has long forgotten the ones before."""

Delta = tuple[Key, Counts]


@dataclass(slots=True)
class _News:
    """What the ledger doesn't have yet."""

    sides: set[BackendKey] = field(default_factory=set)
    marks: set[Mark] = field(default_factory=set)
    boots: set[str] = field(default_factory=set)
    dropped: set[Mark] = field(default_factory=set)


class Totals:
    """Sums and marks, in memory; `kept` is what the ledger remembers of them."""

    def __init__(self, kept: Kept) -> None:
        self._sums = dict(kept.totals)
        self._marks: dict[str, dict[Key, Counts]] = {boot: {} for boot in kept.numbers}
        for (boot, key), counts in kept.marks.items():
            self._marks.setdefault(boot, {})[key] = counts
        self._numbers = dict(kept.numbers)
        self._news = _News()

    def __repr__(self) -> str:
        news = len(self._news.marks)
        return f"<Totals of {len(self._sums)} backends by {len(self._marks)} boots, {news} entries not kept>"

    @property
    def boots(self) -> frozenset[str]:
        """The boots that have reported."""
        return frozenset(self._numbers)

    @property
    def changed(self) -> bool:
        """Whether there is something that the ledger doesn't have."""
        return bool(self._news.boots)

    def take(self, report: Report) -> list[Delta]:
        """Add what is new in a report to the sums, and return it.

        Nothing is new when the report isn't newer than the last one of its boot.
        """
        if report.number <= self._numbers.get(report.boot, 0):
            return []
        self._numbers[report.boot] = report.number
        self._news.boots.add(report.boot)
        found = (self._taken(report.boot, key, counts) for key, counts in report.entries.items())
        return [delta for delta in found if delta]

    def sums(self, connected: Iterable[str]) -> Iterator[tuple[BackendKey, Counts]]:
        """Yield all that was ever counted. What is counted meanwhile may be in those still to come.

        The gauges are those of the `connected` boots.
        """
        marks: dict[BackendKey, list[Counts]] = {}
        for boot in connected:
            for (service, _, backend), mark in self._marks.get(boot, {}).items():
                marks.setdefault((service, backend), []).append(mark)
        for side in list(self._sums):
            now = self._sums[side].copy()
            for mark in marks.get(side, ()):
                now.in_flight += mark.in_flight
                now.tunnels += mark.tunnels
                now.overdue += mark.overdue
                now.failed.absorb(mark.failed)
            yield side, now

    def recent(self, service: str, since: int, connected: Iterable[str]) -> Mapping[str, Counts]:
        """Return, by backend, what the `connected` boots counted of a service's revisions from `since` on."""
        found: dict[str, Counts] = {}
        for boot in connected:
            for (name, revision, backend), mark in self._marks.get(boot, {}).items():
                if name == service and revision >= since:
                    found[backend] = found[backend].plus(mark) if backend in found else mark
        return found

    def collect(self) -> Kept:
        """Return what the ledger doesn't have, to be kept there. If that fails, `restore` it."""
        news, self._news = self._news, _News()
        return Kept(
            totals={side: self._sums[side].copy() for side in news.sides},
            # A mark is never edited, only replaced, so another thread may read it.
            marks={(boot, key): self._marks[boot][key] for boot, key in news.marks},
            numbers={boot: self._numbers[boot] for boot in news.boots},
            dropped=frozenset(news.dropped),
        )

    def restore(self, kept: Kept) -> None:
        """Collect once more what the ledger did not take, as it will be then."""
        self._news.sides.update(kept.totals)
        self._news.marks.update(kept.marks)
        self._news.boots.update(kept.numbers)
        self._news.dropped.update(kept.dropped - self._news.marks)

    def forget(self, boots: Iterable[str]) -> None:
        """Drop the marks of boots that are gone for good and have no news."""
        for boot in set(boots) - self._news.boots:
            self._marks.pop(boot, None)
            self._numbers.pop(boot, None)

    def _taken(self, boot: str, key: Key, counts: Counts) -> Delta | None:
        marks = self._marks.setdefault(boot, {})
        mark = marks.get(key)
        try:
            delta = counts.minus(mark or Counts())
        except ValueError as error:
            log.error("worker boot %s reports less than before for %s, ignored: %s", boot, key, error)
            return None
        marks[key] = counts.mark()
        service, _, backend = key
        self._sums.setdefault((service, backend), Counts()).absorb(delta)
        self._news.sides.add((service, backend))
        self._news.marks.add((boot, key))
        self._news.dropped.discard((boot, key))
        if mark is None:
            self._trim(boot, service)
        return key, delta

    def _trim(self, boot: str, service: str) -> None:
        """Drop marks of old revisions, or they would grow in number for as long as the worker lives."""
        marks = self._marks[boot]
        quiet = [
            key
            for key, mark in marks.items()
            if key[0] == service and not mark.in_flight and (boot, key) not in self._news.marks
        ]
        lively = sorted({revision for _, revision, _ in quiet})[-LIVELY:]
        for key in quiet:
            if key[1] not in lively:
                del marks[key]
                self._news.dropped.add((boot, key))
