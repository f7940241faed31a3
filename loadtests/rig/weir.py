"""The real proxy for load tests and live tests: started from a config text, looked into, and taken down.

The whole tree is known by its parents, so that a test can end any one process of it, and so that nothing of
it is left behind.
"""

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rig.processes import await_gone, command_line, descendants, kill

from proxy.demo.admin_api import AdminApi
from proxy.demo.ports import LOOPBACK, free_ports
from proxy.demo.processes import DeadlineExceeded, ProcessEnded, finish, wait_until
from proxy.supervisor.commands import environment, python

START_SECONDS = 20.0


class Weir:
    """`weir run` on free ports, in `directory`, with `services` (and any other key but the addresses).

    `more_listen` are further places to listen, each an item of a YAML list. The ports and the directory stay
    the same over a stop and a start, and the ledger with them.
    """

    def __init__(
        self, directory: Path, settings: str, *, workers: int = 2, more_listen: Sequence[str] = ()
    ) -> None:
        self.directory = directory
        self.port, self.admin_port = unpromised_ports("".join(more_listen))
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.admin = AdminApi(f"http://{LOOPBACK}:{self.admin_port}")
        self.config = directory / "weir.yaml"
        listen = ", ".join((f'"{LOOPBACK}:{self.port}"', *more_listen))
        self.config.write_text(
            f"listen: [{listen}]\n"
            f'admin: {{listen: "{LOOPBACK}:{self.admin_port}"}}\n'
            f"workers: {workers}\n{settings}"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        code = None if self.process is None else self.process.poll()
        return f"<Weir on {self.port}: {'not started' if self.process is None else code or 'running'}>"

    @property
    def pid(self) -> int:
        """The supervisor."""
        assert self.process is not None, "weir was not started"
        return self.process.pid

    def spawn(self) -> subprocess.Popen[bytes]:
        """Starts it and does not wait; its output goes to weir.log."""
        with (self.directory / "weir.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*python("proxy.cli"), "run", "--config", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment(os.environ | {"TMPDIR": str(self.directory)}),
            )
        return self.process

    def start(self) -> None:
        """Start it and wait until it is ready; an error has the end of its log."""
        process = self.spawn()

        def ready() -> bool:
            if process.poll() is not None:
                raise ProcessEnded(f"weir ended with exit code {process.returncode}:\n{self.log()}")
            return self.admin.ready()

        try:
            wait_until(ready, "weir is ready", START_SECONDS)
        except DeadlineExceeded as late:
            raise DeadlineExceeded(f"{late}\n{self.log()}") from None

    def log(self) -> str:
        """What it has printed."""
        return (self.directory / "weir.log").read_text(errors="replace")

    def tree(self) -> list[int]:
        """The supervisor and everything below it."""
        return descendants(self.pid)

    def control(self) -> int:
        """The pid of the control process."""
        (pid,) = self.controls()
        return pid

    def controls(self) -> list[int]:
        """The pid of the control process; none while it is being replaced."""
        return self._running("proxy.control")

    def workers(self) -> list[int]:
        """The pids of the workers."""
        return self._running("proxy.worker")

    def kill_tree(self) -> None:
        """SIGKILL for all of it, the supervisor first, so that it starts nothing anew."""
        pids = self.tree()
        for pid in pids:
            kill(pid)
        finish(self._process(), 0.0)
        await_gone(pids)

    def _process(self) -> subprocess.Popen[bytes]:
        assert self.process is not None, "weir was not started"
        return self.process

    def _running(self, module: str) -> list[int]:
        """Children of the supervisor that run `module`."""
        return [pid for pid in self.tree() if f" {module} " in f"{command_line(pid)} "]


def unpromised_ports(promised: str) -> list[int]:
    """Two free ports that this text doesn't name: those are still free too, and promised to somebody else."""
    while True:
        ports = free_ports([0, 0])
        if not any(str(port) in promised for port in ports):
            return ports


@contextmanager
def weir(
    directory: Path, settings: str, *, workers: int = 2, more_listen: Sequence[str] = ()
) -> Iterator[Weir]:
    """A running proxy; all of its processes are gone at the end."""
    made = Weir(directory, settings, workers=workers, more_listen=more_listen)
    try:
        made.start()
        yield made
    finally:
        if made.process is not None and made.process.poll() is None:
            made.kill_tree()


async def until(done: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    """Waits beside a running load until `done` says yes; DeadlineExceeded, naming `what`, after `seconds`."""
    await asyncio.to_thread(wait_until, done, what, seconds)


def services(stable: str, canary: str, *, weight: float = 0, more: str = "") -> str:
    """The settings of one service `shop`; `more` are further lines of it, indented by four."""
    return f"services:\n  shop:\n    stable: {stable}\n    canary: {canary}\n    weight: {weight:g}%\n{more}"
