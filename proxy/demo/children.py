"""Processes that cannot outlive this one.

Every child holds the reading end of a pipe whose writing end is here and nowhere else. To end a child is to
close that pipe, and the kernel closes it too when this process is killed: the clean end and the crash are
one mechanism. Children live in sessions of their own, so Ctrl-C in a terminal reaches this process alone
and the order of the ending stays in one hand.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from proxy.supervisor.commands import environment, python

PATIENCE = 8.0  # seconds a child has to end by itself
TAIL = 2_000  # characters of a log that an error quotes


class ChildEnded(RuntimeError):
    """A child ended although it was needed; the text carries the end of its log."""


class TookTooLong(RuntimeError):
    """Something did not happen within its time."""


class Child:
    """``python -m MODULE --lifeline FD ARGUMENTS``, run by this very interpreter; its output goes to `log`.

    `keep` are further file descriptors that it inherits, `environ` its whole environment (None: this one's).
    """

    def __init__(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        log: Path,
        *,
        keep: Iterable[int] = (),
        environ: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        lifeline, self._pipe = os.pipe()
        try:
            with log.open("wb") as out:
                self.process = subprocess.Popen(
                    [*python(module), "--lifeline", str(lifeline), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    pass_fds=(*keep, lifeline),
                    start_new_session=True,
                    env=environment(os.environ if environ is None else environ),
                )
        except BaseException:
            os.close(self._pipe)
            raise
        finally:
            os.close(lifeline)

    def __repr__(self) -> str:
        code = self.process.poll()
        return f"<Child {self.name} pid={self.process.pid} {'running' if code is None else f'exit={code}'}>"

    def check(self) -> None:
        """ChildEnded with the end of its log, unless the process is running."""
        code = self.process.poll()
        if code is not None:
            raise ChildEnded(f"{self.name} ended with exit code {code}:\n{self.tail()}")

    def tail(self) -> str:
        """The end of what the process printed."""
        with contextlib.suppress(OSError):
            return self.log.read_text(errors="replace")[-TAIL:].rstrip()
        return ""

    def end(self, patience: float = PATIENCE) -> None:
        """Closes the lifeline, waits up to `patience` seconds, then kills the process group."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
        finish(self.process, patience)


def finish(process: subprocess.Popen[bytes], patience: float) -> int:
    """Waits up to `patience` seconds for a process, then kills its group; its exit code either way."""
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        kill_group(process.pid)
        return process.wait()


def kill_group(pid: int) -> None:
    """SIGKILL for the process group that `pid` leads; nothing when it has gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def wait_until(done: Callable[[], bool], what: str, seconds: float, pause: float = 0.02) -> None:
    """Asks `done` until it says yes; TookTooLong, naming `what`, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TookTooLong(f"{what}: not within {seconds:g} s")
        time.sleep(pause)
