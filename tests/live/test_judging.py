"""A canary that is bad in its own way is out before it harms anybody, and what speaks against it survives."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from rig.client import Answer, Client, Connection, closed_loop, open_loop
from rig.faulty import FaultyOrigin, faulty
from rig.processes import kill
from rig.weir import Weir, until

RATE = 150.0
Pair = tuple[FaultyOrigin, FaultyOrigin]


@pytest.fixture
def faulty_origins() -> Iterator[Pair]:
    with faulty("v1") as stable, faulty("v2") as canary:
        yield stable, canary


@contextlib.asynccontextmanager
async def load(port: int, answers: list[Answer]) -> AsyncIterator[None]:
    """A steady load while this is open; all of it is answered, or given up, at the end."""
    client, over = Client(port), asyncio.Event()

    async def ask(_: int) -> None:
        answers.append(await client.ask(client.request("/")))

    asking = asyncio.ensure_future(open_loop(RATE, ask, over, most=6_000))
    try:
        yield
    finally:
        over.set()
        await asking
        client.close()


async def ask_some(port: int, count: int) -> list[Answer]:
    client, answers = Client(port), list[Answer]()

    async def ask(_: int) -> None:
        answers.append(await client.ask(client.request("/")))

    await closed_loop(count, 8, ask)
    client.close()
    return answers


def met(running: Weir) -> int:
    count: int = running.admin.service("shop")["blast_radius"]["met"]
    return count


def rescued(running: Weir) -> int:
    count: int = running.admin.service("shop")["blast_radius"]["rescued"]
    return count


def of_canary(answers: list[Answer]) -> int:
    return sum(answer.version == "v2" for answer in answers)


@pytest.mark.parametrize("fault", ["hang", "refuse"])
async def test_it_is_out_and_nobody_was_harmed(
    start: Callable[..., Any], faulty_origins: tuple[FaultyOrigin, FaultyOrigin], fault: str
) -> None:
    _, canary = faulty_origins
    running = start(faulty_origins, weight=50)
    answers: list[Answer] = []
    async with load(running.port, answers):
        await until(lambda: len(answers) >= 200, "answers to compare with")
        canary.order(fault)
        await asyncio.to_thread(running.admin.await_trip, "shop", 10.0)
        reached = len(answers)
        await until(lambda: len(answers) >= reached + 50, "answers after the trip")
    assert [answer for answer in answers if not answer.good] == []
    assert {answer.version for answer in answers[-20:]} == {"v1"}
    await until(lambda: rescued(running) > 0, "the rescued are counted")
    view = running.admin.service("shop")
    assert view["blast_radius"]["harmed"] == 0
    text = running.admin.explain("shop")
    assert "was taken out" in text
    assert view["trip"]["sentence"] in text
    assert "no bad answer reached a client" in text


async def test_a_tunnel_and_a_stream_end_once_it_is_drained(
    start: Callable[..., Any], faulty_origins: tuple[FaultyOrigin, FaultyOrigin]
) -> None:
    _, canary = faulty_origins
    running = start(
        faulty_origins, weight=50, more="    force: {header: X-Canary}\n    halt: {drain: 300ms}\n"
    )
    tunnel = await opened(running, "/", "Connection: upgrade\r\nUpgrade: websocket\r\n")
    status, headers = await tunnel.head()
    assert (status, headers["x-version"]) == (101, "v2")
    stream = await opened(running, "/stream", "")
    status, headers = await stream.head()
    assert (status, headers["x-version"]) == (200, "v2")
    assert await stream.read(5) != b""
    canary.order("fail")
    await ask_some(running.port, 200)
    await asyncio.to_thread(running.admin.await_trip, "shop", 10.0)
    async with asyncio.timeout(10.0):
        await over(tunnel)
        await over(stream)
    assert running.admin.explain("shop").count("was taken out") == 1


async def opened(running: Weir, path: str, more: str) -> Connection:
    connection = Connection(*await asyncio.open_connection("127.0.0.1", running.port))
    await connection.send(f"GET {path} HTTP/1.1\r\nHost: shop\r\nX-Canary: always\r\n{more}\r\n".encode())
    return connection


async def over(connection: Connection) -> None:
    """Returns once the other side has closed it; a stream that isn't at its end is broken off."""
    with contextlib.suppress(ConnectionError):
        while await connection.read(65536):
            pass
    connection.close()


async def test_control_dies_while_it_judges_and_goes_on_with_the_evidence(
    start: Callable[..., Any], faulty_origins: tuple[FaultyOrigin, FaultyOrigin]
) -> None:
    _, canary = faulty_origins
    running = start(faulty_origins, weight=50, more="    rescue: off\n    analysis: {enforce: false}\n")
    canary.order("fail")
    answers = await ask_some(running.port, 60)
    await until(lambda: met(running) == of_canary(answers), "all of them are judged")
    before = running.admin.service("shop")["evidence"]["odds"]
    assert before > 100
    await replaced(running)
    await until(lambda: met(running) == of_canary(answers), "the evidence is there again")
    assert running.admin.service("shop")["evidence"]["odds"] == pytest.approx(before, rel=0.01)

    async with load(running.port, answers):
        count = len(answers)
        await until(lambda: len(answers) >= count + 50, "answers before it dies")
        await replaced(running)
        await until(lambda: len(answers) >= count + 150, "answers after it")
    await until(lambda: met(running) >= of_canary(answers), "all of them are judged")
    assert met(running) == of_canary(answers), "each counts once"
    assert running.admin.service("shop")["evidence"]["odds"] > before


async def replaced(running: Weir) -> None:
    """SIGKILL for control, and another one is there."""
    old = running.control()
    kill(old)
    await until(lambda: old not in running.controls() and running.admin.ready(), "a new control")
