"""Clients that speak TLS, from the accepted socket to the end of their handshake.

The event loop's own server would do it unseen: it tells nobody of the handshakes that are under way, so that
a drain would cut them, and nothing would bound their number. So clients are accepted here, and each handshake
is a task that ends in time. It waits for its peer in the event loop like everything else and holds up nobody.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Protocol, cast

from proxy.tls.certificates import Certificates

MOST, FEWEST = 1024, 32
"""Handshakes of one listener at a time, however much room there is for them. One more costs the oldest its
place: it takes a client milliseconds, so what is old is stalled, and those who only connect keep nobody
out."""
AT_ONCE = 64
"""Clients that are accepted in one turn of the event loop."""
RETRY_SECONDS = 1.0
"""How long nobody is accepted when there is no file descriptor left for it."""
FAREWELL_SECONDS = 3600.0
"""How long a connection that is closed may take to send what it has and to hear its peer's goodbye. The
deadline of the connection itself ends it long before; one here would cut a slow reader off his answer."""
UNSENT = 64 * 1024
"""Bytes that wait to be sent before the sender is asked to pause, beside those of the socket's own
transport."""


class Bounded(Protocol):
    """What the TLS transports of both event loops can do beyond what their base class says."""

    def set_read_buffer_limits(self, high: int, low: int) -> None:
        """How many received bytes wait to be deciphered before the socket is no longer read."""

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        """How many bytes wait to be sent before the protocol is told to pause."""


def bound(transport: asyncio.BaseTransport) -> None:
    """Bound what a TLS transport keeps in memory, and keep it from losing what it has.

    By default uvloop keeps up to 256 KiB that it has received while it isn't read, goes on reading the
    socket, and throws all of it away when the end of the stream comes meanwhile. With a bound of one byte it
    leaves the socket alone as long as anything waits, so that the end is seen behind the data.
    """
    bounded = cast(Bounded, transport)
    bounded.set_read_buffer_limits(high=1, low=0)
    bounded.set_write_buffer_limits(high=UNSENT, low=UNSENT // 4)


class Handshakes:
    """Accepts the clients of one listening socket.

    Args:
        listening: bound and listening; it stays its owner's.
        certificates: what the clients are shown.
        connect: makes the protocol of a new connection, which is told of it after the handshake.
        seconds: tells how long a handshake may take.
        room: tells how many more connections there may be.
        failed: is told of each handshake that came to nothing.
    """

    def __init__(
        self,
        listening: socket.socket,
        certificates: Certificates,
        connect: Callable[[], asyncio.Protocol],
        seconds: Callable[[], float],
        room: Callable[[], int],
        failed: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = listening
        self._socket.setblocking(False)
        self._certificates = certificates
        self._connect = connect
        self._seconds = seconds
        self._room = room
        self._failed = failed
        self._under_way: dict[asyncio.Task[None], None] = {}
        self._retry: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Handshakes {len(self._under_way)} under way>"

    def open(self) -> None:
        """Begin to accept."""
        self._retry = None
        self._loop.add_reader(self._socket, self._come_in)

    def close(self) -> None:
        """Accept who is in the queue and nobody after that; handshakes go on."""
        self._loop.remove_reader(self._socket)
        if self._retry is not None:
            self._retry.cancel()
        with contextlib.suppress(OSError):
            while self._accept():
                pass

    async def over(self, seconds: float) -> None:
        """Wait until no handshake is under way, then cut those that are."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)
        for task in tuple(self._under_way):
            task.cancel()

    def _come_in(self) -> None:
        try:
            self._accept()
        except OSError:
            # No file descriptor is left: without a pause we would run in circles.
            self._loop.remove_reader(self._socket)
            self._retry = self._loop.call_later(RETRY_SECONDS, self.open)

    def _accept(self) -> bool:
        """Accept some of the queue; whether there may be more."""
        for _ in range(AT_ONCE):
            try:
                connection, _ = self._socket.accept()
            except BlockingIOError:
                return False
            except ConnectionError:
                continue  # this one left while it queued
            self._begin(connection)
        return True

    def _begin(self, connection: socket.socket) -> None:
        if len(self._under_way) >= max(FEWEST, min(MOST, self._room())):
            oldest = next(iter(self._under_way))
            del self._under_way[oldest]  # at once: more may come in before it has noticed
            oldest.cancel()
            self._failed()
        task = self._loop.create_task(self._shake(connection))
        self._under_way[task] = None

        def ended(task: asyncio.Task[None]) -> None:
            self._under_way.pop(task, None)
            if task.cancelled():
                connection.close()  # it may have been cancelled before its first step

        task.add_done_callback(ended)

    async def _shake(self, connection: socket.socket) -> None:
        # Whatever is wrong with a client is its own affair: its socket is closed, and that is all.
        try:
            transport, _ = await self._loop.connect_accepted_socket(
                self._connect,
                connection,
                ssl=self._certificates.context,
                ssl_handshake_timeout=self._seconds(),
                ssl_shutdown_timeout=FAREWELL_SECONDS,
            )
            bound(transport)
        except OSError:
            self._failed()
