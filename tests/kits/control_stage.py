"""Control with a real ledger, workers in memory, and a clock that stands still until it is moved."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from proxy.config.connections import Limits
from proxy.config.notices import Hook
from proxy.config.reader import read
from proxy.control.broadcast import Broadcast, WorkerLink
from proxy.control.control import Control
from proxy.control.gates import Respondents
from proxy.control.managed_service import ManagedService
from proxy.control.schedule import Clock, Tasks
from proxy.ledger.errors import NotDurable
from proxy.ledger.journal import OpenLedger
from proxy.ledger.ledger import Kept, Ledger
from proxy.ledger.record import Record
from proxy.link.frames import Decoder, encode
from proxy.link.messages import Ack, Hello, Report, Table
from proxy.routing.endpoint import Endpoint
from proxy.routing.service import Service
from proxy.telemetry.control_metrics import Operations
from proxy.telemetry.outcome import COMPLETE, Outcome
from proxy.telemetry.tally import Tally

FILE = """
timeouts: {{header: 3s, idle: 4s, tunnel: 5s}}
limits: {{body: 1MiB}}
log: {{access: json}}
services:
  checkout:
    stable: http://127.0.0.1:9001
    canary: {{endpoints: [http://127.0.0.1:9002], version: {version}}}
    weight: {weight}
    analysis: {{enforce: {enforce}}}
  plain:
    match: {{path: /plain}}
    stable: http://127.0.0.1:9003
"""


class Flaky(Ledger):
    """A ledger that fails when told to, and waits while it is held."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.failing = False
        self.held = threading.Event()
        self.held.set()
        self.reached = threading.Event()

    def append(self, *records: Record) -> list[int]:
        self.reached.set()
        assert self.held.wait(20)
        self._fail()
        return super().append(*records)

    def keep(self, kept: Kept) -> None:
        self._fail()
        super().keep(kept)

    def _fail(self) -> None:
        if self.failing:
            raise NotDurable("the disk is full")


class Wire:
    """A transport whose other end is a list of messages."""

    def __init__(self, protocol: WorkerLink) -> None:
        self.protocol = protocol
        self.decoder = Decoder()
        self.said = []
        self.open = True
        self.waiting = 0

    def write(self, data: bytes) -> None:
        self.said += self.decoder.feed(data)

    def is_closing(self) -> bool:
        return not self.open

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        if self.open:
            self.open = False
            self.protocol.connection_lost(None)


class Worker:
    """The other end: a tally, and what control said."""

    def __init__(self, control: Control, boot: str = "b0", index: int = 0) -> None:
        self.tally, self.index = Tally(boot), index
        self.connect(control)

    def connect(
        self,
        control: Control,
        held: dict[str, int] | None = None,
        halted: dict[str, tuple[str]] | None = None,
    ) -> "Worker":
        self.link = control.broadcast.link()
        self.wire = Wire(self.link)
        self.link.connection_made(self.wire)
        self.send(Hello(self.tally.boot, self.index, 1, held or {}, halted or {}))
        self.report(everything=True)
        return self

    def send(self, message: Ack | Hello | Report) -> None:
        self.link.data_received(encode(message))

    def serve(
        self,
        backend: str = "canary",
        good: int = 0,
        bad: int = 0,
        revision: int = 1,
        service: str = "checkout",
        drawn: bool = True,
    ) -> "Worker":
        key = (service, revision, backend)
        for status, result in [(200, "success")] * good + [(500, "failure")] * bad:
            self.tally.begin(key)
            self.tally.add(Outcome(key, "GET", status, COMPLETE, result, drawn, 0.01, 0.02))
        return self

    def report(self, everything: bool = False) -> None:
        entries = self.tally.everything() if everything else self.tally.changed()
        self.send(Report(self.tally.boot, self.tally.number, entries, 0))

    def ejects(self, *urls: str) -> None:
        """Report that these endpoints are ejected, and no others."""
        self.send(Report(self.tally.boot, self.tally.number + 1, {}, 0, urls))
        self.tally.number += 1

    def ack(self) -> None:
        self.send(Ack(self.tables[-1].generation))

    def gone(self) -> None:
        self.wire.abort()

    @property
    def said(self) -> list[Any]:
        return self.wire.said

    @property
    def tables(self) -> list[Table]:
        return [message for message in self.said if isinstance(message, Table)]

    def told(self, service: str = "checkout") -> Service:
        """The service as it was told last."""
        return [each for table in self.tables for each in table.services if each.name == service][-1]


class Outside:
    """Who is asked says what the test says: `answers` is the canary's, `agrees` what hooks say, by place."""

    def __init__(self) -> None:
        self.respondents = Respondents(self._answers, self._agrees)
        self.answers = ""
        self.agrees = {}
        self.asked = []
        self.open = asyncio.Event()
        self.open.set()
        self.watched = []
        self.located = []
        self.resolved = asyncio.Event()
        self.resolved.set()
        self.known = {}
        self.probed = set()
        self.notified = []
        self.rollback_ms = None

    async def _answers(self, managed: ManagedService) -> str:
        self.asked.append("canary")
        return self.answers

    async def _agrees(self, hook: Hook, question: dict[str, Any]) -> str:
        self.asked.append((hook.at, question["service"], question["step"], question["to"]))
        await self.open.wait()
        return self.agrees.get(hook.at, "")

    async def run(self, broadcast: Broadcast) -> None:
        pass

    async def locate(self, endpoints: Iterable[Endpoint], servers: Sequence[str] | None = None) -> None:
        self.located.append((sorted({each.url for each in endpoints}), servers))
        await self.resolved.wait()

    def limit(self, limits: Limits) -> None:
        self.limits = limits

    def operations(self) -> Operations:
        return Operations()

    def conditions(self, name: str) -> dict[str, str]:
        return self.known

    def addresses(self, name: str) -> dict[Any, Any]:
        return {}

    def watch(self, managed: ManagedService) -> None:
        self.probed.add(managed.name)
        self.watched.append((managed.name, [side.name for side in managed.service.backends]))

    def forget(self, name: str) -> None:
        self.probed.remove(name)

    def notify(self, managed: ManagedService, record: Record, rollback_ms: float | None) -> None:
        self.notified.append((managed.name, record.entry.event))
        self.rollback_ms = rollback_ms


class Stage:
    """Where controls come and go over one ledger, at a time of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.time = 1000.0
        self.set_by = 0.0
        """By how many seconds somebody has set the machine's clock."""
        self.paused = asyncio.Event()
        self.controls = []
        self.outside = Outside()

    async def pause(self) -> None:
        await self.paused.wait()

    async def begin(
        self,
        weight: str = "20%",
        version: str = "v1",
        enforce: str = "true",
        workers: int = 1,
        text: str = "",
    ) -> Control:
        text = text or FILE.format(weight=weight, version=version, enforce=enforce)
        config = read(text, "weir.yaml", {})
        thread = ThreadPoolExecutor(1)
        self.ledger = await asyncio.get_running_loop().run_in_executor(thread, Flaky, self.path)
        clock = Clock(lambda: 1_700_000_000.0 + self.time + self.set_by, lambda: self.time, self.pause)
        recalled = await asyncio.get_running_loop().run_in_executor(thread, self.ledger.recall)
        opened, self.tasks = OpenLedger(self.ledger, thread, recalled), Tasks()
        control = Control(
            config, opened, workers=workers, tasks=self.tasks, clock=clock, outside=self.outside
        )
        self.controls.append((control, thread))
        await control.start()
        return control

    async def die(self) -> None:
        """As by SIGKILL: nothing more is written, and the lock is free."""
        _, thread = self.controls.pop()
        self.ledger.failing = False
        self.ledger.held.set()
        await self.tasks.cancel()
        await asyncio.get_running_loop().run_in_executor(thread, self.ledger.close)
        thread.shutdown()

    async def restart(self, **file: str) -> Control:
        await self.die()
        return await self.begin(**file)

    async def close(self) -> None:
        for control, thread in self.controls:
            self.ledger.failing = False
            self.ledger.held.set()
            await control.stop()
            thread.shutdown()

    async def look(self, control: Control, seconds: float = 0.0) -> None:
        """Let time pass, look, and let what follows from that come to its end."""
        self.time += seconds
        await control.tick()
        for _ in range(20):
            under_way = self.under_way("move")
            under_way += self.under_way("ask") if self.outside.open.is_set() else []
            if not under_way:
                break
            await asyncio.gather(*under_way, return_exceptions=True)
            await asyncio.sleep(0)

    def under_way(self, what: str) -> list[asyncio.Task[Any]]:
        """The tasks of control whose names begin like this."""
        return [task for task in self.tasks.running if task.get_name().startswith(f"{what} ")]

    async def ask(self, call: Callable[..., Any], *args: str) -> Any:
        """Call the ledger on its thread."""
        _, thread = self.controls[-1]
        return await asyncio.get_running_loop().run_in_executor(thread, call, *args)

    def worker(self, control: Control, boot: str = "b0", index: int = 0) -> Worker:
        """A worker that has said hello and told what it counted, which is nothing."""
        return Worker(control, boot, index)

    async def entries(self, service: str) -> list[str]:
        """What the ledger has of a service, also of one that is gone."""
        return [entry["event"] for entry in await self.ask(self.ledger.entries, service)]

    async def written(self, control: Control) -> None:
        """Everything that is on its way to the ledger is there."""
        await control.journal.append_now(tuple)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Any]:
    made = Stage(tmp_path / "weir.db")
    yield made
    await made.close()


@pytest.fixture(scope="session")
def stages() -> type[Any]:
    """Where a test may have many of them."""
    return Stage
