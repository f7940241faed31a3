"""Connecting for real: what comes back, and what a client is told when nothing does."""

import asyncio
import contextlib
import socket

import pytest
import uvloop

from proxy.forwarding.dial import DialFailed, Dialler
from proxy.forwarding.pool import Pool
from proxy.forwarding.upstream import Upstream
from proxy.routing.endpoint import Endpoint


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop])
def play(request):
    """Run a coroutine on either kind of event loop: their transports differ in small things."""
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run


async def dialled(dialler, url, seconds=30.0):
    """What comes of dialling."""
    result = asyncio.get_running_loop().create_future()
    dialler.dial(Pool().shelf(Endpoint.parse(url)), seconds, result.set_result)
    assert repr(dialler) == "<Dialler of 1 connections>"
    found = await result
    await asyncio.sleep(0)
    assert repr(dialler) == "<Dialler of 0 connections>"
    return found


@contextlib.asynccontextmanager
async def listening(start, *where):
    accepted = asyncio.Queue()
    server = await start(lambda *streams: accepted.put_nowait(streams), *where)
    try:
        yield server, accepted
    finally:
        server.close()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_connection_that_was_had(play, kind, tmp_path):
    async def story():
        path = str(tmp_path / "s")
        where = (asyncio.start_server, "127.0.0.1", 0) if kind == "tcp" else (asyncio.start_unix_server, path)
        async with listening(*where) as (server, accepted):
            port = server.sockets[0].getsockname()[1] if kind == "tcp" else 0
            upstream = await dialled(Dialler(), f"http://127.0.0.1:{port}" if port else f"unix:{path}")
            reader, writer = await accepted.get()
            assert isinstance(upstream, Upstream)
            assert upstream.reusable
            upstream.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            upstream.close()
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()

    play(story())


def test_a_connection_that_ends_while_it_waits_leaves_its_shelf(play):
    async def story():
        async with listening(asyncio.start_server, "127.0.0.1", 0) as (server, accepted):
            shelf = Pool().shelf(Endpoint.parse(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
            result = asyncio.get_running_loop().create_future()
            Dialler().dial(shelf, 5.0, result.set_result)
            shelf.give(await result, 1.0)
            _, writer = await accepted.get()
            writer.close()
            await writer.wait_closed()
            while len(shelf):  # noqa: ASYNC110 - what is waited for is the kernel's doing
                await asyncio.sleep(0.001)

    play(story())


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("http://127.0.0.1:{port}", "the connection was refused"),
        ("unix:{path}/nobody", "no connection could be made"),
        ("http://no-such-name.invalid:80", "its name could not be resolved"),
    ],
)
def test_a_connection_that_was_not_had(play, url, detail, tmp_path):
    failure = play(dialled(Dialler(), url.format(port=free_port(), path=tmp_path)))
    assert isinstance(failure, DialFailed)
    assert (failure.status, str(failure)) == (502, detail)


def test_a_connection_that_takes_too_long(play):
    with socket.socket() as full, contextlib.ExitStack() as queued:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # fills the queue, so that the kernel answers nobody any more
            one = queued.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        failure = play(dialled(Dialler(), f"http://127.0.0.1:{full.getsockname()[1]}", 0.1))
    assert isinstance(failure, DialFailed)
    assert (failure.status, failure.detail) == (504, "connecting took longer than 0.1 s")
