"""Processes that end with the process that started them.

Each of them holds the reading end of a pipe, its lifeline; the only writing end is here. Closing the writing
end asks the process to end. The kernel closes it too when this process is killed, so a crash ends the
children as a normal end does. Each runs in a session of its own, so that Ctrl-C in a terminal reaches this
process alone, which then ends the others in order.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from proxy.supervisor.commands import environment, python

PATIENCE = 8.0
"""Seconds that a process has to end by itself."""
TAIL = 2_000
"""Characters of a log that an error quotes, at most."""


class ProcessEnded(RuntimeError):
    """A process that ended although it was needed; the message has the end of its log."""


class DeadlineExceeded(RuntimeError):
    """An event that did not happen within its time."""


class LifelineProcess:
    """A process `python -m MODULE --lifeline FD ARGUMENTS`, run by this interpreter.

    Args:
        name: its name in messages.
        module: the module to run.
        arguments: its arguments after `--lifeline FD`.
        log: the file that gets its output.
        keep: further file descriptors that it inherits.
        environ: its whole environment; None: this process's.
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
        state = "running" if code is None else f"exit={code}"
        return f"<LifelineProcess {self.name} pid={self.process.pid} {state}>"

    def check(self) -> None:
        """Raise ProcessEnded unless the process is running."""
        code = self.process.poll()
        if code is not None:
            raise ProcessEnded(f"{self.name} ended with exit code {code}:\n{self.tail()}")

    def tail(self) -> str:
        """Return the end of what the process printed."""
        with contextlib.suppress(OSError):
            return self.log.read_text(errors="replace")[-TAIL:].rstrip()
        return ""

    def end(self, patience: float = PATIENCE) -> None:
        """Close the lifeline, wait up to `patience` seconds, then kill the process group."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
        finish(self.process, patience)


def finish(process: subprocess.Popen[bytes], patience: float) -> int:
    """Wait up to `patience` seconds for a process, then kill its group; return its exit code."""
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        kill_group(process.pid)
        return process.wait()


def kill_group(pid: int) -> None:
    """Send SIGKILL to the process group that `pid` leads, if it still exists."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def wait_until(done: Callable[[], bool], what: str, seconds: float, pause: float = 0.02) -> None:
    """Call `done` until it returns true; raise DeadlineExceeded, which names `what`, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise DeadlineExceeded(f"{what}: not within {seconds:g} s")
        time.sleep(pause)
