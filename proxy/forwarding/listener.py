"""Accepting the connections of clients, and draining them."""

import asyncio
import socket
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from proxy.forwarding.data_plane import DataPlane
from proxy.forwarding.downstream import Downstream
from proxy.forwarding.members import Members
from proxy.tls.certificates import Certificates
from proxy.tls.handshakes import Handshakes

RESET_SECONDS = 1.0
"""How long the end of connections that were reset is awaited, at most."""
QUEUE = 4096
"""Length of the queue of clients, as the supervisor has set it; the event loop sets it again."""

# Newer Pythons would remove the path of a unix socket with the first server on it that closes; the supervisor
# does that, for it goes on using it.
_KEEP_PATH: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


class Listener:
    """The listening sockets of one worker.

    Args:
        plane: what all its connections share.
        sockets: bound and listening; the listener owns these copies.
        certificates: what is shown on those of the sockets that speak TLS.
    """

    def __init__(
        self,
        plane: DataPlane,
        sockets: Sequence[socket.socket],
        certificates: Mapping[socket.socket, Certificates] = MappingProxyType({}),
    ) -> None:
        self._plane = plane
        self._sockets = [one for one in sockets if one not in certificates]
        self.members = Members(plane)
        self.handshakes = {
            one: Handshakes(
                one, shown, self._connect, lambda: plane.header_seconds, self.members.room, self._unshaken
            )
            for one, shown in certificates.items()
        }
        self._state: Literal["closed", "open"] = "closed"
        self._servers: list[asyncio.Server] = []

    def __repr__(self) -> str:
        state = "draining" if self._plane.draining else self._state
        return f"<Listener {state}, {len(self.members)} connections>"

    async def open(self) -> None:
        """Begin to accept."""
        for one in self._sockets:
            self._servers.append(await self._serve(one))
        for handshakes in self.handshakes.values():
            handshakes.open()
        self._state = "open"
        self._plane.deadlines.start()

    async def _serve(self, one: socket.socket) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        # The server closes what it was given; the copy is for the connections that still queue then.
        copy = one.dup()
        if one.family == socket.AF_UNIX:
            return await loop.create_unix_server(self._connect, sock=copy, backlog=QUEUE, **_KEEP_PATH)
        return await loop.create_server(self._connect, sock=copy, backlog=QUEUE)

    async def drain(self, grace: float) -> None:
        """Accept what is queued, then nothing more; finish what is under way within `grace` seconds."""
        self._plane.draining = True
        for server in self._servers:
            server.close()
        for one in self._sockets:
            await self._accept_queued(one)
            one.close()
        for one, handshakes in self.handshakes.items():
            handshakes.close()
            one.close()
        self.members.finish()
        await self.members.gone(await self._handshakes_over(grace))
        self.members.reset()
        await self.members.gone(RESET_SECONDS)
        self._plane.pool.close()
        self._plane.deadlines.stop()

    async def _handshakes_over(self, grace: float) -> float:
        """Wait for handshakes that are under way; return what is left of the grace."""
        if not self.handshakes:
            return grace
        now = asyncio.get_running_loop().time
        begun = now()
        await asyncio.gather(*(each.wait_closed(grace) for each in self.handshakes.values()))
        self.members.finish()
        return max(0.0, grace - (now() - begun))

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
        self._plane.accounts.refuse("handshake")

    def _connect(self) -> Downstream:
        return Downstream(self._plane, self.members)
