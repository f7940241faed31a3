import asyncio
import hashlib
import hmac
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.client import ClientSession

from proxy.control.outside.posting import Letter, PostAnswer, post, session, signature
from tests.kits.receivers import Receiver

pytestmark = pytest.mark.process


@pytest.fixture
async def client() -> AsyncIterator[Any]:
    async with session() as made:
        yield made


async def sent(
    client: ClientSession, receiver: Receiver, secret: str = "", seconds: float = 5.0
) -> PostAnswer:
    return await post(client, Letter(receiver.url, b'{"a": 1}', "id-1", secret), seconds, 1_700_000_000.9)


async def test_what_travels(client: ClientSession) -> None:
    async with Receiver() as receiver:
        assert await sent(client, receiver) == PostAnswer(200, "answered 200")
    ((fields, body),) = receiver.got
    assert body == b'{"a": 1}'
    assert fields["Content-Type"] == "application/json"
    assert fields["X-Weir-Delivery"] == "id-1"
    assert fields["User-Agent"].startswith("weir/")
    assert "X-Weir-Signature" not in fields


async def test_a_secret_signs_time_and_body(client: ClientSession) -> None:
    async with Receiver() as receiver:
        await sent(client, receiver, secret="of sixteen chars")
    ((fields, _),) = receiver.got
    expected = hmac.new(b"of sixteen chars", b'1700000000.{"a": 1}', hashlib.sha256).hexdigest()
    assert fields["X-Weir-Signature"] == f"t=1700000000,v1={expected}"
    assert signature("of sixteen chars", 1_700_000_000, b'{"a": 2}') != fields["X-Weir-Signature"]


@pytest.mark.parametrize(
    ("answer", "says", "agrees", "passing"),
    [
        (204, "answered 204", True, False),
        (302, "answered 302", False, False),
        ((403, "not on a Friday\nsecond line"), "answered 403: not on a Friday", False, False),
        ((503, "\x1b[31mred"), "answered 503: ?[31mred", False, True),
        ((500, "x" * 500), f"answered 500: {'x' * 120}", False, True),
        (429, "answered 429", False, True),
        (408, "answered 408", False, True),
    ],
)
async def test_what_an_answer_means(
    client: ClientSession, answer: int | tuple[int, str], says: str, agrees: bool, passing: bool
) -> None:
    async with Receiver(answer) as receiver:
        answered = await sent(client, receiver)
    assert (answered.reason, answered.agrees, answered.temporary) == (says, agrees, passing)
    assert len(receiver.got) == 1, "no redirect is followed"


async def test_an_endless_answer_is_not_read_to_its_end(client: ClientSession) -> None:
    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 500 no\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * 2000)
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    answered = await post(client, Letter(f"http://{host}:{port}/", b"{}", "id"), 5.0, 0.0)
    assert answered.reason == f"answered 500: {('hello' * 24)}"
    server.close()


@pytest.mark.parametrize("says", ["no /secret-path here", '{"path": "/secret%2Dpath"}', "of sixteen chars?"])
async def test_an_answer_that_gives_away_what_may_be_a_password_is_not_quoted(
    client: ClientSession, says: str
) -> None:
    async with Receiver((404, says)) as receiver:
        answered = await sent(client, receiver, secret="of sixteen chars")
    assert answered == PostAnswer(404, "answered 404")


@pytest.mark.parametrize(("status", "agrees"), [(200, True), (503, False)])
async def test_a_body_that_never_comes_changes_no_answer(
    client: ClientSession, status: int, agrees: bool
) -> None:
    async def promise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % status)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(promise, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    answered = await post(client, Letter(f"http://{host}:{port}/", b"{}", "id"), 0.2, 0.0)
    assert (answered.status, answered.reason, answered.agrees) == (status, f"answered {status}", agrees)
    server.close()


async def test_who_does_not_answer_in_time_has_not_answered(client: ClientSession) -> None:
    async with Receiver("hang") as receiver:
        answered = await sent(client, receiver, seconds=0.05)
        assert answered == PostAnswer(0, "no answer within 0.05 s")
        assert answered.temporary


async def test_nobody_there(client: ClientSession) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answered = await post(client, Letter(f"http://127.0.0.1:{port}/secret-path", b"", "id"), 5.0, 0.0)
    assert answered.reason.startswith("no connection: ")
    assert "secret-path" not in answered.reason
    unknown = await post(client, Letter("http://no.such.host.invalid/secret-path", b"", "id"), 5.0, 0.0)
    assert unknown == PostAnswer(0, "its host has no address")


async def test_garbage_is_no_answer_and_the_url_is_not_repeated(client: ClientSession) -> None:
    async def garble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x00\x01 what?\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(garble, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    answered = await post(client, Letter(f"http://{host}:{port}/secret-path", b"{}", "id"), 5.0, 0.0)
    assert answered.status == 0
    assert "secret-path" not in answered.reason
    server.close()
