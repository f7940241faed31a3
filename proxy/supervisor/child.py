"""One running child: a process, and the supervisor's end of the lifeline that ties it to us."""

import asyncio
import contextlib
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence

_FAREWELL = 5.0
"""Seconds that a process may go on for after it has let go of its lifeline."""


class Child:
    """A process from its start to its end. OSError from the constructor when it can't even be started.

    `started` becomes None when the child says that it is ready, and the reason when it never will be. `ended`
    becomes its return code as `subprocess` has it: a negative one is the signal that killed it.
    """

    def __init__(self, argv: Sequence[str], fds: Sequence[int], environ: Mapping[str, str]) -> None:
        loop = asyncio.get_running_loop()
        self.started: asyncio.Future[str | None] = loop.create_future()
        self.ended: asyncio.Future[int] = loop.create_future()
        self._rest = b""
        self._lifeline, theirs = socket.socketpair()
        with theirs, contextlib.ExitStack() as undo:
            undo.callback(self._lifeline.close)
            end = theirs.fileno()
            self._process = _spawn([*argv, "--lifeline", str(end)], [*fds, end], environ)
            undo.pop_all()
        self._lifeline.setblocking(False)
        loop.add_reader(self._lifeline, self._listen)

    def __repr__(self) -> str:
        return f"<Child {self.pid} {self._state()}>"

    def _state(self) -> str:
        if self.ended.done():
            return cause(self.ended.result())
        if not self.started.done():
            return "is starting"
        return "is ready" if self.started.result() is None else "failed to start"

    @property
    def pid(self) -> int:
        """The process id, also after the end."""
        return self._process.pid

    def tell(self, word: str) -> None:
        """Say `reload`, `drain` or `stop`; nothing happens to a child that is gone: its end is on its way."""
        with contextlib.suppress(OSError):
            self._lifeline.send(f"{word}\n".encode())

    def kill(self) -> None:
        """SIGKILL; safe at any time, because a process id is not used again before we have reaped it."""
        self._process.kill()

    def reap(self) -> None:
        """Notice the end of the process, if it has ended. To be called on SIGCHLD."""
        code = self._process.poll()
        if code is None or self.ended.done():
            return
        self._listen()  # its last words may still lie in the socket
        self._hang_up()
        self._conclude(f"it {cause(code)} before it was ready")
        self.ended.set_result(code)

    def _listen(self) -> None:
        try:
            data = self._lifeline.recv(65536)
        except BlockingIOError:
            return
        except OSError:  # reset, or hung up by ourselves
            data = b""
        if not data:
            self._hang_up()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._heed(line.decode(errors="replace"))

    def _heed(self, line: str) -> None:
        if line == "ready":
            self._conclude(None)
        elif line.startswith("failed: "):
            self._conclude(line.removeprefix("failed: "))

    def _conclude(self, reason: str | None) -> None:
        if not self.started.done():
            self.started.set_result(reason)

    def _hang_up(self) -> None:
        if self._lifeline.fileno() < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._lifeline)
        self._lifeline.close()
        # It is on its way out; what stays without a lifeline would be beyond our words for ever.
        loop.call_later(_FAREWELL, self.kill)


def _spawn(argv: list[str], fds: list[int], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C in a terminal reaches the supervisor alone, which then drains in order.
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, pass_fds=fds, start_new_session=True, env=environ)


def cause(code: int) -> str:
    """How a process ended, as a predicate: "ended with exit code 1", "was killed by SIGKILL"."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal has a number only
        return f"was killed by signal {-code}"
