"""The entries of the ledger as the API shows them, to be read and to be followed."""

from collections.abc import Callable
from typing import Any

from proxy.ledger.journal import Journal
from proxy.ledger.ledger import KEEP, Ledger
from proxy.ledger.record import Record


class History:
    """Entries as plain JSON values, oldest first."""

    def __init__(self, journal: Journal, ledger: Ledger) -> None:
        self._journal = journal
        self._ledger = ledger

    def __repr__(self) -> str:
        return f"<History by {self._journal!r}>"

    async def entries(
        self, service: str, *, after: int = -1, since: float = 0.0, newest: int = KEEP
    ) -> list[dict[str, Any]]:
        """Return the newest entries of one service; none of an unknown one.

        Args:
            service: its name.
            after: a revision; only what came after it.
            since: unix seconds; only what was written then or later.
            newest: how many at most.
        """
        read = self._ledger.entries
        return await self._journal.call(read, service, after=after, since=since, newest=newest)

    async def entries_after(self, entry: int) -> list[dict[str, Any]]:
        """Return the entries of all services with an id above `entry`."""
        return await self._journal.call(self._ledger.entries_after, entry)

    def subscribe(self, callback: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        """Call back with each entry that becomes durable from now on; return what ends that."""

        def written(number: int, record: Record) -> None:
            callback(record.to_json(number))

        return self._journal.subscribe(written)
