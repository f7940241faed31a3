"""The ledger: every transition with its reason, the state of each service, and what was counted.

All of it blocks, and belongs on one thread (see `journal`). An append is one transaction: the entry, the
state that it leads to, and the count of trips are there together or not at all, and on the disk (fsync) when
`append` returns. What was counted is kept without an fsync: it need only outlive this process, for if the
machine goes down, so do the workers whose counts it remembers.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proxy.ledger.database import connect
from proxy.ledger.errors import NotDurable
from proxy.ledger.record import LedgerEntry, Record
from proxy.rollout.entry import Entry
from proxy.rollout.rollout import Rollout
from proxy.telemetry import counts_json
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import BackendKey, Key

KEEP = 10_000
"""Entries kept of each service."""

KEYS = 1_000
"""Idempotency-Keys kept of each service."""

_COLUMNS = "service, revision, at, event, actor, reason, before, after, phase, step, finding"
_SHOWN = ("id", *_COLUMNS.split(", "), "generation", "acknowledged_ms")

OrderKey = tuple[str, str]
"""Service, Idempotency-Key."""

Mark = tuple[str, Key]
"""Boot of a worker, and the key of one entry of its tally."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was counted: sums, and the marks up to which each boot of a worker is contained in them."""

    totals: dict[BackendKey, Counts] = field(default_factory=dict)
    marks: dict[Mark, Counts] = field(default_factory=dict)
    """By boot and key: the cumulative counts that were used last."""
    numbers: dict[str, int] = field(default_factory=dict)
    """By boot: the number of the report that was used last."""
    dropped: frozenset[Mark] = frozenset()
    """Marks that are no longer needed."""
    evidence: dict[str, Any] = field(default_factory=dict)
    """By service: the evidence on its canary from all that the marks contain, as plain JSON values."""


Acknowledged = tuple[str, int, int, float]
"""Service, revision, generation, milliseconds."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a ledger recalls for a control that begins."""

    states: dict[str, Rollout]
    trips: dict[tuple[str, str], int]
    kept: Kept
    last: int
    orders: dict[OrderKey, str] = field(default_factory=dict)
    """The digest of the order under each key that is still known."""


class Ledger:
    """One SQLite file, open for this process alone. LedgerUnusable when it can't be opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = connect(path)

    def __repr__(self) -> str:
        return f"<Ledger {self.path}>"

    def close(self) -> None:
        """Close the file, whole in itself: the write-ahead log is removed."""
        self._database.close()

    def append(self, *records: Record) -> list[int]:
        """Write entries with their states, durably, once, all or none; return their ids.

        NotDurable: none of them is in the ledger.
        """
        with self._transaction("FULL"):
            known = [(record, self._known(record)) for record in records]
            return [self._insert(record) if number is None else number for record, number in known]

    def acknowledge(self, acknowledged: Iterable[Acknowledged]) -> None:
        """Add to known entries when every worker had them. NotDurable when that fails."""
        with self._transaction("NORMAL"):
            self._database.executemany(
                "UPDATE entries SET generation = ?, acknowledged_ms = ? WHERE service = ? AND revision = ?",
                ((generation, ms, service, revision) for service, revision, generation, ms in acknowledged),
            )

    def remember(self, service: str, key: str, digest: str, at: float) -> None:
        """Keep the key of an order that changed nothing. NotDurable when that fails."""
        with self._transaction("FULL"):
            self._order(service, key, digest, at)

    def orders(self) -> dict[OrderKey, str]:
        """Return the digests of orders under a key, by service and key, the oldest first."""
        rows = self._database.execute("SELECT service, key, digest FROM orders ORDER BY at")
        return {(service, key): digest for service, key, digest in rows}

    def recall(self) -> Recalled:
        """Return all that a control needs to go on."""
        return Recalled(self.states(), self.trips(), self.kept(), self.last(), self.orders())

    def states(self) -> dict[str, Rollout]:
        """Return the last state of every service that ever was."""
        rows = self._database.execute("SELECT service, rollout FROM states")
        return {service: Rollout.from_json(json.loads(rollout)) for service, rollout in rows}

    def last(self) -> int:
        """Return the id of the newest entry; 0 when there is none."""
        (number,) = self._database.execute("SELECT coalesce(max(id), 0) FROM entries").fetchone()
        return int(number)

    def entries(
        self, service: str, *, after: int = -1, since: float = 0.0, newest: int = KEEP
    ) -> list[dict[str, Any]]:
        """Return a service's entries as the API shows them, newest last.

        Args:
            service: its name.
            after: a revision; only what came after it.
            since: unix seconds; only what was written then or later.
            newest: how many at most, the newest of them.
        """
        # `+`: along the index that has them in this order, so that a LIMIT of 10 reads 10 rows.
        where = "WHERE service = ? AND +revision > ? AND at >= ? ORDER BY id DESC LIMIT ?"
        return self._read(where, service, after, since, newest)[::-1]

    def entries_after(self, number: int) -> list[dict[str, Any]]:
        """Return all services' entries with a higher id, newest last; the `KEEP` oldest of them."""
        return self._read(f"WHERE id > ? ORDER BY id LIMIT {KEEP}", number)

    def trips(self) -> dict[tuple[str, str], int]:
        """Return how often each check (service, name) tripped its canary."""
        rows = self._database.execute("SELECT service, check_name, count FROM trips")
        return {(service, check): count for service, check, count in rows}

    def kept(self) -> Kept:
        """Return what was counted, as it was kept last."""
        totals = self._database.execute("SELECT service, backend, counts FROM totals")
        marks = self._database.execute("SELECT boot, service, revision, backend, counts FROM marks")
        numbers = self._database.execute("SELECT boot, number FROM boots")
        evidence = self._database.execute("SELECT service, judged FROM evidence")
        return Kept(
            {(service, backend): _counts(text) for service, backend, text in totals},
            {
                (boot, (service, number, backend)): _counts(text)
                for boot, service, number, backend, text in marks
            },
            dict(numbers),
            evidence={service: json.loads(judged) for service, judged in evidence},
        )

    def keep(self, kept: Kept) -> None:
        """Replace what `kept` names, all or nothing. NotDurable when that fails."""
        with self._transaction("NORMAL"):
            write = self._database.executemany
            write(
                "INSERT OR REPLACE INTO totals VALUES (?, ?, ?)",
                [(*side, _text(counts)) for side, counts in kept.totals.items()],
            )
            write(
                "INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?)",
                [(boot, *key, _text(counts)) for (boot, key), counts in kept.marks.items()],
            )
            write(
                "DELETE FROM marks WHERE boot = ? AND service = ? AND revision = ? AND backend = ?",
                [(boot, *key) for boot, key in kept.dropped],
            )
            write(
                "INSERT OR REPLACE INTO boots VALUES (?, ?)",
                list(kept.numbers.items()),
            )
            write(
                "INSERT OR REPLACE INTO evidence VALUES (?, ?)",
                [(service, json.dumps(judged)) for service, judged in kept.evidence.items()],
            )

    def forget(self, boots: Iterable[str]) -> None:
        """Drop the marks of boots that will never report again; the sums keep what they counted."""
        gone = [(boot,) for boot in boots]
        with self._transaction("NORMAL"):
            self._database.executemany("DELETE FROM marks WHERE boot = ?", gone)
            self._database.executemany("DELETE FROM boots WHERE boot = ?", gone)

    @contextmanager
    def _transaction(self, synchronous: str) -> Iterator[None]:
        try:
            self._database.execute(f"PRAGMA synchronous = {synchronous}")
            self._database.execute("BEGIN IMMEDIATE")
            yield
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            raise NotDurable(f"the ledger {self.path} cannot be written: {error}") from error

    def _undo(self) -> None:
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")

    def _known(self, record: Record) -> int | None:
        """Return the id of an entry that is there already: a COMMIT that failed may have worked."""
        row = self._database.execute(
            "SELECT id FROM entries WHERE service = ? AND revision = ? AND at = ? AND event = ?",
            (record.service, record.entry.revision, record.at, record.entry.event),
        ).fetchone()
        return row[0] if row else None

    def _insert(self, record: Record) -> int:
        entry = record.entry
        finding = json.dumps(entry.finding.to_json()) if entry.finding else None
        cursor = self._database.execute(
            f"INSERT INTO entries ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.service,
                entry.revision,
                record.at,
                entry.event,
                record.actor,
                record.reason,
                entry.before,
                entry.after,
                record.rollout.phase,
                record.rollout.step,
                finding,
            ),
        )
        number = int(cursor.lastrowid or 0)
        self._state(record)
        if record.key:
            self._order(record.service, record.key, record.digest, record.at)
        if entry.event == "trip":
            self._count_trip(record.service, entry)
        self._prune(record.service)
        return number

    def _state(self, record: Record) -> None:
        """Replace the state by a newer one only: whatever order entries come in, the highest number wins."""
        self._database.execute(
            "INSERT INTO states VALUES (?, ?, ?) ON CONFLICT (service) DO UPDATE "
            "SET revision = excluded.revision, rollout = excluded.rollout WHERE excluded.revision > revision",
            (record.service, record.entry.revision, json.dumps(record.rollout.to_json())),
        )

    def _count_trip(self, service: str, entry: Entry) -> None:
        self._database.execute(
            "INSERT INTO trips VALUES (?, ?, 1) "
            "ON CONFLICT (service, check_name) DO UPDATE SET count = count + 1",
            (service, entry.check),
        )

    def _order(self, service: str, key: str, digest: str, at: float) -> None:
        """Keep a key, and of the service's keys the newest."""
        self._database.execute(
            "INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?)", (service, key, digest, at)
        )
        self._database.execute(
            "DELETE FROM orders WHERE service = ?1 AND at < "
            "(SELECT at FROM orders WHERE service = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)",
            (service, KEYS - 1),
        )

    def _prune(self, service: str) -> None:
        self._database.execute(
            "DELETE FROM entries WHERE service = ?1 AND id <= "
            "(SELECT id FROM entries WHERE service = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            (service, KEEP),
        )

    def _read(self, where: str, *values: Any) -> list[dict[str, Any]]:
        rows = self._database.execute(f"SELECT {', '.join(_SHOWN)} FROM entries {where}", values)
        return [_entry(dict(zip(_SHOWN, row, strict=True))) for row in rows]


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    finding = json.loads(row["finding"]) if row["finding"] else None
    return LedgerEntry(number=row.pop("id"), **row | {"finding": finding}).to_json()


def _counts(text: str) -> Counts:
    return counts_json.from_json(json.loads(text))


def _text(counts: Counts) -> str:
    return json.dumps(counts_json.to_json(counts), separators=(",", ":"))
