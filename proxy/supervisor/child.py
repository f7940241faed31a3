"""One running child: its process, and the supervisor's end of its lifeline."""

import asyncio
import contextlib
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence

_EXIT_SECONDS = 5.0
"""Seconds in which a process must exit after it has closed its lifeline."""


class Child:
    """A process from its start to its end. The constructor raises OSError when it can't be started."""

    def __init__(self, argv: Sequence[str], fds: Sequence[int], environ: Mapping[str, str]) -> None:
        loop = asyncio.get_running_loop()
        self.started: asyncio.Future[str | None] = loop.create_future()
        """None when the child is ready; the reason when its start has failed."""
        self.ended: asyncio.Future[int] = loop.create_future()
        """The exit code as in `subprocess`: a negative one is the signal that killed the process."""
        self._rest = b""
        self._lifeline, child_end = socket.socketpair()
        with child_end, contextlib.ExitStack() as undo:
            undo.callback(self._lifeline.close)
            end = child_end.fileno()
            self._process = _spawn([*argv, "--lifeline", str(end)], [*fds, end], environ)
            undo.pop_all()
        self._lifeline.setblocking(False)
        loop.add_reader(self._lifeline, self._read)

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
        """The process id, valid also after the end."""
        return self._process.pid

    def send(self, word: str) -> None:
        """Send `reload`, `drain` or `stop`.

        A child that has ended ignores it, and `ended` reports its end soon.
        """
        with contextlib.suppress(OSError):
            self._lifeline.send(f"{word}\n".encode())

    def kill(self) -> None:
        """Send SIGKILL. Safe at any time: a process id is not used again before the process is reaped."""
        self._process.kill()

    def reap(self) -> None:
        """Collect the exit code, if the process has ended. To be called on SIGCHLD."""
        code = self._process.poll()
        if code is None or self.ended.done():
            return
        self._read()  # its last lines may still be in the socket
        self._close_lifeline()
        self._set_started(f"it {cause(code)} before it was ready")
        self.ended.set_result(code)

    def _read(self) -> None:
        try:
            data = self._lifeline.recv(65536)
        except BlockingIOError:
            return
        except OSError:  # reset, or closed on this side
            data = b""
        if not data:
            self._close_lifeline()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._receive(line.decode(errors="replace"))

    def _receive(self, line: str) -> None:
        if line == "ready":
            self._set_started(None)
        elif line.startswith("failed: "):
            self._set_started(line.removeprefix("failed: "))

    def _set_started(self, reason: str | None) -> None:
        if not self.started.done():
            self.started.set_result(reason)

    def _close_lifeline(self) -> None:
        if self._lifeline.fileno() < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._lifeline)
        self._lifeline.close()
        # Without a lifeline no order can reach it, so it is killed if it does not exit soon.
        loop.call_later(_EXIT_SECONDS, self.kill)


def _spawn(argv: list[str], fds: list[int], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    # In a session of its own, so that Ctrl-C in a terminal reaches the supervisor alone, which then drains in
    # order.
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, pass_fds=fds, start_new_session=True, env=environ)


def cause(code: int) -> str:
    """Return how a process ended, as a predicate: "ended with exit code 1", "was killed by SIGKILL"."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal has no name
        return f"was killed by signal {-code}"
