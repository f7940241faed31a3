"""Responses are read one way or not at all."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.http1.errors import BadMessage
from proxy.http1.head import ResponseHead
from proxy.http1.limits import DEFAULT
from proxy.http1.parser import head_end, read_response

HOST = b"Host: shop.example\r\n"
MAX_FIELDS = DEFAULT.fields


def get(*lines: bytes, first: bytes = b"GET / HTTP/1.1", host: bytes = HOST) -> bytes:
    return first + b"\r\n" + host + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def answer(*lines: bytes, first: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return get(*lines, first=first, host=b"")


def whole(read: Callable[..., Any], data: bytes) -> ResponseHead | int:
    """Cut the head off its stream and read it; the status of the refusal when there is one."""
    try:
        return read(data[: head_end(data, DEFAULT)])
    except BadMessage as bad:
        return bad.status


def dripped(read: Callable[..., Any], data: bytes) -> ResponseHead | int:
    """The same, byte by byte."""
    try:
        end = next(filter(None, (head_end(data[:at], DEFAULT) for at in range(1, len(data) + 1))))
        return read(data[:end])
    except BadMessage as bad:
        return bad.status


@pytest.mark.parametrize(
    ("first", "status", "reason", "minor"),
    [
        (b"HTTP/1.1 200 OK", 200, b"OK", 1),
        (b"HTTP/1.0 404 Not here, sorry", 404, b"Not here, sorry", 0),
        (b"HTTP/1.1 200 ", 200, b"", 1),
        (b"HTTP/1.1 200", 200, b"", 1),
        (b"HTTP/1.1 299 \xc3\xa9\t!", 299, b"\xc3\xa9\t!", 1),
        (b"HTTP/1.1 100 Continue", 100, b"Continue", 1),
        (b"HTTP/1.1 599 ?", 599, b"?", 1),
        (b"HTTP/1.1 101 Switching Protocols", 101, b"Switching Protocols", 1),
    ],
)
def test_a_good_response(first: bytes, status: int, reason: bytes, minor: int) -> None:
    block = answer(b"Connection: upgrade", b"Upgrade: websocket", first=first)
    head = whole(read_response, block)
    assert (head.status, head.reason, head.minor) == (status, reason, minor)
    assert dripped(read_response, block) == head


@pytest.mark.parametrize(
    "block",
    [
        answer(first=b""),
        b"\r\r\n" + answer(),
        b" " + answer(),
        answer(first=b"HTTP/1.1"),
        answer(first=b"HTTP/1.1 "),
        answer(first=b"HTTP/1.1 OK"),
        answer(first=b"HTTP/1.1 20 OK"),
        answer(first=b"HTTP/1.1 2000 OK"),
        answer(first=b"HTTP/1.1 000 OK"),
        answer(first=b"HTTP/1.1 099 OK"),
        answer(first=b"HTTP/1.1  200 OK"),
        answer(first=b"HTTP/1.1 200OK"),
        answer(first=b"HTTP/1.1 +20 OK"),
        answer(first=b"HTTP/2.0 200 OK"),
        answer(first=b"HTTP/0.9 200 OK"),
        answer(first=b"HTTP/1.2 200 OK"),
        answer(first=b"http/1.1 200 OK"),
        answer(first=b"RTSP/1.0 200 OK"),
        answer(first=b"ICE/1.0 200 OK"),
        answer(first=b"ICY 200 OK"),
        answer(first=b"HTTP/1.1 200 O\x00K"),
        answer(first=b"HTTP/1.1 200 O\x7fK"),
        answer(first=b"HTTP/1.1 200 O\rK"),
        answer(first=b"HTTP/1.1 200 OK\nA: b"),
        answer(first=b"HTTP/1.1 101 Switching to nothing"),
        answer(b"A : b"),
        answer(b"A"),
        answer(b"A: b", b" c"),
        answer(b"A: b\x00"),
        answer(b"A: b\nC: d"),
        answer(b"Content-Length: 5", b"Content-Length: 5"),
        answer(b"Content-Length: x"),
        answer(b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        answer(*[b"A: b"] * (MAX_FIELDS + 1)),
        get(),
    ],
    ids=str,
)
def test_a_bad_response_is_refused_however_it_comes(block: bytes) -> None:
    assert isinstance(whole(read_response, block), int)
    assert isinstance(dripped(read_response, block), int)


@pytest.mark.parametrize("status", [100, 299, 599, 600, 777, 999])
def test_any_three_digits_are_a_status(status: int) -> None:
    assert read_response(answer(first=b"HTTP/1.1 %d Odd" % status)).status == status
