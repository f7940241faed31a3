"""Checkpoints of what was counted: often enough to lose nothing, seldom enough to cost nothing."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any, Protocol

from proxy.ledger.errors import NotDurable
from proxy.ledger.journal import Journal, Rest, a_second
from proxy.ledger.ledger import Kept
from proxy.ledger.totals import Delta, Totals
from proxy.link.messages import Report

log = logging.getLogger(__name__)

GONE = 3600.0
"""Seconds after which a boot that is not connected is forgotten. A worker tries to connect every second."""


async def a_moment() -> None:
    """Wait while reports gather, when a worker waits for its last one to be kept."""
    await asyncio.sleep(0.05)


def nothing_judged(_services: Collection[str]) -> dict[str, Any]:
    """Return the evidence where nothing is judged: none."""
    return {}


class CountStore(Protocol):
    """The part of a ledger that counts are kept in."""

    def keep(self, kept: Kept) -> None: ...

    def forget(self, boots: Iterable[str]) -> None: ...


class Checkpoints:
    """Totals, and their way into the ledger.

    Evidence is kept together with the marks of what it rests on, so that after a restart nothing counts
    twice, and nothing is missing.

    Args:
        totals: what was counted.
        journal: calls the ledger.
        ledger: keeps the counts.
        confirm: called with the boot and the number of each report that is kept for good.
        pause: waits between two checkpoints.
        evidence: returns the evidence on these services, as plain JSON values.
    """

    def __init__(
        self,
        totals: Totals,
        journal: Journal,
        ledger: CountStore,
        *,
        confirm: Callable[[str, int], None],
        pause: Rest = a_second,
        evidence: Callable[[Collection[str]], dict[str, Any]] = nothing_judged,
    ) -> None:
        self.totals = totals
        self._journal = journal
        self._ledger = ledger
        self._confirm = confirm
        self._pause = pause
        self._evidence = evidence
        self._judged: set[str] = set()
        """Services with evidence that the ledger doesn't have."""
        self._keeping = asyncio.Lock()
        self._news = asyncio.Event()
        self._resting: asyncio.Future[None] | None = None
        self._failing = False
        self._absent: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"<Checkpoints of {self.totals!r}{', failing' if self._failing else ''}>"

    def take(self, report: Report) -> list[Delta]:
        """Count a report; return what is new in it."""
        deltas = self.totals.take(report)
        self._judged.update(service for (service, _, _), _ in deltas)
        self._news.set()
        return deltas

    async def run(self) -> None:
        """Keep what changes, at once and then at most once in a pause. Ends by being cancelled."""
        while True:
            await self._news.wait()
            await self.keep()
            await self._rest()

    async def keep(self) -> None:
        """Keep what changed. When the ledger fails, that is logged once, and kept the next time."""
        async with self._keeping:
            self._news.clear()
            if not self.totals.changed:
                return
            kept = replace(self.totals.collect(), evidence=self._evidence(self._judged))
            self._judged.clear()
            try:
                await self._journal.call(self._ledger.keep, kept)
            except NotDurable as error:
                self._missed(kept)
                self._complain(error)
                return
            except asyncio.CancelledError:
                self._missed(kept)  # it may have been kept, and to keep it again changes nothing
                raise
            self._failing = False
        for boot, number in kept.numbers.items():
            self._confirm(boot, number)

    async def forget_gone(self, connected: Iterable[str], now: float) -> None:
        """Forget boots not `connected` for an hour (`now` is monotonic seconds); what they counted stays."""
        here = set(connected)
        self._absent = {boot: self._absent.get(boot, now) for boot in self.totals.boots - here}
        gone = [boot for boot, since in self._absent.items() if now - since >= GONE]
        if not gone:
            return
        try:
            await self._journal.call(self._ledger.forget, gone)
        except NotDurable as error:
            log.error("boots that are gone cannot be forgotten: %s", error.detail)
            return
        self.totals.forget(gone)

    def hurry(self) -> None:
        """Keep at once from now on: workers end, and wait for their last report to be kept."""
        self._pause = a_moment
        if self._resting:
            self._resting.cancel()

    async def _rest(self) -> None:
        """Pause, unless that is cut short."""
        self._resting = asyncio.ensure_future(self._pause())
        try:
            await asyncio.wait([self._resting])
        finally:
            self._resting.cancel()

    def _missed(self, kept: Kept) -> None:
        self.totals.restore(kept)
        self._judged.update(kept.evidence)
        self._news.set()

    def _complain(self, error: NotDurable) -> None:
        if not self._failing:
            log.error("what was counted waits for the ledger: %s", error.detail)
        self._failing = True
