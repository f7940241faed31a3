"""A head ends at its blank line, and is too long at its limit, however the bytes come."""

from typing import Any

import pytest

from proxy.http1.errors import BadMessage
from proxy.http1.limits import DEFAULT, Limits
from proxy.http1.parser import cut_request, head_end, read_request, read_response

HOST = b"Host: shop.example\r\n"


def get(*lines: bytes, first: bytes = b"GET / HTTP/1.1", host: bytes = HOST) -> bytes:
    return first + b"\r\n" + host + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def answer(*lines: bytes, first: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return get(*lines, first=first, host=b"")


@pytest.mark.parametrize("block", [get(), get(b"A: b"), answer()])
@pytest.mark.parametrize("behind", [b"", b"\r\n\r\n", b"body", get()])
def test_a_head_ends_at_its_blank_line_and_not_before(block: bytes, behind: bytes) -> None:
    assert head_end(block + behind, DEFAULT) == len(block)
    assert {head_end(block[:at], DEFAULT) for at in range(len(block))} == {0}


MAX_LINE, MAX_HEAD, MAX_FIELDS = DEFAULT.line, DEFAULT.head, DEFAULT.fields


def line_of(size: int) -> bytes:
    return b"GET /" + b"a" * (size - len(b"GET / HTTP/1.1\r\n")) + b" HTTP/1.1\r\n"


def head_of(size: int) -> bytes:
    block = get(*[b"A: " + b"a" * 8000] * 7)
    return block[:-2] + b"B: " + b"b" * (size - len(block) - len(b"B: \r\n")) + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (line_of(MAX_LINE) + b"\r\n", 0),
        (line_of(MAX_LINE + 1) + b"\r\n", 414),
        (b"GET /" + b"a" * MAX_LINE, 414),
        (head_of(MAX_HEAD), 0),
        (head_of(MAX_HEAD) + b"body" * 50_000, 0),
        (head_of(MAX_HEAD + 1), 431),
        (head_of(MAX_HEAD + 1)[:-4] + b"c" * 50_000, 431),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\nA: b", 400),
        (b"\nGET", 400),
        (b"\x16\x03\x01", 400),
    ],
    ids=lambda value: str(value)[:40],
)
def test_limits_hold_however_the_bytes_come(data: bytes, status: int) -> None:
    def at_pace(step: int) -> int:
        try:
            cuts = (data[:at] for at in range(step, len(data) + step, step))
            return next(filter(None, (head_end(cut, DEFAULT) for cut in cuts)), 0)
        except BadMessage as bad:
            return -bad.status

    for step in (len(data), len(data) - 1, 4099, 1000):
        end = at_pace(step)
        assert -end == status if status else end == data.index(b"\r\n\r\n") + 4


@pytest.mark.parametrize("before", [b"", b"\r\n", b"\r\n" * 3])
@pytest.mark.parametrize("behind", [b"", b"\r\n", b"body", get()])
def test_a_request_is_cut_off_its_stream_without_the_empty_lines_before_it(
    before: bytes, behind: bytes
) -> None:
    assert cut_request(before + get() + behind, DEFAULT) == (get(), behind)
    assert cut_request(before + get()[:-1], DEFAULT) == (b"", get()[:-1])
    assert cut_request(before + b"\r", DEFAULT) == (b"", b"\r")
    with pytest.raises(BadMessage):
        cut_request(before + b"\nGET", DEFAULT)


class Watched(bytes):
    """Bytes that know how often they, or what was cut off them, were copied."""

    copies = 0

    def __getitem__(self, key: Any) -> Any:
        Watched.copies += 1
        return Watched(super().__getitem__(key))


def test_empty_lines_are_cut_off_together() -> None:
    Watched.copies = 0
    assert cut_request(Watched(b"\r\n" * 5_000 + get()), DEFAULT) == (get(), b"")
    assert Watched.copies == 3, "a copy for each makes a flood of them stop the worker"


# The limits, as they are given.

SHORT = Limits(line=20, head=60, fields=3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GET /1234 HTTP/1.1\r\nHost: a\r\n\r\n", ""),
        (b"GET /12345 HTTP/1.1\r\nHost: a\r\n\r\n", "line"),
        (b"GET /123456789012345", ""),
        (b"GET /1234567890123456", "line"),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 37 + b"\r\n\r\n", ""),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 38 + b"\r\n\r\n", "head"),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 41, ""),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 42, "head"),
        (b"HTTP/1.1 200 1234567\r\n\r\n", "line"),
    ],
    ids=str,
)
def test_a_head_holds_to_the_limits_that_are_given(data: bytes, reason: str) -> None:
    for start in (1, len(data)):
        ends = (head_end(data[:at], SHORT) for at in range(start, len(data) + 1))
        if reason:
            with pytest.raises(BadMessage) as caught:
                next(filter(None, ends))
            assert (caught.value.status, caught.value.reason) == (414 if reason == "line" else 431, reason)
        else:
            assert next(filter(None, ends), 0) == (len(data) if data.endswith(b"\r\n\r\n") else 0)


def test_fields_hold_to_the_limit_that_is_given() -> None:
    assert len(read_request(get(b"A: b", b"A: b"), SHORT).fields) == 3
    assert len(read_response(answer(*[b"A: b"] * 3), SHORT).fields) == 3
    for read, block in ((read_request, get(*[b"A: b"] * 3)), (read_response, answer(*[b"A: b"] * 4))):
        with pytest.raises(BadMessage) as caught:
            read(block, SHORT)
        assert (caught.value.status, caught.value.reason) == (431, "fields")
        assert len(read(block).fields) == 4, "by default there may be more"


def test_too_many_fields_are_too_many_even_when_the_same_were_read_before() -> None:
    block = get(*[b"A: b"] * 3)
    read_request(block)
    with pytest.raises(BadMessage):
        read_request(block, SHORT)


def test_fields_are_counted_before_they_are_read() -> None:
    with pytest.raises(BadMessage) as caught:
        read_request(get(*[b"no field"] * 300))
    assert caught.value.status == 431
