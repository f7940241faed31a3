"""Connecting for real: what comes back, and what a client is told when nothing does."""

import asyncio
import contextlib
import os
import socket
import ssl
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import uvloop

from proxy.forwarding.dial import DialFailed, Dialler
from proxy.forwarding.pool import Pool
from proxy.forwarding.upstream import Upstream
from proxy.routing.endpoint import SYSTEM, Trust
from tests.kits.located import address

pytestmark = pytest.mark.process


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop])
def play(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Run a coroutine on either kind of event loop: their transports differ in small things."""
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run


async def dialled(
    dialler: Dialler, url: str, seconds: float = 30.0, trust: Trust = SYSTEM
) -> DialFailed | Upstream:
    """What comes of dialling."""
    result = asyncio.get_running_loop().create_future()
    dialler.dial(Pool().shelf(address(url, trust)), seconds, 60.0, result.set_result)
    assert repr(dialler) == "<Dialler of 1 connections>"
    found = await result
    await asyncio.sleep(0)
    assert repr(dialler) == "<Dialler of 0 connections>"
    return found


@contextlib.asynccontextmanager
async def listening(start: Callable[..., Any], *where: int | str) -> AsyncIterator[Any]:
    accepted = asyncio.Queue()
    server = await start(lambda *streams: accepted.put_nowait(streams), *where)
    try:
        yield server, accepted
    finally:
        server.close()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_connection_that_was_had(play: Callable[..., Any], kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        path = str(tmp_path / "s")
        where = (asyncio.start_server, "127.0.0.1", 0) if kind == "tcp" else (asyncio.start_unix_server, path)
        async with listening(*where) as (server, accepted):
            port = server.sockets[0].getsockname()[1] if kind == "tcp" else 0
            upstream = await dialled(
                Dialler(monotonic), f"http://127.0.0.1:{port}" if port else f"unix:{path}"
            )
            reader, writer = await accepted.get()
            assert isinstance(upstream, Upstream)
            assert upstream.reusable()
            upstream.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            upstream.close()
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()

    play(story())


def test_a_connection_that_ends_while_it_waits_leaves_its_shelf(play: Callable[..., Any]) -> None:
    async def story() -> None:
        async with listening(asyncio.start_server, "127.0.0.1", 0) as (server, accepted):
            shelf = Pool().shelf(address(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
            result = asyncio.get_running_loop().create_future()
            Dialler(monotonic).dial(shelf, 5.0, 60.0, result.set_result)
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
    ],
)
def test_a_connection_that_was_not_had(
    play: Callable[..., Any], url: str, detail: str, tmp_path: Path
) -> None:
    failure = play(dialled(Dialler(monotonic), url.format(port=free_port(), path=tmp_path)))
    assert isinstance(failure, DialFailed)
    assert (failure.status, str(failure), failure.ending) == (502, detail, "connect")


def test_a_connection_that_takes_too_long(play: Callable[..., Any]) -> None:
    with socket.socket() as full, contextlib.ExitStack() as queued:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # fills the queue, so that the kernel answers nobody any more
            one = queued.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        failure = play(dialled(Dialler(monotonic), f"http://127.0.0.1:{full.getsockname()[1]}", 0.1))
    assert isinstance(failure, DialFailed)
    assert (failure.status, failure.detail) == (504, "connecting took longer than 0.1 s")


class Origin:
    """An endpoint that speaks TLS: what it saw of those who met it, and who is connected."""

    def __init__(
        self,
        pair: Any,
        *,
        authority: Any = None,
        alpn: tuple[str, str] = ("h2", "http/1.1"),
        newest: Any = ssl.TLSVersion.TLSv1_3,
    ) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pair.cert, pair.key)
        self.context.set_alpn_protocols(list(alpn))
        self.context.maximum_version = newest
        self.context.sni_callback = lambda _, name, __: self.asked.append(name)
        self.asked = []
        if authority is not None:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(authority.cert)

    def listening(self) -> Any:
        return listening(
            lambda met, *where: asyncio.start_server(met, *where, ssl=self.context), "127.0.0.1", 0
        )


def port_of(server: Any) -> int:
    return server.sockets[0].getsockname()[1]


def sockets() -> int:
    found = 0
    for path in Path("/dev/fd").iterdir():
        with contextlib.suppress(OSError):
            found += stat.S_ISSOCK(os.fstat(int(path.name)).st_mode)
    return found


@pytest.mark.parametrize(
    ("host", "name", "asked"),
    [
        ("localhost", "", "localhost"),
        ("127.0.0.1", "", None),  # an address is no server name (RFC 6066 section 3)
        ("127.0.0.1", "shop.example", "shop.example"),
    ],
)
def test_an_endpoint_that_is_who_it_should_be(
    play: Callable[..., Any], authority: Any, shop: Any, host: str, name: str, asked: str | None
) -> None:
    async def story() -> None:
        origin = Origin(shop)
        async with origin.listening() as (server, accepted):
            trust = Trust(ca=authority.cert, server_name=name)
            upstream = await dialled(Dialler(monotonic), f"https://{host}:{port_of(server)}", trust=trust)
            assert isinstance(upstream, Upstream), upstream
            assert origin.asked == [asked]
            reader, writer = await accepted.get()
            assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
            upstream.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            upstream.close()
            assert await reader.read() == b""
            writer.close()

    play(story())


@pytest.mark.parametrize(
    ("trust", "detail"),
    [
        (lambda ca, _: Trust(ca=ca, server_name="blog.example"), "its certificate is for another name"),
        (lambda ca, _: Trust(ca=ca, server_name="127.0.0.2"), "its certificate is for another name"),
        (lambda ca, _: Trust(), "its certificate is not trusted"),
        (lambda ca, other: Trust(ca=other), "its certificate is not trusted"),
    ],
)
def test_an_endpoint_that_is_not_trusted(
    play: Callable[..., Any],
    authority: Any,
    shop: Any,
    blog: Any,
    trust: Callable[..., Any],
    detail: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        async with Origin(shop).listening() as (server, accepted):
            where = f"https://127.0.0.1:{port_of(server)}"
            before = sockets()
            dialler = Dialler(monotonic)
            for _ in range(2):
                failure = await dialled(dialler, where, trust=trust(authority.cert, blog.cert))
            assert caplog.messages.count(f"{where}: {detail}") == 1
            assert isinstance(failure, DialFailed)
            assert (failure.status, failure.detail, failure.ending) == (502, detail, "tls")
            async with asyncio.timeout(10):
                while sockets() > before:  # noqa: ASYNC110 - what is waited for is the kernel's doing
                    await asyncio.sleep(0.001)
            assert accepted.empty()

    play(story())


def test_an_expired_certificate_is_told_as_such(play: Callable[..., Any], authority: Any) -> None:
    async def story() -> None:
        async with Origin(authority.issue("localhost", days=-1)).listening() as (server, _):
            where = f"https://localhost:{port_of(server)}"
            failure = await dialled(Dialler(monotonic), where, trust=Trust(ca=authority.cert))
            assert (failure.detail, failure.ending) == ("its certificate has expired", "tls")

    play(story())


def test_anybody_is_believed_where_nothing_is_verified(play: Callable[..., Any], authority: Any) -> None:
    async def story() -> None:
        async with Origin(authority.issue("nobody.example", days=-1)).listening() as (server, accepted):
            upstream = await dialled(
                Dialler(monotonic), f"https://127.0.0.1:{port_of(server)}", trust=Trust(verify=False)
            )
            assert isinstance(upstream, Upstream)
            upstream.abandon()
            (await accepted.get())[1].transport.abort()

    play(story())


def test_a_certificate_of_ours_is_shown_to_who_asks(
    play: Callable[..., Any], authority: Any, shop: Any, blog: Any
) -> None:
    async def story() -> None:
        async with Origin(shop, authority=authority).listening() as (server, accepted):
            trust = Trust(ca=authority.cert, cert=blog.cert, key=blog.key)
            upstream = await dialled(Dialler(monotonic), f"https://localhost:{port_of(server)}", trust=trust)
            assert isinstance(upstream, Upstream)
            _, writer = await accepted.get()
            shown = writer.get_extra_info("ssl_object").getpeercert()["subjectAltName"]
            assert ("DNS", "blog.example") in shown
            upstream.abandon()
            writer.transport.abort()

    play(story())


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it does not speak TLS"),
        (b"", "it closed the connection within the TLS handshake"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "it refused the TLS handshake"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "it speaks no version of TLS that is accepted"),
        (b"\x16\x03\x03\x00\x04\x63\x00\x00\x00", "the TLS handshake failed"),
    ],
)
def test_an_endpoint_that_does_not_come_to_terms(play: Callable[..., Any], said: bytes, detail: str) -> None:
    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(said)
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(met, "127.0.0.1", 0)
        failure = await dialled(
            Dialler(monotonic), f"https://127.0.0.1:{port_of(server)}", trust=Trust(verify=False)
        )
        server.close()
        assert isinstance(failure, DialFailed)
        assert (failure.status, failure.detail, failure.ending) == (502, detail, "tls")

    play(story())


def test_the_time_to_connect_covers_the_handshake_and_leaves_no_socket(play: Callable[..., Any]) -> None:
    async def story() -> None:
        async with listening(asyncio.start_server, "127.0.0.1", 0) as (server, accepted):
            before = sockets()
            failure = await dialled(
                Dialler(monotonic), f"https://127.0.0.1:{port_of(server)}", 0.1, Trust(verify=False)
            )
            assert (failure.status, failure.detail) == (504, "connecting took longer than 0.1 s")
            reader, writer = await accepted.get()
            async with asyncio.timeout(10):
                with contextlib.suppress(ConnectionResetError):
                    await reader.read()
                writer.close()
                while sockets() > before:  # noqa: ASYNC110 - what is waited for is the kernel's doing
                    await asyncio.sleep(0.001)

    play(story())


def test_files_that_cannot_be_used_fail_the_request_and_are_told(
    play: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    missing = str(tmp_path / "ca.pem")
    failure = play(dialled(Dialler(monotonic), "https://127.0.0.1:1", trust=Trust(ca=missing)))
    assert isinstance(failure, DialFailed)
    assert (failure.status, failure.ending) == (502, "tls")
    assert missing not in failure.detail
    assert f"{missing}: no such file or directory" in caplog.text
