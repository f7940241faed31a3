"""What an endpoint says to a probe, and what is said of one that says nothing: on real sockets."""

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import proxy
from proxy.health.probe import Prober
from proxy.http1.limits import Limits
from proxy.routing.address import Address, addresses
from proxy.routing.endpoint import Endpoint, Trust
from tests.conftest import Authority, Issued
from tests.kits.located import address

pytestmark = pytest.mark.process


@dataclass(frozen=True)
class Question:
    path: str = "/"
    host: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    expect: Sequence[tuple[int, int]] = ((200, 399),)


ASKED = Question()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
async def origin() -> AsyncIterator[Any]:
    """Start an origin that says this to a request; returns its port, and what it was asked."""
    answering = set()
    async with contextlib.AsyncExitStack() as stack:

        async def start(
            said: bytes | None = OK, *, path: str = "", tls: ssl.SSLContext | None = None
        ) -> tuple[int, list[Any]]:
            asked = []

            async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                answering.add(asyncio.current_task())
                with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                    asked.append(await reader.readuntil(b"\r\n\r\n"))
                    if said is not None:
                        writer.write(said)
                        await writer.drain()
                    if said is None or said.startswith(b"HTTP"):
                        await reader.read()
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()

            if path:
                server = await asyncio.start_unix_server(answer, path)
            else:
                server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
            stack.callback(server.close)
            return (0 if path else server.sockets[0].getsockname()[1]), asked

        yield start
    await asyncio.gather(*answering)


def at(port: int, scheme: str = "http", trust: Trust | None = None) -> Address:
    return address(f"{scheme}://localhost:{port}", trust or Trust())


def head(status: int, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n%b\r\n" % (status, more)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (OK, ""),
        (head(204), ""),
        (head(302, b"Location: /elsewhere\r\n"), ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\nonly a part", ""),
        (head(404), "answered 404"),
        (head(503), "answered 503"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK, ""),
        (b"garbage\r\n\r\n", "its answer is no HTTP/1.1: malformed head: Expected HTTP/, RTSP/ or ICE/"),
        (b"", "it hung up without an answer"),
        (b"Half a first line", "it hung up without an answer"),
        (head(200, b"X-Long: %b\r\n" % (b"x" * 9000)), ""),
        (head(777), "answered 777"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
            "its answer is no HTTP/1.1: malformed head: Duplicate Content-Length",
        ),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "its answer is no HTTP/1.1: a change of protocol that wasn't asked for",
        ),
    ],
)
async def test_what_an_answer_says(origin: Callable[..., Any], said: bytes, why: str) -> None:
    port, asked = await origin(said)
    assert await Prober().probe(at(port), ASKED, 10) == why
    assert len(set(asked)) == 1, "a redirection isn't followed"


@pytest.mark.parametrize(
    ("said", "why"),
    [(head(404), ""), (head(503), ""), (b"\0", "its answer is no HTTP/1.1: bytes that aren't HTTP")],
)
async def test_without_a_path_any_answer_will_do(origin: Callable[..., Any], said: bytes, why: str) -> None:
    port, asked = await origin(said)
    assert await Prober().probe(at(port), None, 10) == why
    assert asked[0].startswith(b"GET / HTTP/1.1\r\n")


async def test_what_it_asks(origin: Callable[..., Any]) -> None:
    port, asked = await origin()
    assert await Prober().probe(at(port), Question("/up?deep=1&x=%2F"), 10) == ""
    first, *fields = asked[0].decode().rstrip().split("\r\n")
    assert first == "GET /up?deep=1&x=%2F HTTP/1.1"
    assert sorted(fields) == [
        "Accept: */*",
        "Connection: close",
        f"Host: localhost:{port}",
        f"User-Agent: weir/{proxy.__version__} (probe)",
    ]


async def test_one_that_does_not_answer_in_time(origin: Callable[..., Any]) -> None:
    port, _ = await origin(None)
    assert await Prober().probe(at(port), ASKED, 0.05) == "no answer within 0.05 s"


async def test_one_that_cannot_be_reached(unused_tcp_port: int, tmp_path: Path) -> None:
    prober = Prober()
    assert await prober.probe(at(unused_tcp_port), ASKED, 10) == "connection refused"
    gone = address(f"unix:{tmp_path}/gone")
    assert await prober.probe(gone, ASKED, 10) == "no such file or directory"


async def test_a_unix_socket(origin: Callable[..., Any], tmp_path: Path) -> None:
    _, asked = await origin(path=str(tmp_path / "up"))
    assert await Prober().probe(address(f"unix:{tmp_path}/up"), ASKED, 10) == ""
    assert b"\r\nHost: localhost\r\n" in asked[0]


@pytest.fixture
def secure(shop: Issued) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(shop.cert, shop.key)
    return context


@pytest.mark.parametrize(
    ("trust", "why"),
    [
        ({}, ""),
        ({"server_name": "shop.example"}, ""),
        ({"server_name": "blog.example"}, "its certificate is for another name"),
        ({"ca": ""}, "its certificate is not trusted"),
        ({"ca": "", "verify": False}, ""),
        ({"ca": "/no/ca.pem"}, "/no/ca.pem: no such file or directory"),
    ],
)
async def test_tls_is_trusted_as_the_endpoint_says(
    origin: Callable[..., Any],
    secure: ssl.SSLContext,
    authority: Authority,
    trust: dict[str, bool | str],
    why: str,
) -> None:
    port, _ = await origin(tls=secure)
    trusted = Trust(**{"ca": authority.cert, **trust})
    assert await Prober().probe(at(port, "https", trusted), ASKED, 10) == why


async def test_one_that_does_not_speak_tls() -> None:
    greeted = asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"220 mail.example ESMTP\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        greeted.set()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await Prober().probe(at(port, "https"), ASKED, 10) == "it does not speak TLS"
        await greeted.wait()


async def test_files_that_may_be_out_of_date_are_read_again(
    origin: Callable[..., Any], secure: ssl.SSLContext, authority: Authority, tmp_path: Path
) -> None:
    port, _ = await origin(tls=secure)
    copy = tmp_path / "ca.pem"
    shutil.copy(authority.issue("x").cert, copy)
    prober, endpoint = Prober(), at(port, "https", Trust(ca=str(copy)))
    assert await prober.probe(endpoint, ASKED, 10) == "its certificate is not trusted"
    shutil.copy(authority.cert, copy)
    assert await prober.probe(endpoint, ASKED, 10) == ""
    copy.unlink()
    plain = address("http://127.0.0.1:1")
    assert await prober.probe(plain, ASKED, 10) != ""
    assert await prober.probe(endpoint, ASKED, 10) == "", "what works is kept"
    assert repr(prober) == "<Prober with <Trusts 1 contexts>>"


async def test_it_is_asked_by_the_host_that_requests_get_there(origin: Callable[..., Any]) -> None:
    port, asked = await origin()
    [one] = addresses(Endpoint.parse(f"http://127.0.0.1:{port}", host_sent="app.example"), {})
    assert await Prober().probe(one, ASKED, 10) == ""
    assert [line for line in asked[0].decode().split("\r\n") if line.startswith("Host")] == [
        "Host: app.example"
    ]


async def test_a_host_and_fields_of_the_question(origin: Callable[..., Any]) -> None:
    port, asked = await origin()
    [one] = addresses(Endpoint.parse(f"http://127.0.0.1:{port}", host_sent="app.example"), {})
    question = Question(host="probe.example:81", headers={"user-agent": "me", "X-Probe": "a b"})
    assert await Prober().probe(one, question, 10) == ""
    assert asked[0] == (
        b"GET / HTTP/1.1\r\nHost: probe.example:81\r\nConnection: close\r\nAccept: */*\r\n"
        b"user-agent: me\r\nX-Probe: a b\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("expect", "status", "why"),
    [
        (((401, 401),), 401, ""),
        (((401, 401),), 200, "answered 200"),
        (((200, 299), (404, 410)), 410, ""),
        (((200, 299), (404, 410)), 302, "answered 302"),
    ],
)
async def test_statuses_that_are_expected(
    origin: Callable[..., Any], expect: Any, status: int, why: str
) -> None:
    port, _ = await origin(head(status))
    assert await Prober().probe(at(port), Question(expect=expect), 10) == why


async def test_limits_are_those_of_traffic(origin: Callable[..., Any]) -> None:
    port, _ = await origin(head(200, b"X-Long: %b\r\n" % (b"x" * 9000)))
    prober = Prober()
    prober.limit(Limits(line=4096, head=8192))
    assert (
        await prober.probe(at(port), ASKED, 10) == "its answer is no HTTP/1.1: a head of more than 8192 bytes"
    )
    prober.limit(Limits())
    assert await prober.probe(at(port), ASKED, 10) == ""


async def test_an_answer_in_pieces(unused_tcp_port: int) -> None:
    dripped = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for byte in b"HTTP/1.1 100 Continue\r\n\r\n" + head(204):
            writer.write(bytes((byte,)))
            await asyncio.sleep(0)
        writer.close()
        await writer.wait_closed()
        dripped.set()

    async with await asyncio.start_server(drip, "127.0.0.1", unused_tcp_port):
        assert await Prober().probe(at(unused_tcp_port), ASKED, 10) == ""
        await dripped.wait()
