"""The records of the ledger: an entry with its service, time, actor and reason."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from proxy.rollout.entry import Entry
from proxy.rollout.rollout import Rollout
from proxy.routing.split import percent

ITSELF = "weir"
"""The actor of what control does by itself: trips, releases, adoptions."""


@dataclass(frozen=True, slots=True)
class Record:
    """What the ledger keeps: an entry, and the whole state that it leads to."""

    service: str
    at: float
    """Unix seconds."""
    actor: str
    reason: str
    entry: Entry
    rollout: Rollout
    key: str = ""
    """The Idempotency-Key of the order that led to it; "": none."""
    digest: str = ""
    """What identifies the order under that key."""

    def to_json(self, number: int) -> dict[str, Any]:
        """Return the entry as the API shows it, under its `number` in the ledger."""
        entry = self.entry
        row = LedgerEntry(
            number=number,
            service=self.service,
            revision=entry.revision,
            at=self.at,
            event=entry.event,
            actor=self.actor,
            reason=self.reason,
            before=entry.before,
            after=entry.after,
            phase=self.rollout.phase,
            step=self.rollout.step,
            finding=entry.finding.to_json() if entry.finding else None,
        )
        return row.to_json()

    def news(self) -> dict[str, Any]:
        """Return the entry as receivers get it: before its number is known, and when all workers have it."""
        unknown = ("id", "generation", "acknowledged_ms")
        return {key: value for key, value in self.to_json(0).items() if key not in unknown}


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A row of the ledger."""

    number: int
    """The id of the entry, over all services."""
    service: str
    revision: int
    """The revision that it leads to."""
    at: float
    """Unix seconds."""
    event: str
    actor: str
    reason: str
    before: int
    """The canary's weight before it, in parts of 10,000."""
    after: int
    """The canary's weight after it, in parts of 10,000."""
    phase: str | None
    """The phase after it; None: an older version wrote it."""
    step: int | None
    """How many steps of the plan were entered; None: an older version wrote it."""
    generation: int | None = None
    """The table that the workers were sent with it; None until all of them have that."""
    acknowledged_ms: float | None = None
    """Milliseconds until all workers had it; None until then, and where control died in between."""
    finding: dict[str, Any] | None
    """What a trip rests on, as plain JSON values."""

    def to_json(self) -> dict[str, Any]:
        """Return the entry as the API shows it."""
        return {
            "id": self.number,
            "service": self.service,
            "revision": self.revision,
            "at": iso(self.at),
            "event": self.event,
            "actor": self.actor,
            "reason": self.reason,
            "from": percent(self.before),
            "to": percent(self.after),
            "phase": self.phase,
            "step": self.step,
            "generation": self.generation,
            "acknowledged_ms": self.acknowledged_ms,
            "finding": self.finding,
        }


def iso(at: float) -> str:
    """Return unix seconds as ISO 8601, UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
