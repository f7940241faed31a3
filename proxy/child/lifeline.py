"""A child's end of its lifeline, the socket that connects it with the supervisor.

Lines go both ways. A child sends `ready`, or `failed: reason` before it exits; the supervisor sends `reload`,
`drain` and `stop`. The end of the stream means that the supervisor has ended, and the child exits: a process
that holds the port without a supervisor could neither be restarted nor drained.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable

Callback = Callable[[], None]

_PR_SET_PDEATHSIG = 1
"""The option of prctl(2) that sets the signal for the parent's end."""
_REASON = 2000
"""Bytes of a reason that are sent at most, so few that one write to a new socket never blocks."""


class Lifeline(asyncio.Protocol):
    """The lines of the supervisor, as calls. It has to be attached before anything is sent.

    Args:
        on_drain: finish what is in flight.
        on_stop: end now, in order.
        on_gone: the supervisor has ended, so exit at once; called once, and no other call follows.
        on_reload: read the files again.
    """

    def __init__(
        self, on_drain: Callback, on_stop: Callback, on_gone: Callback, on_reload: Callback = lambda: None
    ) -> None:
        self._callbacks = {b"drain": on_drain, b"stop": on_stop, b"reload": on_reload}
        self._on_gone = on_gone
        self._rest = b""
        self._fd = -1

    def __repr__(self) -> str:
        return f"<Lifeline {'not attached' if self._fd < 0 else f'fd {self._fd}'}>"

    def ready(self) -> None:
        """Report to the supervisor that this child works from now on."""
        self._send("ready")

    def failed(self, reason: str) -> None:
        """Report to the supervisor why this child can't start. Line ends become spaces."""
        self._send(f"failed: {' '.join(reason.split())}")

    def _send(self, line: str) -> None:
        # Written directly and not by the transport, for the process may exit right after this. An error means
        # that the supervisor has ended; the end of the stream reports that soon.
        with contextlib.suppress(OSError):
            os.write(self._fd, line.encode(errors="replace")[:_REASON] + b"\n")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection. Called by the event loop."""
        self._fd = transport.get_extra_info("socket").fileno()

    def data_received(self, data: bytes) -> None:
        """Call back for each line. Called by the event loop. Unknown lines are ignored."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if callback := self._callbacks.get(line):
                callback()

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the end of the supervisor. Called by the event loop at the end of the stream."""
        self._fd = -1
        self._on_gone()


async def attach(fd: int, lifeline: Lifeline) -> None:
    """Read the inherited file descriptor `fd` in the running loop, to the end of the process.

    Raises:
        OSError: `fd` is no connected stream socket.
    """
    inherited = socket.socket(fileno=fd)
    inherited.set_inheritable(False)
    loop = asyncio.get_running_loop()
    await loop.create_unix_connection(lambda: lifeline, sock=inherited)


def die_with_parent() -> None:
    """Make Linux kill this process when its parent ends: a process that hangs can't read its lifeline."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
