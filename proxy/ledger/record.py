"""An entry with what only the process knows: of which service, when, by whom and why."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from proxy.rollout.entry import Entry
from proxy.rollout.rollout import Rollout

ITSELF = "weir"
"""The actor of what nobody ordered: verdicts, releases, adoptions."""


@dataclass(frozen=True, slots=True)
class Record:
    """What the ledger is asked to keep: the transition, and the whole state that it leads to."""

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
    """What was ordered under that key."""

    def to_json(self, number: int) -> dict[str, Any]:
        """The entry as the API shows it, under its `number` in the ledger."""
        entry = self.entry
        finding = entry.finding.to_json() if entry.finding else None
        said = (self.at, entry.event, self.actor, self.reason)
        place = (self.rollout.phase, self.rollout.step)
        weights = (entry.before, entry.after)
        return shown(number, self.service, entry.revision, *said, *weights, *place, finding=finding)

    def news(self) -> dict[str, Any]:
        """The entry while nobody knows its number yet, nor when all workers will have it."""
        unknown = ("id", "generation", "acknowledged_ms")
        return {key: value for key, value in self.to_json(0).items() if key not in unknown}


def shown(
    number: int,
    service: str,
    revision: int,
    at: float,
    event: str,
    actor: str,
    reason: str,
    before: int,
    after: int,
    phase: str | None,
    step: int | None,
    generation: int | None = None,
    acknowledged_ms: float | None = None,
    *,
    finding: dict[str, Any] | None,
) -> dict[str, Any]:
    """An entry as the API shows it; weights in percent.

    `generation` is the table that told the workers of it, `acknowledged_ms` how long it took until all of
    them had that: null until then, and where control died in between.
    """
    return {
        "id": number,
        "service": service,
        "revision": revision,
        "at": iso(at),
        "event": event,
        "actor": actor,
        "reason": reason,
        "from": percent(before),
        "to": percent(after),
        "phase": phase,
        "step": step,
        "generation": generation,
        "acknowledged_ms": acknowledged_ms,
        "finding": finding,
    }


def percent(parts: int) -> float:
    """Parts of 10,000 as people write them."""
    return parts / 100


def iso(at: float) -> str:
    """Unix seconds as ISO 8601, UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
