"""TLS clients, from the accepted socket to the end of their handshake.

The event loop's own server does not report the handshakes under way: a drain would cut them, and nothing
would bound their number. So clients are accepted here, and each handshake is a task with a deadline, which
blocks no other.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Protocol, cast

from proxy.tls.certificates import Certificates

MOST, FEWEST = 1024, 32
"""Bounds of the number of handshakes of one listener. One more cancels the oldest: a handshake takes
milliseconds, so an old one has stalled, and clients that only connect do not keep others out."""
AT_ONCE = 64
"""Clients that are accepted in one turn of the event loop."""
RETRY_SECONDS = 1.0
"""Seconds without accepting after the file descriptors have run out."""
SHUTDOWN_SECONDS = 3600.0
"""Seconds in which a closed connection has to send its data and to receive the peer's close_notify. The
deadline of the connection itself ends it long before; a short one here would cut off a slow reader."""
UNSENT = 64 * 1024
"""Bytes that wait to be sent before the sender has to pause, beside those of the socket's own transport."""


class BufferedTransport(Protocol):
    """The methods that the TLS transports of both event loops have beside those of their base class."""

    def set_read_buffer_limits(self, high: int, low: int) -> None:
        """Set how many received bytes may wait to be deciphered before reading from the socket stops."""

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        """Set how many bytes may wait to be sent before the protocol has to pause."""


def limit_buffers(transport: asyncio.BaseTransport) -> None:
    """Limit the bytes that a TLS transport buffers, so that it loses none of them.

    While its reader pauses, uvloop by default goes on reading from the socket and buffers up to 256 KiB, and
    discards all of it at the end of the stream. With a limit of one byte it stops reading while anything is
    buffered, so that the end of the stream comes after the data.
    """
    buffered = cast(BufferedTransport, transport)
    buffered.set_read_buffer_limits(high=1, low=0)
    buffered.set_write_buffer_limits(high=UNSENT, low=UNSENT // 4)


class Handshakes:
    """The acceptor of one listening socket, and its handshakes under way.

    Args:
        listening: the socket, bound and listening; the caller closes it.
        certificates: the certificates that clients get.
        connect: returns the protocol of a new connection, which begins after the handshake.
        seconds: returns the seconds that a handshake may take.
        room: returns how many more connections are allowed.
        failed: called for each failed handshake.
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
        """Begin to accept clients."""
        self._retry = None
        self._loop.add_reader(self._socket, self._accept_some)

    def close(self) -> None:
        """Accept the clients in the queue and none after them; handshakes go on."""
        self._loop.remove_reader(self._socket)
        if self._retry is not None:
            self._retry.cancel()
        with contextlib.suppress(OSError):
            while self._accept():
                pass

    async def wait_closed(self, seconds: float) -> None:
        """Wait until no handshake is under way, at most `seconds`; then cancel the others."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)
        for task in tuple(self._under_way):
            task.cancel()

    def _accept_some(self) -> None:
        try:
            self._accept()
        except OSError:
            # No file descriptor is left. Without a pause the loop would try again and again.
            self._loop.remove_reader(self._socket)
            self._retry = self._loop.call_later(RETRY_SECONDS, self.open)

    def _accept(self) -> bool:
        """Accept up to `AT_ONCE` clients; return whether there may be more."""
        for _ in range(AT_ONCE):
            try:
                connection, _ = self._socket.accept()
            except BlockingIOError:
                return False
            except ConnectionError:
                continue  # this client left the queue
            self._begin(connection)
        return True

    def _begin(self, connection: socket.socket) -> None:
        if len(self._under_way) >= max(FEWEST, min(MOST, self._room())):
            oldest = next(iter(self._under_way))
            del self._under_way[oldest]  # at once: others may begin before its cancellation runs
            oldest.cancel()
            self._failed()
        task = self._loop.create_task(self._shake(connection))
        self._under_way[task] = None

        def ended(task: asyncio.Task[None]) -> None:
            self._under_way.pop(task, None)
            if task.cancelled():
                connection.close()  # needed when it was cancelled before its first step

        task.add_done_callback(ended)

    async def _shake(self, connection: socket.socket) -> None:
        # A failed handshake concerns this client only: its socket is closed, and the failure is counted.
        try:
            transport, _ = await self._loop.connect_accepted_socket(
                self._connect,
                connection,
                ssl=self._certificates.context,
                ssl_handshake_timeout=self._seconds(),
                ssl_shutdown_timeout=SHUTDOWN_SECONDS,
            )
            limit_buffers(transport)
        except OSError:
            self._failed()
