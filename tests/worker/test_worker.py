"""A worker does what control says, and says what it counted; here with a control that the test plays."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proxy.child import garbage_collector
from proxy.forwarding.listener import Entrance
from proxy.link.frames import Decoder, encode
from proxy.link.messages import (
    Ack,
    DeadAddresses,
    Hello,
    Message,
    Report,
    ReportStored,
    ResolvedNames,
    Table,
    ThresholdUpdate,
)
from proxy.routing.endpoint import Endpoint
from proxy.routing.match import RouteMatch
from proxy.routing.split import Split
from proxy.routing.table import Backend, Service
from proxy.tls.certificates import Certificates
from proxy.tls.pem import Pair
from proxy.worker import capacity, reports
from proxy.worker import worker as module
from proxy.worker.accesslog import AccessLog
from proxy.worker.certificate_renewal import Renewal
from proxy.worker.worker import Worker
from tests.kits.messages import SETTINGS

pytestmark = pytest.mark.process

BOOT = "b007b007b007b007"
KEY = ("shop", 1, "stable")


class Control:
    """The other end of the link: everything that the worker said, in order, and a way to answer."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.heard: asyncio.Queue[Message] = asyncio.Queue()
        self._writer: asyncio.StreamWriter | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._accept, self.path)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        decoder = Decoder()
        while data := await reader.read(65536):
            for message in decoder.feed(data):
                self.heard.put_nowait(message)

    def say(self, *messages: Message) -> None:
        assert self._writer is not None
        self._writer.write(b"".join(map(encode, messages)))

    def hang_up(self) -> None:
        assert self._writer is not None
        self._writer.transport.abort()

    async def next(self, kind: type[Message]) -> Any:
        """The next message of this kind; others are passed over."""
        while True:
            message = await asyncio.wait_for(self.heard.get(), 10)
            if isinstance(message, kind):
                return message

    async def stop(self) -> None:
        self._server.close()
        if self._writer is not None:
            self._writer.close()


class Stage:
    """A worker on a port of its own, its control, its supervisor's end, and an origin."""

    def __init__(self, tmp_path: Path, grace: float) -> None:
        self.grace = grace
        self.control = Control(tmp_path / "link")
        self.status = 200
        self.set_aside: list[Worker] = []
        self.draining = False
        self.sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port = self.sockets[0].getsockname()[1]
        self.supervisor, self._inherited = socket.socketpair()
        self.supervisor.setblocking(False)

    async def start(self) -> None:
        await self.control.start()
        self._origin = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.origin_port = self._origin.sockets[0].getsockname()[1]
        self.worker = Worker(3, BOOT, self.control.path, list(map(Entrance, self.sockets)), self.grace)
        self.running = asyncio.ensure_future(self.worker.run(self._inherited.detach()))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % self.status)
        await writer.drain()
        writer.close()

    def service(self, revision: int = 1, halted: frozenset[str] = frozenset()) -> Service:
        origin = (Endpoint.parse(f"http://127.0.0.1:{self.origin_port}"),)
        backends = (Backend("stable", origin), Backend("canary", origin))
        return Service("shop", revision, RouteMatch(), backends, Split((("canary", 0),)), halted)

    def table(self, generation: int, *services: Service, complete: bool = True) -> Table:
        return Table(generation, services, (), complete)

    async def begin(self) -> None:
        """Through hello and the first table, until the worker says ready."""
        await self.control.next(Hello)
        self.control.say(SETTINGS, self.table(1, self.service()))
        await self.control.next(Ack)
        assert await self.said() == b"ready\n"

    async def log_accesses(self) -> None:
        self.control.say(replace(SETTINGS, access="common"))
        await until(lambda: isinstance(self.worker.plane.accounts.access, AccessLog))

    def drain(self) -> None:
        self.draining = True
        self.supervisor.send(b"drain\n")

    async def said(self) -> bytes:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.supervisor, 1000), 10)

    async def get(self) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer

    async def stop(self) -> None:
        if self.set_aside and not self.draining:
            self.drain()
            await asyncio.wait_for(self.running, 10)
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        self._origin.close()
        await self.control.stop()
        self.supervisor.close()
        for one in self.sockets:
            one.close()


@pytest.fixture
def grace() -> float:
    return 5.0


@pytest.fixture
def report_seconds() -> float:
    """Nothing is reported by the clock alone unless a test asks for it."""
    return 3600.0


@pytest.fixture
async def stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grace: float, report_seconds: float
) -> AsyncIterator[Stage]:
    monkeypatch.setattr(module, "REPORT_SECONDS", report_seconds)
    monkeypatch.setattr(reports, "LAST_REPORT_SECONDS", 3600)
    # The end of the lifeline would end the test run as well.
    monkeypatch.setattr(os, "_exit", lambda status: None)
    stage = Stage(tmp_path, grace)
    # It would outlast the test.
    monkeypatch.setattr(
        garbage_collector, "exempt_startup_objects", lambda: stage.set_aside.append(stage.worker)
    )
    await stage.start()
    yield stage
    monkeypatch.setattr(reports, "LAST_REPORT_SECONDS", 0.0)
    await stage.stop()


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  # what is waited for is another's plain attribute
            await asyncio.sleep(0)


async def test_it_says_hello_and_accepts_nobody_before_it_has_a_table(stage: Stage) -> None:
    assert await stage.control.next(Hello) == Hello(BOOT, 3, os.getpid(), {}, {})
    assert await stage.control.next(Report) == Report(BOOT, 1, {}, 0)
    answer = asyncio.ensure_future(stage.get())
    await asyncio.sleep(0)
    assert not answer.done(), "the connection waits in the kernel's queue"
    stage.control.say(stage.table(1, stage.service()))
    assert await stage.control.next(Ack) == Ack(1)
    assert (await answer).startswith(b"HTTP/1.1 200 X\r\n")


async def test_what_is_there_is_set_aside_with_the_table_and_before_it_is_ready(stage: Stage) -> None:
    await stage.control.next(Hello)
    assert stage.set_aside == []
    stage.control.say(SETTINGS, stage.table(1, stage.service()))
    assert await stage.said() == b"ready\n"
    assert stage.set_aside == [stage.worker]


async def test_a_failure_is_told_without_waiting_for_the_next_report(stage: Stage) -> None:
    await stage.begin()
    stage.status = 500
    await stage.get()
    report = await stage.control.next(Report)
    while not report.entries:
        report = await stage.control.next(Report)
    assert report.entries[KEY].failures == 1
    assert report.held == 1


@pytest.mark.parametrize("report_seconds", [0.01])
async def test_what_it_counted_is_told_every_so_often(stage: Stage) -> None:
    await stage.begin()
    await stage.get()
    report = await stage.control.next(Report)
    while KEY not in report.entries or not report.entries[KEY].successes:
        report = await stage.control.next(Report)


async def test_of_a_table_that_broke_off_nothing_is_kept(stage: Stage) -> None:
    await stage.begin()
    other = replace(stage.service(), name="other", match=RouteMatch("other"))
    stage.control.say(replace(stage.table(2, other), more=True))
    await until(lambda: "1 coming" in repr(stage.worker.tables))
    stage.control.hang_up()
    await stage.control.next(Hello)
    stage.control.say(stage.table(3, stage.service(2)))
    assert await stage.control.next(Ack) == Ack(3)
    assert list(stage.worker.plane.table.services) == ["shop"]


async def test_a_dead_stable_answers_503_and_counts_it(stage: Stage) -> None:
    await stage.begin()
    stage.control.say(
        DeadAddresses({"shop": frozenset({(f"http://127.0.0.1:{stage.origin_port}", "127.0.0.1")})})
    )
    await until(lambda: not stage.worker.plane.table.services["shop"].in_service["stable"])
    assert (await stage.get()).startswith(b"HTTP/1.1 503 ")
    report = await stage.control.next(Report)
    while KEY not in report.entries or not report.entries[KEY].failures:
        report = await stage.control.next(Report)
    assert report.entries[KEY].errors == {"refused": 1}


async def test_a_new_link_is_told_everything_and_what_is_halted(stage: Stage) -> None:
    await stage.begin()
    stage.control.say(stage.table(2, stage.service(2, frozenset(["canary"])), complete=False))
    await stage.control.next(Ack)
    stage.status = 500
    await stage.get()
    stage.control.hang_up()
    hello = await stage.control.next(Hello)
    assert (hello.held, hello.halted) == ({"shop": 2}, {"shop": ("canary",)})
    report = await stage.control.next(Report)
    assert report.entries["shop", 2, "stable"].failures == 1


async def test_those_on_a_backend_are_told_when_it_is_halted_and_only_then(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.begin()
    told: list[tuple[int, str, int]] = []

    def halt(service: Service, backend: str) -> None:
        told.append((service.revision, backend, stage.worker.plane.table.generation))

    monkeypatch.setattr(stage.worker.listener.members, "halt", halt)
    out = frozenset(["canary"])
    tables = [
        (2, stage.service(2)),
        (3, stage.service(3, out)),
        (4, stage.service(4, out)),
        (5, stage.service(5)),
        (6, stage.service(6, out)),
    ]
    for generation, service in tables:
        stage.control.say(stage.table(generation, service, complete=False))
        assert await stage.control.next(Ack) == Ack(generation)
    assert told == [(3, "canary", 3), (6, "canary", 6)], "nobody is sent there any more by then"


async def test_settings_reach_the_connections(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    styles: list[str] = []
    closed = asyncio.Event()
    close = AccessLog.close

    async def closing(log: AccessLog) -> None:
        await close(log)
        closed.set()

    monkeypatch.setattr(AccessLog, "restyle", lambda log, style: styles.append(style))
    monkeypatch.setattr(AccessLog, "close", closing)
    await stage.begin()
    plane = stage.worker.plane
    told = replace(
        SETTINGS,
        header=1.5,
        idle=2.5,
        access="json",
        line=1024,
        head=2048,
        fields=3,
        connections=4,
        pool_idle=5.5,
        max_idle=6,
        trusted=("10.0.0.0/8", "unix"),
        via=False,
        forwarded=True,
    )
    stage.control.say(told)
    await until(lambda: isinstance(plane.accounts.access, AccessLog))
    assert (plane.header_seconds, plane.idle_seconds) == (1.5, 2.5)
    assert (plane.heads.limits.line, plane.heads.limits.head, plane.heads.limits.fields) == (1024, 2048, 3)
    assert (plane.pool.idle_seconds, plane.pool.max_idle, plane.connections) == (5.5, 6, 4)
    assert plane.provenance.trusted == ("10.0.0.0/8", "unix")
    assert (plane.provenance.via, plane.provenance.forwarded) == (False, True)
    first = plane.accounts.access
    stage.control.say(replace(told, access="combined"))
    await until(lambda: styles == ["combined"])
    assert plane.accounts.access is first, "what it has noted is written, too"
    stage.control.say(replace(told, access="off"))
    await until(lambda: not isinstance(plane.accounts.access, AccessLog))
    await asyncio.wait_for(closed.wait(), 10)


async def test_as_many_clients_as_there_are_descriptors_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "limit", lambda: 1000)
    await stage.begin()
    plane = stage.worker.plane
    assert plane.connections == capacity.room(1000, 1, 64), "both sides of the service have one endpoint"
    other = Backend("canary", (Endpoint.parse("http://127.0.0.1:1"),))
    two = replace(stage.service(2), backends=(stage.service().backends[0], other))
    stage.control.say(stage.table(2, two))
    assert await stage.control.next(Ack) == Ack(2)
    assert plane.connections == capacity.room(1000, 1, 128)
    monkeypatch.setattr(capacity, "limit", lambda: 900)  # seen at the next look
    weighed = replace(plane.table.services["shop"], revision=9)
    stage.control.say(stage.table(8, weighed, complete=False))
    assert await stage.control.next(Ack) == Ack(8)
    assert plane.connections == capacity.room(1000, 1, 128), "who has the same endpoints isn't counted anew"
    monkeypatch.setattr(capacity, "limit", lambda: 1000)
    stage.control.say(replace(SETTINGS, max_idle=0))
    await until(lambda: plane.connections == capacity.room(1000, 1, 0))


async def test_room_for_clients_follows_the_endpoints_that_come_and_go(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "limit", lambda: 1000)
    await stage.begin()
    one, two = (capacity.room(1000, 1, 64 * endpoints) for endpoints in (1, 2))
    origin = (Endpoint.parse("http://127.0.0.1:1"),)
    other = replace(stage.service(), name="other", backends=(Backend("stable", origin),), split=Split(()))
    for table, room in (
        (stage.table(2, other, complete=False), two),
        (Table(3, (), ("other",), complete=False), one),
        (stage.table(4, other, complete=False), two),
        (stage.table(5, stage.service()), one),
    ):
        stage.control.say(table)
        assert await stage.control.next(Ack) == Ack(table.generation)
        assert stage.worker.plane.connections == room


async def test_the_number_of_clients_in_the_file_holds_as_far_as_the_descriptors_go(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(capacity, "limit", lambda: 1000)
    await stage.begin()
    plane, room = stage.worker.plane, capacity.room(1000, 1, 64)
    stage.control.say(replace(SETTINGS, connections=room))
    await until(lambda: plane.connections == room)
    stage.control.say(replace(SETTINGS, connections=7))
    await until(lambda: plane.connections == 7)
    assert caplog.messages == []
    stage.control.say(replace(SETTINGS, connections=10_000))
    await until(lambda: plane.connections == room)
    stage.control.say(replace(SETTINGS, connections=10_000), stage.table(2, stage.service(2)))
    assert await stage.control.next(Ack) == Ack(2)
    assert caplog.messages == [
        "limits.connections is 10000, and 1000 open files are enough for 435: so many are taken; "
        "raise the hard limit, or lower pool.max_idle"
    ]


async def test_draining_waits_until_its_last_counts_are_durable(stage: Stage) -> None:
    await stage.begin()
    await stage.get()
    stage.drain()
    report = await stage.control.next(Report)
    while not report.entries:
        report = await stage.control.next(Report)
    assert report.entries[KEY].successes == 1
    stage.control.say(ReportStored(report.number - 1))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(stage.running), 0.05)
    stage.control.say(ReportStored(report.number))
    await asyncio.wait_for(stage.running, 10)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", stage.port)


@pytest.mark.parametrize("grace", [0.0])
async def test_what_is_cut_at_the_end_of_grace_is_told_too(stage: Stage) -> None:
    await stage.begin()
    _, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\n")
    await until(lambda: "1 in flight" in repr(stage.worker.tally))
    stage.drain()
    report = await stage.control.next(Report)
    while not report.entries:
        report = await stage.control.next(Report)
    assert report.entries[KEY].excluded == 1
    assert report.entries[KEY].in_flight == 0
    writer.close()


@pytest.mark.parametrize("report_seconds", [0.01])
async def test_the_access_log_is_written_every_so_often(
    stage: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    await stage.begin()
    await stage.log_accesses()
    await stage.get()
    await until(lambda: "GET / HTTP/1.1" in capfd.readouterr().out)


async def test_draining_writes_what_is_left_of_the_access_log(
    stage: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    await stage.begin()
    await stage.log_accesses()
    await stage.get()
    stage.drain()
    report = await stage.control.next(Report)
    while not report.entries:
        report = await stage.control.next(Report)
    stage.control.say(ReportStored(report.number))
    await asyncio.wait_for(stage.running, 10)
    assert "GET / HTTP/1.1" in capfd.readouterr().out


async def test_draining_waits_for_nothing_when_all_is_durable(stage: Stage) -> None:
    await stage.begin()
    stage.control.say(ReportStored(1))
    await until(lambda: stage.worker.reports.confirmed)
    stage.drain()
    await asyncio.wait_for(stage.running, 10)


async def test_a_bad_pair_stops_the_start_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "_exit", lambda status: None)
    supervisor, inherited = socket.socketpair()
    with supervisor, socket.create_server(("127.0.0.1", 0)) as one:
        pair = Pair(str(tmp_path / "own.pem"), str(tmp_path / "own.key"))
        worker = Worker(0, BOOT, str(tmp_path / "link"), [Entrance(one, Certificates([pair]))], 1.0)
        assert await worker.run(inherited.detach()) == 1
        supervisor.settimeout(5)
        assert supervisor.recv(1000) == f"failed: {pair.cert}: no such file or directory\n".encode()


@pytest.fixture
def renewed(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when a worker that starts after this reads its certificates again."""
    again = asyncio.Event()
    monkeypatch.setattr(Renewal, "again", lambda renewal: again.set())
    return again


async def test_the_supervisor_has_certificates_read_again(renewed: asyncio.Event, stage: Stage) -> None:
    await stage.begin()
    stage.supervisor.send(b"reload\n")
    await asyncio.wait_for(renewed.wait(), 10)


def test_its_repr_says_what_it_holds(tmp_path: Path) -> None:
    async def look() -> str:
        return repr(Worker(3, BOOT, "/run/link", [], 1.0))

    assert asyncio.run(look()) == "<Worker 3 generation 0, <ControlLink /run/link not connected>>"


async def test_the_thresholds_that_it_is_told_are_those_of_what_it_sends_from_then_on(stage: Stage) -> None:
    await stage.begin()
    slow = (0.0, 0.0, 3600.0)  # whatever an origin takes lies between
    stage.control.say(ThresholdUpdate({"shop": {"stable": slow}}), stage.table(2, stage.service(2)))
    assert await stage.control.next(Ack) == Ack(2)
    await stage.get()
    stage.worker.reports.report()
    key, report = ("shop", 2, "stable"), await stage.control.next(Report)
    while key not in report.entries or not report.entries[key].successes:
        report = await stage.control.next(Report)
    assert report.entries[key].labels == {26: 1}


async def test_a_name_is_reached_at_its_addresses_and_left_with_them(stage: Stage) -> None:
    await stage.begin()
    named = (Endpoint.parse(f"http://app.test:{stage.origin_port}"),)
    backends = (Backend("stable", named), Backend("canary", named))
    stage.control.say(ResolvedNames({"app.test": ("127.0.0.1",)}))
    stage.control.say(stage.table(2, replace(stage.service(2), backends=backends)))
    assert await stage.control.next(Ack) == Ack(2)
    assert (await stage.get()).startswith(b"HTTP/1.1 200 ")
    [shelf] = [stage.worker.plane.pool.shelf(one) for one in stage.worker.tables.addresses()]
    stage.control.say(ResolvedNames({"app.test": ("127.0.0.2",)}))
    await until(lambda: shelf.retired)
    assert [one.ip for one in stage.worker.tables.addresses()] == ["127.0.0.2"]
