"""The body of a request: measured, framed afresh, and no larger than the service takes."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proxy.forwarding.exchange import Exchange
from proxy.forwarding.upload import Upload
from proxy.http1.errors import BadMessage
from proxy.http1.framing import CHUNKED
from proxy.http1.head import RequestHead
from proxy.http1.limits import DEFAULT, Limits
from proxy.routing.choice import Choice
from proxy.routing.table import Service


@pytest.fixture
def upload(service: Callable[..., Service]) -> Callable[..., tuple[Exchange, Upload]]:
    def build(
        length: int, limits: Limits = DEFAULT, kept: int | None = None, **settings: int
    ) -> tuple[Exchange, Upload]:
        shop = service(**settings)
        choice = Choice(shop, "stable", shop.backends[0].endpoints[0], "weight", True, b"", b"")
        exchange = Exchange(RequestHead(b"POST", b"/", 1, [], b"a"), choice, length, 10.0)
        return exchange, Upload(exchange, limits, kept)

    return build


def taken(exchange: Exchange, upload: Upload, parts: tuple[Any, ...]) -> tuple[bytes, bytes]:
    """What the endpoint gets, and what stayed behind the body."""
    got = b""
    for at, part in enumerate(parts):
        got += upload.take(part)
        if exchange.request == "done":
            return got, upload.rest + b"".join(parts[at + 1 :])
    return got, None


@pytest.mark.parametrize("rest", [b"", b"GET /"])
def test_a_sized_body(
    upload: Callable[..., tuple[Exchange, Upload]],
    every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]],
    rest: bytes,
) -> None:
    for parts in every_cut(b"hello" + rest):
        exchange, it = upload(5)
        assert taken(exchange, it, parts) == (b"hello", rest)
        assert (exchange.request, exchange.received) == ("done", 5)


@pytest.mark.parametrize("rest", [b"", b"GET /"])
def test_a_body_in_chunks(
    upload: Callable[..., tuple[Exchange, Upload]],
    every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]],
    rest: bytes,
) -> None:
    wire = b"5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nDigest: abc\r\n\r\n"
    for parts in every_cut(wire + rest):
        exchange, it = upload(CHUNKED)
        got, behind = taken(exchange, it, parts)
        assert behind == rest
        assert got.endswith(b"\r\n0\r\n\r\n")
        assert (b"x=y" in got, b"Digest" in got) == (False, False)
        assert (exchange.request, exchange.received) == ("done", 11)


def test_no_bytes_are_no_chunk(upload: Callable[..., tuple[Exchange, Upload]]) -> None:
    for length in (5, CHUNKED):
        exchange, it = upload(length)
        assert (it.take(b""), exchange.request, exchange.received) == (b"", "open", 0)


def test_it_is_open_to_its_last_byte(upload: Callable[..., tuple[Exchange, Upload]]) -> None:
    exchange, it = upload(5)
    assert it.take(b"hell") == b"hell"
    assert exchange.request == "open"
    assert it.take(b"o") == b"o"
    assert exchange.request == "done"


def test_what_is_too_large_goes_nowhere(upload: Callable[..., tuple[Exchange, Upload]]) -> None:
    exchange, it = upload(CHUNKED, max_body=4)
    with pytest.raises(BadMessage) as caught:
        it.take(b"5\r\nhello\r\n0\r\n\r\n")
    assert (caught.value.status, exchange.request) == (413, "open")


def test_the_limits_hold_for_its_chunk_lines(upload: Callable[..., tuple[Exchange, Upload]]) -> None:
    _, it = upload(CHUNKED, Limits(line=10))
    with pytest.raises(BadMessage) as caught:
        it.take(b"5;" + b"a" * 10)
    assert caught.value.status == 431


def test_it_says_how_far_it_is(upload: Callable[..., tuple[Exchange, Upload]]) -> None:
    _, it = upload(5)
    it.take(b"he")
    assert repr(it) == "<Upload of <Sized 3 bytes left>>"


# What is kept of it.


WIRE = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"


@pytest.mark.parametrize(("length", "wire"), [(11, b"hello world"), (CHUNKED, WIRE)])
def test_all_that_was_sent_can_be_sent_again(
    upload: Callable[..., tuple[Exchange, Upload]],
    every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]],
    length: int,
    wire: bytes,
) -> None:
    for parts in every_cut(wire):
        exchange, it = upload(length, kept=11)
        sent = b""
        for part in parts:
            sent += it.take(part)
            assert (it.again(), it.repeatable) == (sent, True)
        assert exchange.request == "done"


@pytest.mark.parametrize(("length", "wire"), [(11, b"hello world"), (CHUNKED, WIRE)])
@pytest.mark.parametrize("kept", [None, 0, 10])
def test_what_is_too_large_to_be_kept_can_not_once_it_came(
    upload: Callable[..., tuple[Exchange, Upload]], length: int, wire: bytes, kept: int | None
) -> None:
    _, it = upload(length, kept=kept)
    assert it.repeatable, "nothing was taken yet"
    it.take(wire)
    assert (it.again(), it.repeatable) == (b"", False)


def test_an_empty_body_can_always(upload: Callable[..., tuple[Exchange, Upload]]) -> None:
    _, it = upload(CHUNKED, kept=0)
    assert it.take(b"0\r\n\r\n") == b"0\r\n\r\n"
    assert (it.again(), it.repeatable) == (b"0\r\n\r\n", True)


def test_what_is_forgotten_is_kept_no_more(upload: Callable[..., tuple[Exchange, Upload]]) -> None:
    _, it = upload(11, kept=11)
    it.take(b"hello")
    it.forget()
    assert (it.take(b" world"), it.again(), it.repeatable) == (b" world", b"", False)
