"""The counts of one worker since its boot, by service, revision and backend.

Entries are cumulative: control takes the difference between an entry and the one of that key that it used
last, so a report that is lost, or arrives twice, changes nothing. Three things keep that exact while entries
are forgotten:

- An entry with an open exchange, or with counts that control has not confirmed, is never forgotten.
- A key that is met again after it was forgotten begins a new *life*, numbered, from zero. Nothing of one life
  is part of another, so `minus` between two lives subtracts nothing: no count is lost, doubled or negative.
- Reports are numbered: control ignores one whose number is not above the last it used.

A report holds the events of the log of users that came after the one before it, and the first on a new
connection all that are kept: see `proxy.telemetry.users`.
"""

from collections.abc import Iterable, Mapping

from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import FAILURE, Key, Outcome, Thresholds


class Tally:
    """All counts of one worker since its boot."""

    def __init__(self, boot: str) -> None:
        self.boot = boot
        """Identifies this run of the worker."""
        self.urgent = False
        """Something bad came after the last report: it shouldn't wait for its turn."""
        self.number = 0
        """Number of the last report: up by one with each `changed` or `everything`, from 0."""
        self._entries: dict[Key, Counts] = {}
        self._unreported: set[Key] = set()
        self._reported: dict[Key, int] = {}
        self._users_reported: dict[Key, int] = {}
        """Up to which number the users of an entry were reported."""
        self._lives = 0

    def __repr__(self) -> str:
        open_now = sum(counts.in_flight for counts in self._entries.values())
        return (
            f"<Tally {self.boot} report {self.number}: {len(self._entries)} entries, "
            f"{len(self._unreported)} unreported, {open_now} in flight>"
        )

    def begin(self, key: Key) -> None:
        """Count one more exchange as open. Its `add` must follow, once."""
        self._entry(key).in_flight += 1
        self._unreported.add(key)

    def switch(self, key: Key) -> None:
        """Count an open exchange as a tunnel from now on."""
        self._entries[key].tunnels += 1
        self._unreported.add(key)

    def overdue(self, key: Key, thresholds: Thresholds, user: int) -> None:
        """Count an open exchange that has exceeded all thresholds. Mark its outcome `overdue`, too."""
        self._entries[key].fall_overdue(thresholds, user)
        self._unreported.add(key)
        self.urgent = True

    def divert(self, key: Key, user: int, *, drawn: bool) -> None:
        """Count a request that was meant for this backend and went to another: no endpoint was alive."""
        self._entry(key).divert(user, drawn=drawn)
        self._unreported.add(key)
        self.urgent = True

    def add(self, outcome: Outcome) -> None:
        """Count an exchange that ended, and one fewer as open; one that never began is only counted."""
        key = outcome.key
        counts = self._entry(key)
        counts.end(outcome)
        counts.record(outcome)
        self._unreported.add(key)
        if outcome.result == FAILURE:
            self.urgent = True
        if outcome.rescue_of is not None:
            self._entry(outcome.rescue_of).settle_rescue(outcome)
            self._unreported.add(outcome.rescue_of)

    def eject(self, key: Key) -> None:
        """Count that an endpoint of this backend is left alone for a while."""
        self._entry(key).ejections += 1
        self._unreported.add(key)

    def changed(self) -> dict[Key, Counts]:
        """Return the next report: a copy of each entry that changed since the last one."""
        return self._report(self._unreported, self._users_reported)

    def everything(self) -> dict[Key, Counts]:
        """Return the next report, of all entries: the first on a new connection to control."""
        return self._report(self._entries, {})

    def _report(self, keys: Iterable[Key], since: Mapping[Key, int]) -> dict[Key, Counts]:
        self.number += 1
        report = {key: self._entries[key].copy(since.get(key, 0)) for key in keys}
        self._reported.update(dict.fromkeys(report, self.number))
        self._users_reported.update({key: counts.users.end for key, counts in report.items() if counts.users})
        self._unreported.clear()
        self.urgent = False
        return report

    def droppable(self, current: Mapping[str, int]) -> list[Key]:
        """Return the keys without an open exchange whose revision isn't their service's `current` one."""
        return [
            key
            for key, counts in self._entries.items()
            if counts.in_flight == 0 and current.get(key[0]) != key[1]
        ]

    def forget(self, keys: Iterable[Key], number: int) -> None:
        """Drop entries that control needs no more, as it holds report `number` for good.

        It must hold all before that one as well, as it does when no connection broke since the last report of
        `everything`. Entries that are open, or changed after the report, stay; unknown keys do nothing.
        """
        for key in keys:
            if self._reported.get(key, number + 1) > number or key in self._unreported:
                continue
            if self._entries[key].in_flight == 0:
                del self._entries[key], self._reported[key]
                self._users_reported.pop(key, None)

    def _entry(self, key: Key) -> Counts:
        try:
            return self._entries[key]
        except KeyError:
            return self._born(key)

    def _born(self, key: Key) -> Counts:
        """Return a new entry, in a life of its own."""
        self._lives += 1
        counts = self._entries[key] = Counts(life=self._lives)
        return counts
