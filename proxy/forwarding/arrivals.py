"""Clients on their way in: accepted, and not a connection yet, for they have something to do first.

That is a TLS handshake, or the header of the PROXY protocol. The event loop's own server does not report the
handshakes under way: a drain would cut them, and nothing would bound their number. So clients are accepted
here, and each is a task of its own, which blocks no other.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine

MOST, FEWEST = 1024, 32
"""Bounds of the number of arrivals of one listener. One more cancels the oldest: to arrive takes
milliseconds, so an old one has stalled, and clients that only connect do not keep others out."""
AT_ONCE = 64
"""Clients that are accepted in one turn of the event loop."""
RETRY_SECONDS = 1.0
"""Seconds without accepting after the file descriptors have run out."""


class Arrivals:
    """The acceptor of one listening socket, and the arrivals under way.

    Args:
        listening: the socket, bound and listening; the caller closes it.
        arrive: makes a connection of a client's socket, which is its own, in bounded time.
        room: returns how many more connections are allowed.
        failed: called for each that made room for another.
    """

    def __init__(
        self,
        listening: socket.socket,
        arrive: Callable[[socket.socket], Coroutine[None, None, None]],
        room: Callable[[], int],
        failed: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = listening
        self._socket.setblocking(False)
        self._arrive = arrive
        self._room = room
        self._failed = failed
        self._under_way: dict[asyncio.Task[None], None] = {}
        self._retry: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Arrivals {len(self._under_way)} under way>"

    def open(self) -> None:
        """Begin to accept clients."""
        self._retry = None
        self._loop.add_reader(self._socket, self._accept_some)

    def close(self) -> None:
        """Accept the clients in the queue and none after them; arrivals go on."""
        self._loop.remove_reader(self._socket)
        if self._retry is not None:
            self._retry.cancel()
        with contextlib.suppress(OSError):
            while self._accept():
                pass

    async def wait_closed(self, seconds: float) -> None:
        """Wait until no arrival is under way, at most `seconds`; then cancel the others."""
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
        task = self._loop.create_task(self._arrive(connection))
        self._under_way[task] = None

        def ended(task: asyncio.Task[None]) -> None:
            self._under_way.pop(task, None)
            if task.cancelled():
                connection.close()  # needed when it was cancelled before its first step

        task.add_done_callback(ended)
