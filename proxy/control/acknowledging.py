"""How long it takes until every worker has what it was told, entry by entry."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from proxy.control.broadcast import Broadcast
from proxy.control.journal import Journal
from proxy.control.standing import Standing

log = logging.getLogger(__name__)

Keeps = Callable[[str, int, int, float], None]
"""Service, revision, generation, milliseconds: into the ledger."""


@dataclass(frozen=True, slots=True)
class _Told:
    standing: Standing
    revision: int
    generation: int
    began: float


class Acknowledging:
    """What is on its way to the workers. Times are monotonic seconds."""

    def __init__(self, journal: Journal, broadcast: Broadcast, keeps: Keeps) -> None:
        self._journal = journal
        self._broadcast = broadcast
        self._keeps = keeps
        self._told: list[_Told] = []

    def __repr__(self) -> str:
        return f"<Acknowledging, {len(self._told)} entries on their way>"

    def told(self, standing: Standing, generation: int, began: float) -> None:
        """What is in force now was told under `generation`; it was decided at `began`."""
        self._told.append(_Told(standing, standing.rollout.revision, generation, began))

    def look(self, now: float) -> None:
        """Some worker uses another table than before: see what all of them have."""
        under_way, self._told = self._told, []
        for told in under_way:
            if not self._broadcast.everywhere(told.generation):
                self._told.append(told)
                continue
            name, milliseconds = told.standing.name, round((now - told.began) * 1000, 3)
            self._journal.beside(self._keeps, name, told.revision, told.generation, milliseconds)
            rollback = told.standing.rollback
            if rollback and rollback.generation == told.generation:
                rollback.acknowledged_ms = milliseconds
                log.info("%s: every worker has the rollback, after %.1f ms", name, milliseconds)
