"""Putting entries in force: the workers get a table, others are notified, and acknowledgements are timed."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from proxy.control.broadcast import Broadcast
from proxy.control.managed_service import ManagedService
from proxy.ledger.journal import Journal
from proxy.ledger.ledger import Acknowledged
from proxy.ledger.record import Record

log = logging.getLogger(__name__)

AcknowledgementWriter = Callable[[Sequence[Acknowledged]], None]
"""Writes acknowledgements to the ledger, all in one transaction: a reload can have a thousand of them."""
EntryNotifier = Callable[[ManagedService, Record], None]

OUT = frozenset({"trip", "abort"})
"""Entries that take the canary out."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """An entry that the workers were sent. Not every worker has acknowledged it."""

    managed: ManagedService
    revision: int
    generation: int
    began: float


@dataclass(frozen=True, slots=True)
class _Rollback:
    """The last time that a service's canary was taken out."""

    since: int
    """The first revision of the evidence that it rests on."""
    generation: int
    acknowledged_ms: float | None = None


class Propagation:
    """What is in force, and on its way to the workers. Times are monotonic seconds.

    Args:
        journal: writes the acknowledgements, behind the entries that they belong to.
        broadcast: the workers.
        keep: writes acknowledgements to the ledger.
        notify: called for each entry that has come into force, whether or not the ledger has it by then.
    """

    def __init__(
        self, journal: Journal, broadcast: Broadcast, keep: AcknowledgementWriter, notify: EntryNotifier
    ) -> None:
        self._journal = journal
        self._broadcast = broadcast
        self._keep = keep
        self._notify = notify
        self._sent: list[_Sent] = []
        self._rollbacks: dict[str, _Rollback] = {}

    def __repr__(self) -> str:
        return f"<Propagation, {len(self._sent)} entries on their way>"

    def put_in_force(
        self, entries: Sequence[tuple[ManagedService, Record]], began: float, removed: Sequence[str] = ()
    ) -> None:
        """Put entries in force by one table, in which the `removed` services are missing.

        Args:
            entries: services, and the entries that they enter.
            began: when that was decided, in monotonic seconds.
            removed: services that the config no longer has.
        """
        services = [managed.enter(record.rollout) for managed, record in entries]
        generation = self._broadcast.publish(*services, removed=tuple(removed))
        for managed, record in entries:
            if record.entry.event in OUT:
                self._rollbacks[managed.name] = _Rollback(record.rollout.since, generation)
            self._sent.append(_Sent(managed, record.entry.revision, generation, began))
            # In a later turn: whatever becomes of a notice, it neither delays nor breaks a rollback.
            asyncio.get_running_loop().call_soon(self._notify, managed, record)

    def acknowledge(self, now: float) -> None:
        """Record which entries every worker has by now."""
        under_way, self._sent = self._sent, []
        acknowledged: list[Acknowledged] = []
        for sent in under_way:
            if not self._broadcast.acknowledged(sent.generation):
                self._sent.append(sent)
                continue
            name, milliseconds = sent.managed.name, round((now - sent.began) * 1000, 3)
            acknowledged.append((name, sent.revision, sent.generation, milliseconds))
            rollback = self._rollbacks.get(name)
            if rollback and rollback.generation == sent.generation:
                self._rollbacks[name] = replace(rollback, acknowledged_ms=milliseconds)
                log.info("%s: every worker has the rollback, after %.1f ms", name, milliseconds)
        if acknowledged:
            self._journal.call_later(self._keep, acknowledged)

    def rollback_ms(self, managed: ManagedService) -> float | None:
        """Return the milliseconds from the decision to take the canary out until every worker had that.

        None: a worker doesn't have it yet, or the canary wasn't taken out since its evidence began.
        """
        rollback = self._rollbacks.get(managed.name)
        if rollback is None or rollback.since != managed.rollout.since:
            return None
        return rollback.acknowledged_ms
