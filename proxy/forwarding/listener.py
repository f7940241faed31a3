"""Takes in the connections of clients, and lets them go."""

import asyncio
import contextlib
import itertools
import socket
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from proxy.forwarding.downstream import Downstream
from proxy.forwarding.halted import Halted
from proxy.forwarding.lane import Lane
from proxy.forwarding.members import Member
from proxy.routing.table import Service
from proxy.tls.certificates import Certificates
from proxy.tls.handshakes import Handshakes

RESET_SECONDS = 1.0
"""How long the end of connections that were reset is awaited, at most."""
LOOK_AGAIN_SECONDS = 1.0
"""At least, between two looks at who still awaits an answer of a halted backend."""
QUEUE = 4096
"""As the sockets were told already by whoever bound them; the event loop says it again."""

# Newer Pythons would remove the path of a unix socket with the first server on it that closes; the supervisor
# does that, for it goes on using it.
_KEEP_PATH: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


class Listener:
    """Serves the sockets of one worker.

    Args:
        lane: what all its connections share.
        sockets: bound and listening; the listener owns these copies.
        certificates: what is shown on those of the sockets that speak TLS.
    """

    def __init__(
        self,
        lane: Lane,
        sockets: Sequence[socket.socket],
        certificates: Mapping[socket.socket, Certificates] = MappingProxyType({}),
    ) -> None:
        self._lane = lane
        self._sockets = [one for one in sockets if one not in certificates]
        self._handshakes = {
            one: Handshakes(
                one, shown, self._connect, lambda: lane.header_seconds, self._room, self._unshaken
            )
            for one, shown in certificates.items()
        }
        self._state: Literal["closed", "open"] = "closed"
        self._servers: list[asyncio.Server] = []
        self._connections: set[Member] = set()
        self._dismissed: set[Member] = set()
        self._empty = asyncio.Event()
        self._halts: dict[tuple[str, str], int] = {}
        """The number of the last halt of each backend that was ever halted."""
        self._numbers = itertools.count(1)

    def __repr__(self) -> str:
        state = "draining" if self._lane.draining else self._state
        return f"<Listener {state}, {len(self._connections)} connections>"

    async def open(self) -> None:
        """Begin to accept."""
        for one in self._sockets:
            self._servers.append(await self._serve(one))
        for handshakes in self._handshakes.values():
            handshakes.open()
        self._state = "open"
        self._lane.deadlines.start()

    async def _serve(self, one: socket.socket) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        # The server closes what it was given; the copy is for the connections that still queue then.
        copy = one.dup()
        if one.family == socket.AF_UNIX:
            return await loop.create_unix_server(self._connect, sock=copy, backlog=QUEUE, **_KEEP_PATH)
        return await loop.create_server(self._connect, sock=copy, backlog=QUEUE)

    async def drain(self, grace: float) -> None:
        """Accept what is queued, then nothing more; finish what is under way within ``grace`` seconds."""
        self._lane.draining = True
        for server in self._servers:
            server.close()
        for one in self._sockets:
            await self._accept_queued(one)
            one.close()
        for one, handshakes in self._handshakes.items():
            handshakes.close()
            one.close()
        self._finish()
        await self._all_gone(await self._handshakes_over(grace))
        for connection in tuple(self._connections):
            connection.reset()
        # A reset ends in a later turn of the loop, and what it cut is counted only then.
        await self._all_gone(RESET_SECONDS)
        self._lane.pool.close()
        self._lane.deadlines.stop()

    def _finish(self) -> None:
        for connection in tuple(self._connections):
            connection.finish()

    async def _handshakes_over(self, grace: float) -> float:
        """Wait for those who are on their way in; what is left of the grace."""
        if not self._handshakes:
            return grace
        now = asyncio.get_running_loop().time
        begun = now()
        await asyncio.gather(*(each.wait_closed(grace) for each in self._handshakes.values()))
        self._finish()
        return max(0.0, grace - (now() - begun))

    async def _all_gone(self, seconds: float) -> None:
        if self._connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), seconds)

    async def _accept_queued(self, one: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        one.setblocking(False)
        while True:
            try:
                connection, _ = one.accept()
            except OSError:
                return
            await loop.connect_accepted_socket(self._connect, connection)

    def _unshaken(self) -> None:
        self._lane.count_refusal("handshake")

    def _room(self) -> int:
        return self._lane.connections - len(self._connections)

    def halt(self, service: Service, backend: str) -> None:
        """Let go of a backend that has just been halted: at once where that hurts nobody, the rest later."""
        halted, number = Halted.of(service, backend), next(self._numbers)
        self._halts[service.name, backend] = number
        for connection in tuple(self._connections):
            connection.halted(halted, drained=False)
        if service.drain is not None:
            self._lane.later(service.drain, self._cut_off, halted, number)

    def _cut_off(self, halted: Halted, number: int) -> None:
        """End what goes on. A backend that is back in service, or was since then, is left alone."""
        name, backend = halted.service, halted.backend
        service = self._lane.table.services.get(name)
        if service is None or backend not in service.halted or self._halts[name, backend] != number:
            return
        awaited = [one.halted(halted, drained=True) for one in tuple(self._connections)]
        if any(awaited) and service.drain is not None:
            # What they get may be an answer without end.
            again = max(service.drain, LOOK_AGAIN_SECONDS)
            self._lane.later(again, self._cut_off, halted, number)

    def add(self, connection: Member) -> int:
        """A connection is open; returns how many there are, without those that were dismissed."""
        self._connections.add(connection)
        self._empty.clear()
        return len(self._connections) - len(self._dismissed)

    def dismiss(self, connection: Member) -> int:
        """There is no room for this one, and it is on its way out; returns how many such there are."""
        self._dismissed.add(connection)
        return len(self._dismissed)

    def discard(self, connection: Member) -> None:
        """A connection is over."""
        self._connections.discard(connection)
        self._dismissed.discard(connection)
        if not self._connections:
            self._empty.set()

    def _connect(self) -> Downstream:
        return Downstream(self._lane, self)
