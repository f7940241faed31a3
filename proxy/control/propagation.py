"""Putting entries in force: workers are told, whoever wants news hears it, and acknowledgements are timed."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from proxy.control.broadcast import Broadcast
from proxy.control.standing import Rollback, Standing
from proxy.ledger.journal import Journal
from proxy.ledger.ledger import Acknowledged
from proxy.ledger.record import Record

log = logging.getLogger(__name__)

Acknowledge = Callable[[Sequence[Acknowledged]], None]
"""Into the ledger, all by one transaction: a reload can have a thousand of them."""
News = Callable[[Standing, Record], None]

OUT = frozenset({"trip", "abort"})
"""Entries that take the canary out."""


@dataclass(frozen=True, slots=True)
class _Told:
    standing: Standing
    revision: int
    generation: int
    began: float


class Propagation:
    """What is in force, and on its way to the workers. Times are monotonic seconds.

    `news` hears of each entry when it has come into force, whether or not the ledger has it by then.
    """

    def __init__(self, journal: Journal, broadcast: Broadcast, keeps: Acknowledge, news: News) -> None:
        self._journal = journal
        self._broadcast = broadcast
        self._keeps = keeps
        self._news = news
        self._told: list[_Told] = []

    def __repr__(self) -> str:
        return f"<Propagation, {len(self._told)} entries on their way>"

    def tell(
        self, entries: Sequence[tuple[Standing, Record]], began: float, removed: Sequence[str] = ()
    ) -> None:
        """Put entries in force, all by one table; decided at `began`. `removed` services are gone."""
        services = [standing.enter(record.rollout) for standing, record in entries]
        generation = self._broadcast.tell(*services, removed=tuple(removed))
        for standing, record in entries:
            if record.entry.event in OUT:
                standing.rollback = Rollback(generation, began)
            self._told.append(_Told(standing, record.entry.revision, generation, began))
            # Later: whatever becomes of it, it neither delays nor breaks what brings a rollback.
            asyncio.get_running_loop().call_soon(self._news, standing, record)

    def look(self, now: float) -> None:
        """Some worker uses another table than before: see what all of them have."""
        under_way, self._told = self._told, []
        acknowledged: list[Acknowledged] = []
        for told in under_way:
            if not self._broadcast.everywhere(told.generation):
                self._told.append(told)
                continue
            name, milliseconds = told.standing.name, round((now - told.began) * 1000, 3)
            acknowledged.append((name, told.revision, told.generation, milliseconds))
            rollback = told.standing.rollback
            if rollback and rollback.generation == told.generation:
                rollback.acknowledged_ms = milliseconds
                log.info("%s: every worker has the rollback, after %.1f ms", name, milliseconds)
        if acknowledged:
            self._journal.beside(self._keeps, acknowledged)
