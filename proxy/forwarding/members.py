"""The open connections of a worker's clients: how many there may be, and how they leave a halted backend."""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from typing import Protocol

from proxy.forwarding.data_plane import DataPlane
from proxy.forwarding.halt import HaltedBackend
from proxy.routing.table import Service

MOST_DISMISSED = 64
"""Connections beyond the limit that are answered at a time; those beyond these are closed without a word."""
LOOK_AGAIN_SECONDS = 1.0
"""At least, between two looks at the connections that still await an answer of a halted backend."""


class Member(Protocol):
    """One connection of a client, as far as it is ended from outside."""

    def finish(self) -> None:
        """End after the request that is under way, or at once when there is none."""

    def reset(self) -> None:
        """End evidently broken."""

    def halted(self, halted: HaltedBackend, *, drained: bool) -> bool:
        """Leave a halted backend; return whether it still awaits it. `drained`: it had its time."""


class Members:
    """The open connections of the clients of one worker.

    Args:
        plane: what they share.
    """

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane
        self._open: set[Member] = set()
        self._dismissed: set[Member] = set()
        self._empty = asyncio.Event()
        self._halts: dict[tuple[str, str], int] = {}
        """The number of the last halt of each backend that was ever halted."""
        self._numbers = itertools.count(1)

    def __repr__(self) -> str:
        return f"<Members {len(self._open)} open, {len(self._dismissed)} of them dismissed>"

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Member]:
        return iter(tuple(self._open))

    def room(self) -> int:
        """Return for how many more there is room."""
        return self._plane.connections - len(self._open)

    # Each connection calls these.

    def add(self, connection: Member) -> int:
        """Add a connection that is open; return how many there are, without those that were dismissed."""
        self._open.add(connection)
        self._empty.clear()
        return len(self._open) - len(self._dismissed)

    def dismiss(self, connection: Member) -> int:
        """Dismiss a connection for which there is no room; return how many such are on their way out."""
        self._dismissed.add(connection)
        return len(self._dismissed)

    def discard(self, connection: Member) -> None:
        """Remove a connection that is over."""
        self._open.discard(connection)
        self._dismissed.discard(connection)
        if not self._open:
            self._empty.set()

    # Ending all of them.

    def finish(self) -> None:
        """End each after the request that is under way."""
        for connection in self:
            connection.finish()

    def reset(self) -> None:
        """End all evidently broken. What that cuts is counted in a later turn of the loop."""
        for connection in self:
            connection.reset()

    async def gone(self, seconds: float) -> None:
        """Wait until none is left, but no longer than these seconds."""
        if self._open:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), seconds)

    # A halted backend.

    def halt(self, service: Service, backend: str) -> None:
        """Leave a backend that was just halted: at once where no answer has begun, else after its drain."""
        halted, number = HaltedBackend.of(service, backend), next(self._numbers)
        self._halts[service.name, backend] = number
        for connection in self:
            connection.halted(halted, drained=False)
        if service.drain is not None:
            self._plane.later(service.drain, self._cut_off, halted, number)

    def _cut_off(self, halted: HaltedBackend, number: int) -> None:
        """End what goes on. A backend that is back in service, or was since then, is left alone."""
        name, backend = halted.service, halted.backend
        service = self._plane.table.services.get(name)
        if service is None or backend not in service.halted or self._halts[name, backend] != number:
            return
        awaited = [one.halted(halted, drained=True) for one in self]
        if any(awaited) and service.drain is not None:
            # What they get may be an answer without end.
            again = max(service.drain, LOOK_AGAIN_SECONDS)
            self._plane.later(again, self._cut_off, halted, number)
