"""What the kernel knows of a connection and the event loop hasn't reported yet.

A loop reports on a connection in its own turn, and on one that isn't read not at all. Two questions can't
wait for that: whether something lies on a pooled connection at the moment it is taken, and whether a client
is gone whose bytes aren't wanted for now. Both are one system call (0.4 us), for TCP and unix sockets alike;
TCP_INFO would answer the second for TCP alone.
"""

import array
import asyncio
import contextlib
import fcntl
import select
import termios

_BROKEN = select.POLLERR
"""A reset. POLLHUP means less: both directions have ended, in order perhaps, with bytes still to be read."""
_ENDED = _BROKEN | select.POLLHUP | getattr(select, "POLLRDHUP", 0)
"""A reset, or (on Linux) the end of what the peer sends."""


class Peek:
    """A look at one connection."""

    __slots__ = ("_poll",)

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._poll: select.poll | None = None
        connection = transport.get_extra_info("socket")
        # Under TLS uvloop closes the descriptor a turn before it reports that the connection is lost.
        if connection is not None and connection.fileno() >= 0:
            self._poll = select.poll()
            self._poll.register(connection, select.POLLIN | _ENDED)

    def arrived(self) -> bool:
        """Return whether bytes or the end of the stream have come."""
        return self._poll is None or bool(self._poll.poll(0))

    def broken(self) -> bool:
        """Return whether the peer has reset the connection."""
        return self._sees(_BROKEN)

    def ended(self) -> bool:
        """Return whether the peer has ended the stream or is gone, whatever it sent before."""
        return self._sees(_ENDED)

    def _sees(self, events: int) -> bool:
        return self._poll is None or any(event & events for _, event in self._poll.poll(0))


def queued(transport: asyncio.BaseTransport) -> int:
    """Return how many bytes the kernel has taken from us and the peer hasn't taken from it (SIOCOUTQ).

    0 where that isn't known: on macOS, and of a socket that is closed.
    """
    size = array.array("i", [0])
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        with contextlib.suppress(OSError):
            fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, size)
    return size[0]
