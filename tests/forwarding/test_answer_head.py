"""The head of an answer: how the body is framed, what may follow, and the lines that are added."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.forwarding.answer_head import choice_lines, framed_length, is_last, is_plain, own_lines
from proxy.forwarding.exchange import Exchange
from proxy.http1.framing import CHUNKED, UNTIL_CLOSE
from proxy.http1.head import RequestHead
from proxy.routing.choice import Choice
from proxy.routing.sticky import Sticky
from proxy.routing.table import Service

ASKS = {b"connection": b"upgrade", b"upgrade": b"WebSocket, h2c"}


@pytest.fixture
def exchange(service: Callable[..., Service]) -> Callable[..., Exchange]:
    def build(
        method: bytes = b"GET",
        length: int = 0,
        *,
        minor: int = 1,
        steering: dict[bytes, bytes] | tuple[()] = (),
        issue: bytes = b"",
        **settings: Sticky | str,
    ) -> Exchange:
        head = RequestHead(method, b"/", minor, [], b"a", dict(steering))
        shop = service(**settings)
        choice = Choice(shop, "stable", shop.backends[0].endpoints[0], "weight", True, b"", issue)
        return Exchange(head, choice, length, 10.0)

    return build


# What may follow.


@pytest.mark.parametrize(
    ("minor", "length", "framed"),
    [
        (1, 0, 0),
        (1, 5, 5),
        (1, CHUNKED, CHUNKED),
        (1, UNTIL_CLOSE, CHUNKED),
        (0, 0, 0),
        (0, 5, 5),
        (0, CHUNKED, UNTIL_CLOSE),
        (0, UNTIL_CLOSE, UNTIL_CLOSE),
    ],
)
def test_how_an_answer_is_framed_for_its_client(
    exchange: Callable[..., Exchange], minor: int, length: int, framed: int
) -> None:
    it = exchange(minor=minor)
    assert framed_length(it, length) == framed
    assert is_last(it, framed_length(it, length)) is (framed == UNTIL_CLOSE)


@pytest.mark.parametrize(
    ("request_", "length", "last"),
    [("done", 5, False), ("done", CHUNKED, False), ("done", UNTIL_CLOSE, True), ("open", 5, True)],
)
def test_what_no_other_request_may_follow(
    exchange: Callable[..., Exchange], request_: str, length: int, last: bool
) -> None:
    it = exchange()
    it.request = request_
    assert is_last(it, length) is last


@pytest.mark.parametrize(
    ("minor", "more", "plain"),
    [
        (1, {}, True),
        (0, {}, False),
        (1, {"choice_header": "X-Weir"}, False),
        (1, {"issue": b"k1", "sticky": Sticky("cookie", "weir", issue=True, salt="s")}, False),
    ],
)
def test_whose_answer_goes_on_as_it_came(
    exchange: Callable[..., Exchange], minor: int, more: dict[Any, Any], plain: bool
) -> None:
    it = exchange(minor=minor, **more)
    assert is_plain(it, 5) is is_plain(it, CHUNKED) is plain
    assert (own_lines(it, persistent=True, secure=False) == b"") is plain


@pytest.mark.parametrize(
    ("request_", "length", "steering"),
    [("open", 5, {}), ("done", UNTIL_CLOSE, {}), ("done", 5, ASKS)],
)
def test_whose_answer_needs_a_closer_look(
    exchange: Callable[..., Exchange], request_: str, length: int, steering: dict[bytes, bytes]
) -> None:
    it = exchange(steering=steering)
    it.request = request_
    assert not is_plain(it, length)


# The lines that are added to an answer.


@pytest.mark.parametrize(
    ("minor", "persistent", "lines"),
    [
        (1, True, b""),
        (1, False, b"Connection: close\r\n"),
        (0, True, b"Connection: keep-alive\r\n"),
        (0, False, b"Connection: close\r\n"),
    ],
)
def test_what_becomes_of_the_connection_is_said_where_it_is_no_matter_of_course(
    exchange: Callable[..., Exchange], minor: int, persistent: bool, lines: bytes
) -> None:
    assert own_lines(exchange(minor=minor), persistent=persistent, secure=False) == lines
    assert choice_lines(exchange(minor=minor), secure=False) == b""


@pytest.mark.parametrize("secure", [False, True])
def test_the_choice_and_the_key_are_told(exchange: Callable[..., Exchange], secure: bool) -> None:
    it = exchange(choice_header="X-Weir", issue=b"k1", sticky=Sticky("cookie", "weir", issue=True, salt="s"))
    cookie = b"Set-Cookie: " + it.choice.service.sticky.set_cookie(b"k1", secure=secure) + b"\r\n"
    lines = cookie + b"X-Weir: stable; why=weight\r\n"
    assert choice_lines(it, secure=secure) == lines
    assert own_lines(it, persistent=False, secure=secure) == b"Connection: close\r\n" + lines
    assert (b"Secure" in lines) is secure
