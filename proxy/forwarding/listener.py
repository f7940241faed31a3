"""Accepting the connections of clients, and draining them."""

import asyncio
import logging
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from proxy.forwarding.arrivals import Arrivals
from proxy.forwarding.connection import peer_of
from proxy.forwarding.data_plane import DataPlane
from proxy.forwarding.downstream import Downstream
from proxy.forwarding.members import Members
from proxy.forwarding.proxy_protocol import BadHeader, read_source
from proxy.http1.forwarded_fields import Peers
from proxy.tls.certificates import Certificates
from proxy.tls.handshakes import shake

log = logging.getLogger(__name__)

RESET_SECONDS = 1.0
"""How long the end of connections that were reset is awaited, at most."""
QUIET_SECONDS = 60.0
"""Between two log lines about connections that were refused."""
QUEUE = 4096
"""Length of the queue of clients, as the supervisor has set it; the event loop sets it again."""

# Newer Pythons would remove the path of a unix socket with the first server on it that closes; the supervisor
# does that, for it goes on using it.
_KEEP_PATH: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


@dataclass(frozen=True, slots=True)
class Entrance:
    """One place where clients come in."""

    socket: socket.socket
    """Bound and listening."""
    certificates: Certificates | None = None
    """What clients are shown; None: it speaks no TLS."""
    balancers: Peers | None = None
    """Who may connect, and begins with a header of the PROXY protocol; None: anybody, and without one."""


class Listener:
    """The listening sockets of one worker.

    Args:
        plane: what all its connections share.
        entrances: with sockets that are the listener's own.
    """

    def __init__(self, plane: DataPlane, entrances: Sequence[Entrance]) -> None:
        self._plane = plane
        self.members = Members(plane)
        self._sockets = [one.socket for one in entrances if not (one.certificates or one.balancers)]
        self.arrivals = {
            one.socket: Arrivals(
                one.socket,
                partial(self._arrive, one),
                self.members.room,
                partial(plane.accounts.refuse, "handshake" if one.certificates else "proxy-protocol"),
            )
            for one in entrances
            if one.certificates or one.balancers
        }
        self._state: Literal["closed", "open"] = "closed"
        self._servers: list[asyncio.Server] = []
        self._warn_again = 0.0

    def __repr__(self) -> str:
        state = "draining" if self._plane.draining else self._state
        return f"<Listener {state}, {len(self.members)} connections>"

    async def open(self) -> None:
        """Begin to accept."""
        for one in self._sockets:
            self._servers.append(await self._serve(one))
        for arrivals in self.arrivals.values():
            arrivals.open()
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
        for one, arrivals in self.arrivals.items():
            arrivals.close()
            one.close()
        self.members.finish()
        await self.members.gone(await self._arrivals_over(grace))
        self.members.reset()
        await self.members.gone(RESET_SECONDS)
        self._plane.pool.close()
        self._plane.deadlines.stop()

    async def _arrivals_over(self, grace: float) -> float:
        """Wait for arrivals that are under way; return what is left of the grace."""
        if not self.arrivals:
            return grace
        now = asyncio.get_running_loop().time
        begun = now()
        await asyncio.gather(*(each.wait_closed(grace) for each in self.arrivals.values()))
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

    async def _arrive(self, entrance: Entrance, connection: socket.socket) -> None:
        """Make a connection of a client's socket, behind what has to come first; its failure is its own."""
        client, shaking = "", False
        try:
            if entrance.balancers is not None:
                client = await self._read_client(entrance.balancers, connection)
            connect = partial(self._connect, client)
            if entrance.certificates is None:
                await asyncio.get_running_loop().connect_accepted_socket(connect, connection)
            else:
                shaking = True
                await shake(connection, entrance.certificates, connect, self._plane.header_seconds)
        except EOFError:
            connection.close()  # a balancer that looks whether somebody listens
        except BadHeader as bad:
            self._turn_away(connection, str(bad))
        except OSError:
            connection.close()
            self._plane.accounts.refuse("handshake" if shaking else "proxy-protocol")

    async def _read_client(self, balancers: Peers, connection: socket.socket) -> str:
        """Return the address of the client for whom a balancer has connected; empty: it is its own client."""
        connection.setblocking(False)
        if (peer := peer_of(connection)) not in balancers:
            raise BadHeader(f"{peer or 'the peer'} is not among those that `proxy_protocol` names")
        try:
            async with asyncio.timeout(self._plane.header_seconds):
                return await read_source(connection)
        except TimeoutError:
            raise BadHeader("its header did not come in time") from None

    def _turn_away(self, connection: socket.socket, why: str) -> None:
        now = self._plane.now()
        if now >= self._warn_again:
            self._warn_again = now + QUIET_SECONDS
            log.warning("a connection was refused where the PROXY protocol is spoken: %s", why)
        connection.close()
        self._plane.accounts.refuse("proxy-protocol")

    def _connect(self, client: str = "") -> Downstream:
        return Downstream(self._plane, self.members, client)
