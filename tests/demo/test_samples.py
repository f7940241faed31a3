"""The sample services: they say their version, fail as often as they say, and keep connections alive."""

import http.client
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from proxy.demo.ports import LOOPBACK, listening, port_of
from proxy.demo.processes import LifelineProcess, wait_until
from proxy.demo.samples import VERSION_HEADER, Sample

pytestmark = pytest.mark.process


async def client_of(sample: Sample) -> TestClient[web.Request, web.Application]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", sample.answer)
    client = TestClient(TestServer(app))
    await client.start_server()
    return client


async def test_one_answer_in_four_fails() -> None:
    client = await client_of(Sample("v3", 0.0, 4))
    try:
        statuses = [(await client.get("/")).status for _ in range(8)]
    finally:
        await client.close()
    assert statuses == [200, 200, 200, 500] * 2


async def test_an_answer_names_version_and_path_and_a_body_comes_back() -> None:
    client = await client_of(Sample("v2", 0.0, 0))
    try:
        got = await client.get("/a/b?c=d")
        posted = await client.post("/", data=b"\x00\xff" * 1000)
        assert (got.status, got.headers[VERSION_HEADER], await got.text()) == (200, "v2", "v2 answers /a/b\n")
        assert await posted.read() == b"\x00\xff" * 1000
    finally:
        await client.close()


@pytest.mark.parametrize(("query", "status"), [("wait=0.01", 200), ("wait=soon", 200), ("wait=-1", 200)])
async def test_any_wait_is_answered(query: str, status: int) -> None:
    client = await client_of(Sample("v1", 0.0, 0))
    try:
        assert (await client.get(f"/?{query}")).status == status
    finally:
        await client.close()


def test_repr_says_its_state() -> None:
    sample = Sample("v3", 0.0, 4)
    sample.fails()
    assert repr(sample) == "<Sample v3 answered=1 fail_every=4>"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[LifelineProcess, int]]:
    sock = listening(0)
    assert sock is not None
    with sock:
        arguments = ["--version", "v9", "--fail-every", "2", "--socket", str(sock.fileno())]
        child = LifelineProcess("v9", "proxy.demo.samples", arguments, tmp_path / "log", keep=[sock.fileno()])
        port = port_of(sock)
    try:
        yield child, port
    finally:
        child.end()


def test_the_process_keeps_connections_alive_and_fails_on_command(
    running: tuple[LifelineProcess, int],
) -> None:
    child, port = running
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    assert [ask(connection) for _ in range(4)] == [(200, "v9")] * 4, "nothing fails before the signal"
    first = connection.sock
    child.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: ask(connection)[0] == 500, "it fails", 5)
    assert [ask(connection)[0] for _ in range(4)] == [200, 500] * 2
    child.process.send_signal(signal.SIGUSR2)
    wait_until(lambda: ask(connection)[0] == 200, "it is well again", 5)
    assert connection.sock is first
    connection.close()


def ask(connection: http.client.HTTPConnection) -> tuple[int, str | None]:
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.getheader(VERSION_HEADER)
