"""The reports of a worker: what it holds at each connect to control, and what it has counted."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import Protocol

from proxy.link.messages import Hello, Message, Report
from proxy.routing.table import RoutingTable
from proxy.telemetry.tally import Tally

URGENT_SECONDS = 0.01
"""From a failure to its report: several failures at once make one report."""
LAST_REPORT_SECONDS = 1.0
"""How long a worker that ends waits until control has its last counts for good."""


class Link(Protocol):
    """The connection to control."""

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""

    def send(self, message: Message) -> bool:
        """Send without waiting; return False when it can't be sent."""


class Reports:
    """Reports a tally to control.

    Args:
        index: the worker's number.
        tally: what is reported.
        link: the connection to control.
        table: returns the routing table in force.
        ejected: returns the URLs of the endpoints that are ejected now.
    """

    def __init__(
        self,
        index: int,
        tally: Tally,
        link: Link,
        table: Callable[[], RoutingTable],
        ejected: Callable[[], tuple[str, ...]],
    ) -> None:
        self._index = index
        self._tally = tally
        self._link = link
        self._table = table
        self._ejected = ejected
        self._last_ejected: tuple[str, ...] = ()
        self._complete = False
        """Whether all that was reported so far was sent on this connection."""
        self._urgent: asyncio.TimerHandle | None = None
        self._last_number = 0
        self._confirmed = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Reports of {self._tally!r}>"

    @property
    def confirmed(self) -> bool:
        """Whether control has the last report for good."""
        return self._confirmed.is_set()

    def begin(self) -> None:
        """Send Hello and everything on a new connection."""
        services = self._table().services
        held = {name: service.revision for name, service in services.items()}
        halted = {name: tuple(sorted(one.halted)) for name, one in services.items() if one.halted}
        self._link.send(Hello(self._tally.boot, self._index, os.getpid(), held, halted))
        self._complete = False
        self.report()

    def report(self) -> None:
        """Report what has changed; everything, if a report may not have arrived."""
        self._urgent = None
        if not self._link.connected:
            return
        tally = self._tally
        entries = tally.changed() if self._complete else tally.everything()
        ejected = self._ejected()
        if entries or not self._complete or ejected != self._last_ejected:
            self._last_ejected = ejected
            self._last_number = tally.number
            self._confirmed.clear()
            report = Report(tally.boot, tally.number, entries, self._table().generation, ejected)
            self._complete = self._link.send(report)

    def hurry(self) -> None:
        """Report within `URGENT_SECONDS`."""
        if self._urgent is None:
            loop = asyncio.get_running_loop()
            self._urgent = loop.call_later(URGENT_SECONDS, self.report)

    def confirm(self, number: int) -> None:
        """Forget what is no longer needed, for control has report `number` for good."""
        current = {name: service.revision for name, service in self._table().services.items()}
        self._tally.forget(self._tally.droppable(current), number)
        if number >= self._last_number:
            self._confirmed.set()

    async def finish(self) -> None:
        """Report for the last time, and wait a moment until control has it for good."""
        self.report()
        if self._link.connected and self._last_number:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._confirmed.wait(), LAST_REPORT_SECONDS)
