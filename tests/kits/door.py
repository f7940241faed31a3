"""A door: a listening socket whose clients come in by TLS handshakes, on both kinds of event loop."""

import asyncio
import contextlib
import errno
import os
import socket
import ssl
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from proxy.forwarding.arrivals import Arrivals
from proxy.tls.certificates import Certificates, renew
from proxy.tls.handshakes import shake
from proxy.tls.pem import Pair
from tests.kits.authority import Authority, Issued


class Echo(asyncio.Protocol):
    """A connection that came in."""

    def __init__(self, met: list["Echo | str"]) -> None:
        self.met = met
        self.got = b""
        self.lost = asyncio.get_running_loop().create_future()
        self.full = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.met.append(self)

    def data_received(self, data: bytes) -> None:
        self.got += data

    def eof_received(self) -> None:
        self.met.append("eof")

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False

    def connection_lost(self, error: ConnectionResetError | None) -> None:
        self.lost.set_result(error)


class Entrance(socket.socket):
    """A listening socket for which there may be no file descriptor left."""

    exhausted = False
    refused = 0

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        if self.exhausted:
            self.refused += 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


class Door:
    """A socket whose clients come in by handshakes."""

    def __init__(self, pair: Issued, authority: Authority, seconds: float) -> None:
        certificates = Certificates([Pair(pair.cert, pair.key)])
        renew([certificates])
        self.met = []
        self.room = 1000
        self.socket = Entrance(fileno=socket.create_server(("127.0.0.1", 0), backlog=64).detach())
        self.address = self.socket.getsockname()
        self.failed = []
        self.certificates, self.seconds = certificates, seconds
        self.arrivals = Arrivals(self.socket, self.arrive, lambda: self.room, lambda: self.failed.append(1))
        self.trusting = ssl.create_default_context(cafile=authority.cert)

    async def arrive(self, connection: socket.socket) -> None:
        try:
            await shake(connection, self.certificates, lambda: Echo(self.met), self.seconds)
        except OSError:
            self.failed.append(1)

    async def client(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.address, ssl=self.trusting, server_hostname="localhost")

    def stalled(self) -> socket.socket:
        """A client that connects and says nothing."""
        one = socket.create_connection(self.address)
        one.setblocking(False)
        return one

    async def under_way(self, number: int) -> None:
        await until(lambda: repr(self.arrivals) == f"<Arrivals {number} under way>")


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for is the kernel's doing
            await asyncio.sleep(0.001)


async def end_of(sock: socket.socket) -> None:
    """Waits for the end of a stalled client's connection."""
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(10):
            assert await asyncio.get_running_loop().sock_recv(sock, 100) == b""
    sock.close()


def sockets() -> int:
    """How many file descriptors of this process are sockets."""
    found = 0
    for path in Path("/dev/fd").iterdir():
        with contextlib.suppress(OSError):  # that of the directory itself
            found += stat.S_ISSOCK(os.fstat(int(path.name)).st_mode)
    return found


Story = Callable[[Door], Awaitable[None]]


def with_a_door(seconds: float = 30.0) -> Callable[[Story], Callable[..., None]]:
    """Play the test on both kinds of event loop; at its end no socket may be left."""

    def decorate(test: Story) -> Callable[..., None]:
        @pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
        def played(loop: Callable[[], asyncio.AbstractEventLoop], shop: Issued, authority: Authority) -> None:
            async def play() -> None:
                before = sockets()
                door = Door(shop, authority, seconds)
                door.arrivals.open()
                async with asyncio.timeout(20):
                    await test(door)
                door.arrivals.close()
                door.socket.close()
                await door.arrivals.wait_closed(0)
                await door.under_way(0)
                for one in door.met:
                    if isinstance(one, Echo):
                        one.transport.abort()
                        await one.lost
                await until(lambda: sockets() <= before)

            with asyncio.Runner(loop_factory=loop) as runner:
                runner.run(play())

        return played

    return decorate
