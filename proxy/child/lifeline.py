"""A child's end of the socket that ties it to the supervisor.

Lines go both ways. A child says `ready`, or `failed: reason` before it exits; the supervisor says `reload`,
`drain` and `stop`. The end of the stream says that the supervisor is gone, however it died, and no child
outlives it: a process that holds the port while nobody restarts or drains it is worse than none.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable

Act = Callable[[], None]

_PR_SET_PDEATHSIG = 1
"""prctl(2)."""
_REASON = 2000
"""Bytes of a reason that are passed on, few enough for one write to a fresh socket never to block."""


class Lifeline(asyncio.Protocol):
    """What the supervisor says, as calls. Attach it first: before that there is nobody to talk to.

    `on_drain`: finish what is in flight. `on_stop`: end now, in order. `on_gone`: the supervisor is gone, so
    exit at once; it is called once, and nothing is called after it. `on_reload`: read certificates again.
    """

    def __init__(self, on_drain: Act, on_stop: Act, on_gone: Act, on_reload: Act = lambda: None) -> None:
        self._acts = {b"drain": on_drain, b"stop": on_stop, b"reload": on_reload}
        self._on_gone = on_gone
        self._rest = b""
        self._fd = -1

    def __repr__(self) -> str:
        return f"<Lifeline {'not attached' if self._fd < 0 else f'fd {self._fd}'}>"

    def ready(self) -> None:
        """Tell the supervisor that this child does its work from now on."""
        self._say("ready")

    def failed(self, reason: str) -> None:
        """Tell the supervisor why this child can't start, and exit. Line ends become spaces."""
        self._say(f"failed: {' '.join(reason.split())}")

    def _say(self, line: str) -> None:
        # Written past the transport, for the process may exit in the next line; nothing else is ever written.
        # An error means that the supervisor is gone, and the end of the stream says so in a moment.
        with contextlib.suppress(OSError):
            os.write(self._fd, line.encode(errors="replace")[:_REASON] + b"\n")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._fd = transport.get_extra_info("socket").fileno()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop. An unknown line is ignored: a newer supervisor may say more."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if act := self._acts.get(line):
                act()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop, after the end of the stream or an error."""
        self._fd = -1
        self._on_gone()


async def attach(fd: int, lifeline: Lifeline) -> None:
    """Listen to the inherited file descriptor `fd` in the running loop, as long as the process lives.

    OSError when `fd` is no connected stream socket.
    """
    inherited = socket.socket(fileno=fd)
    inherited.set_inheritable(False)
    loop = asyncio.get_running_loop()
    await loop.create_unix_connection(lambda: lifeline, sock=inherited)


def die_with_parent() -> None:
    """Let Linux kill this process when its parent is gone: one that is stuck can't read its lifeline."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
