"""Takes in the connections of clients, and lets them go."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence

from proxy.forwarding.downstream import Downstream
from proxy.forwarding.lane import Lane

RESET_SECONDS = 1.0
"""How long the end of connections that were reset is awaited, at most."""


class Listener:
    """Serves the sockets of one worker.

    Args:
        lane: what all its connections share.
        sockets: bound and listening; the listener owns these copies.
    """

    def __init__(self, lane: Lane, sockets: Sequence[socket.socket]) -> None:
        self._lane = lane
        self._sockets = sockets
        self._servers: list[asyncio.Server] = []
        self._connections: set[Downstream] = set()
        self._empty = asyncio.Event()

    def __repr__(self) -> str:
        state = "draining" if self._lane.draining else "open" if self._servers else "closed"
        return f"<Listener {state}, {len(self._connections)} connections>"

    async def open(self) -> None:
        """Begin to accept."""
        loop = asyncio.get_running_loop()
        for one in self._sockets:
            # The server closes what it was given; the copy is for the connections that still queue then.
            self._servers.append(await loop.create_server(self._connect, sock=one.dup(), backlog=4096))
        self._lane.deadlines.start()

    async def drain(self, grace: float) -> None:
        """Accept what is queued, then nothing more; finish what is under way within ``grace`` seconds."""
        self._lane.draining = True
        for server in self._servers:
            server.close()
        for one in self._sockets:
            await self._accept_queued(one)
            one.close()
        for connection in tuple(self._connections):
            connection.finish()
        await self._all_gone(grace)
        for connection in tuple(self._connections):
            connection.reset()
        # A reset ends in a later turn of the loop, and what it cut is counted only then.
        await self._all_gone(RESET_SECONDS)
        self._lane.pool.close()
        self._lane.deadlines.stop()

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

    def add(self, connection: Downstream) -> int:
        """A connection is open; returns how many there are."""
        self._connections.add(connection)
        self._empty.clear()
        return len(self._connections)

    def discard(self, connection: Downstream) -> None:
        """A connection is over."""
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

    def _connect(self) -> Downstream:
        return Downstream(self._lane, self)
