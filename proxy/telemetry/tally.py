"""What one worker has counted since its boot, by service, revision and backend.

Entries are cumulative: control takes the difference between an entry and the one of that key that it used
last, so a report that is lost, or arrives twice, changes nothing. Three things keep that exact while entries
are forgotten:

- An entry with an open exchange, or with counts that control has not confirmed, is never forgotten.
- A key that is met again after it was forgotten begins a new *life*, numbered, from zero. Nothing of one life
  is part of another, so `minus` between two lives subtracts nothing: no count is lost, doubled or negative.
- Reports are numbered: control ignores one whose number is not above the last it used.

The number of open exchanges is a gauge: it is not differenced and never accumulated. `plus` adds the gauges
(of several workers), `minus` keeps the newer one, `absorb` and `shed` leave it alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from proxy.telemetry.histogram import Histogram
from proxy.telemetry.outcome import (
    COMPLETE,
    ENDINGS,
    EXCLUDED,
    FAILURE,
    RESULTS,
    SWITCHED,
    Ending,
    Outcome,
    Result,
)
from proxy.telemetry.sparse import by_word, merge, separate, whole_numbers

Key = tuple[str, int, str]
"""Service, revision, backend."""


@dataclass(slots=True)
class Counts:
    """What became of some exchanges. Empty when new; what was never met is absent."""

    drawn: dict[Result, int] = field(default_factory=dict)
    """Exchanges whose backend the coin chose, by result."""
    pinned: dict[Result, int] = field(default_factory=dict)
    """Exchanges whose backend a segment or a header chose, by result."""
    codes: dict[tuple[str, int], int] = field(default_factory=dict)
    """All exchanges by method and the status sent, 0 when none was."""
    errors: dict[Ending, int] = field(default_factory=dict)
    """Failures by ending; those that were answered whole, with a 5xx, are not here."""
    head: Histogram = field(default_factory=Histogram)
    """Time to the response head, of those with one that are not excluded: what latency checks judge."""
    total: Histogram = field(default_factory=Histogram)
    """Time from the request's head to the end, of all exchanges."""
    in_flight: int = 0
    """Exchanges open now; a gauge."""
    tunnels: int = 0
    """Those of them that have become tunnels; a gauge."""
    life: int = 0
    """Which entry of the worker's tally this is, 0 for sums and differences. See the head of the file."""

    @property
    def requests(self) -> int:
        """Answered exchanges: successes and failures. Excluded ones are apart."""
        return self.successes + self.failures

    @property
    def successes(self) -> int:
        """Successes, drawn or pinned."""
        return self.drawn.get("success", 0) + self.pinned.get("success", 0)

    @property
    def failures(self) -> int:
        """Failures, drawn or pinned."""
        return self.drawn.get("failure", 0) + self.pinned.get("failure", 0)

    @property
    def excluded(self) -> int:
        """Exchanges that say nothing about the backend."""
        return self.drawn.get("excluded", 0) + self.pinned.get("excluded", 0)

    def record(self, outcome: Outcome) -> None:
        """Count one ended exchange; that it was open is the tally's affair."""
        result = outcome.result
        results = self.drawn if outcome.drawn else self.pinned
        results[result] = results.get(result, 0) + 1
        code = (outcome.method, outcome.status)
        codes = self.codes
        codes[code] = codes.get(code, 0) + 1
        if outcome.head_seconds is not None and result != EXCLUDED:
            self.head.add(outcome.head_seconds)
        self.total.add(outcome.total_seconds)
        if result == FAILURE and outcome.ending != COMPLETE:
            self.errors[outcome.ending] = self.errors.get(outcome.ending, 0) + 1

    def absorb(self, other: "Counts") -> None:
        """Add the events of `other` to these; not its gauge."""
        merge(self.drawn, other.drawn)
        merge(self.pinned, other.pinned)
        merge(self.codes, other.codes)
        merge(self.errors, other.errors)
        self.head.absorb(other.head)
        self.total.absorb(other.total)

    def shed(self, other: "Counts") -> None:
        """Take the events of `other` out of these. ValueError when it has more of any than there is.

        After an error these counts are half done; `minus` works on a copy.
        """
        separate(self.drawn, other.drawn)
        separate(self.pinned, other.pinned)
        separate(self.codes, other.codes)
        separate(self.errors, other.errors)
        self.head.shed(other.head)
        self.total.shed(other.total)

    def copy(self) -> "Counts":
        """Counts of their own with the same content, gauge and life."""
        return Counts(
            dict(self.drawn),
            dict(self.pinned),
            dict(self.codes),
            dict(self.errors),
            self.head.copy(),
            self.total.copy(),
            self.in_flight,
            self.tunnels,
            self.life,
        )

    def plus(self, other: "Counts") -> "Counts":
        """Both together, as of two workers: the gauges add up as well."""
        result = self.copy()
        result.absorb(other)
        result.in_flight += other.in_flight
        result.tunnels += other.tunnels
        result.life = 0
        return result

    def minus(self, other: "Counts") -> "Counts":
        """What came after `other`, an earlier state of these. The gauge stays as it is here: it is no event.

        Nothing is subtracted when `other` is of another life. ValueError when `other` has more than these and
        so is no earlier state.
        """
        result = self.copy()
        result.life = 0
        if self.life == other.life or not (self.life and other.life):
            result.shed(other)
        return result

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, as few as will do: this travels every 250 ms."""
        return {
            "drawn": dict(self.drawn),
            "pinned": dict(self.pinned),
            "codes": [[*code, count] for code, count in self.codes.items()],
            "errors": dict(self.errors),
            "head": self.head.to_json(),
            "total": self.total.to_json(),
            "open": self.in_flight,
            "tunnels": self.tunnels,
            "life": self.life,
        }

    @classmethod
    def from_json(cls, data: Any) -> "Counts":
        """The inverse of `to_json`. ValueError, KeyError or TypeError when it made no such `data`."""
        # Counts that a ledger has kept from before there were tunnels have none.
        in_flight, tunnels, life = whole_numbers([data["open"], data.get("tunnels", 0), data["life"]])
        return cls(
            drawn=by_word(data["drawn"], RESULTS),
            pinned=by_word(data["pinned"], RESULTS),
            codes=_codes(data["codes"]),
            errors=by_word(data["errors"], ENDINGS),
            head=Histogram.from_json(data["head"]),
            total=Histogram.from_json(data["total"]),
            in_flight=in_flight,
            tunnels=tunnels,
            life=life,
        )


def _codes(rows: Any) -> dict[tuple[str, int], int]:
    """Rows of method, status and count, as counts by method and status."""
    whole_numbers([number for _, *numbers in rows for number in numbers])
    return {(str(method), status): count for method, status, count in rows}


class Tally:
    """All counts of one worker since its boot."""

    def __init__(self, boot: str) -> None:
        self.boot = boot
        """Tells this run of the worker from any other."""
        self.urgent = False
        """A failure came after the last report."""
        self.number = 0
        """Number of the last report: up by one with each `changed` or `everything`, from 0."""
        self._entries: dict[Key, Counts] = {}
        self._unreported: set[Key] = set()
        self._reported: dict[Key, int] = {}
        self._lives = 0

    def __repr__(self) -> str:
        open_now = sum(counts.in_flight for counts in self._entries.values())
        return (
            f"<Tally {self.boot} report {self.number}: {len(self._entries)} entries, "
            f"{len(self._unreported)} unreported, {open_now} in flight>"
        )

    def begin(self, key: Key) -> None:
        """One more exchange is open. Its `add` must follow, once."""
        try:
            self._entries[key].in_flight += 1
        except KeyError:
            self._born(key).in_flight = 1
        self._unreported.add(key)

    def switch(self, key: Key) -> None:
        """An open exchange became a tunnel."""
        self._entries[key].tunnels += 1
        self._unreported.add(key)

    def add(self, outcome: Outcome) -> None:
        """One exchange fewer is open, and it is counted; one that never began is only counted."""
        key = (outcome.service, outcome.revision, outcome.backend)
        try:
            counts = self._entries[key]
        except KeyError:
            counts = self._born(key)
        if counts.in_flight:
            counts.in_flight -= 1
        if outcome.status == SWITCHED and counts.tunnels:
            counts.tunnels -= 1
        counts.record(outcome)
        self._unreported.add(key)
        if outcome.result == FAILURE:
            self.urgent = True

    def changed(self) -> dict[Key, Counts]:
        """The next report: a copy of each entry that changed since the last one."""
        return self._report(self._unreported)

    def everything(self) -> dict[Key, Counts]:
        """The next report, of all entries: the first on a new connection to control."""
        return self._report(self._entries)

    def _report(self, keys: Iterable[Key]) -> dict[Key, Counts]:
        self.number += 1
        report = {key: self._entries[key].copy() for key in keys}
        self._reported.update(dict.fromkeys(report, self.number))
        self._unreported.clear()
        self.urgent = False
        return report

    def droppable(self, current: Mapping[str, int]) -> list[Key]:
        """Keys of revisions other than the `current` one of their service that have no exchange open."""
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

    def _born(self, key: Key) -> Counts:
        """A new entry, in a life of its own."""
        self._lives += 1
        counts = self._entries[key] = Counts(life=self._lives)
        return counts
