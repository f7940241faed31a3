"""Which fields go on: hop-by-hop and nominated ones stop here, whatever else is named stays."""

import tracemalloc

import pytest

from proxy.http1.errors import BadMessage
from proxy.http1.fields import (
    HOP_BY_HOP,
    REQUEST_DROPS,
    RESPONSE_DROPS,
    accepted,
    drops,
    expects,
    offered,
    onward,
    persistent,
    tokens,
)
from proxy.http1.head import RequestHead, ResponseHead


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", set()),
        (b" ,\t, ,", set()),
        (b"close", {b"close"}),
        (b"Keep-Alive,\tX-A ,, x-a", {b"keep-alive", b"x-a"}),
        (b"close" * 100, {b"close" * 100}),
    ],
)
def test_a_list_is_a_set_of_lower_case_members(value: bytes, expected: set[bytes]) -> None:
    assert tokens(value) == expected


@pytest.mark.parametrize(
    ("connection", "minor", "stays"),
    [
        (None, 1, True),
        (None, 0, False),
        (b"close", 1, False),
        (b"Close", 1, False),
        (b"close", 0, False),
        (b"keep-alive", 1, True),
        (b"Keep-Alive", 0, True),
        (b"keep-alive, close", 0, False),
        (b"keep-alive,close", 1, False),
        (b"upgrade", 1, True),
        (b"upgrade", 0, False),
        (b"", 1, True),
        (b"not-close", 1, True),
    ],
)
def test_who_keeps_a_connection_open(connection: bytes | None, minor: int, stays: bool) -> None:
    steering = {} if connection is None else {b"connection": connection}
    assert persistent(RequestHead(b"GET", b"/", minor, [], b"", steering)) is stays
    assert persistent(ResponseHead(200, b"", minor, [], steering)) is stays


SAID_BY_CLIENTS = {
    b"x-forwarded-for",
    b"x-forwarded-proto",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-real-ip",
    b"forwarded",
    b"x-request-id",
}


def test_without_a_nomination_the_usual_names_are_left_out() -> None:
    assert drops(REQUEST_DROPS, None) == HOP_BY_HOP | SAID_BY_CLIENTS | {b"host", b"content-length"}
    assert drops(RESPONSE_DROPS, None) == HOP_BY_HOP | {b"content-length"}


@pytest.mark.parametrize("always", [REQUEST_DROPS, RESPONSE_DROPS, frozenset()])
@pytest.mark.parametrize(
    ("connection", "nominated"),
    [
        (b"close", {b"close"}),
        (b"X-A, X-B", {b"x-a", b"x-b"}),
        (b"Host, Content-Length, x-a", {b"x-a"}),
        (b",".join(b"x-%d" % n for n in range(1000)), {b"x-%d" % n for n in range(1000)}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_nomination_adds_names_but_never_host_or_length(
    always: frozenset[bytes], connection: bytes, nominated: set[bytes]
) -> None:
    assert drops(always, connection) == always | nominated


def test_nobody_can_make_us_remember_long_connection_fields() -> None:
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for n in range(50):
        nominations = b",".join(b"x-%d-%d" % (n, m) for m in range(500))
        drops(REQUEST_DROPS, nominations)
        tokens(nominations)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 100_000


def test_what_is_kept_keeps_its_order_multiplicity_and_spelling() -> None:
    fields = [
        (b"x-b", b"X-B:  1 "),
        (b"te", b"TE: trailers"),
        (b"set-cookie", b"Set-Cookie: a=1"),
        (b"x-b", b"x-b:2"),
        (b"set-cookie", b"SET-COOKIE: b=2"),
    ]
    lines = b"X-B:  1 \r\nSet-Cookie: a=1\r\nx-b:2\r\nSET-COOKIE: b=2\r\n"
    assert onward(fields, HOP_BY_HOP) == lines
    assert onward([], HOP_BY_HOP) == b""


def request(minor: int = 1, **steering: bytes) -> RequestHead:
    return RequestHead(b"GET", b"/", minor, [], b"", {name.encode(): one for name, one in steering.items()})


def response(**steering: bytes) -> ResponseHead:
    return ResponseHead(101, b"", 1, [], {name.encode(): value for name, value in steering.items()})


# Expect (RFC 9110 section 10.1.1).


@pytest.mark.parametrize("minor", [0, 1])
def test_who_says_nothing_expects_nothing(minor: int) -> None:
    assert expects(request(minor)) is False


@pytest.mark.parametrize("value", [b"100-continue", b"100-Continue", b"100-CONTINUE"])
def test_who_waits_for_100(value: bytes) -> None:
    assert expects(request(expect=value)) is True
    assert expects(request(0, expect=value)) is False, "HTTP/1.0 knows no 100"


@pytest.mark.parametrize(
    "value", [b"", b"200-ok", b"100-continued", b"100-continue, x", b"100-continue,100-continue", b"100"]
)
def test_another_expectation_is_refused(value: bytes) -> None:
    with pytest.raises(BadMessage) as caught:
        expects(request(expect=value))
    assert (caught.value.status, caught.value.reason) == (417, "expectation")
    assert expects(request(0, expect=value)) is False


# Upgrade (RFC 9110 section 7.8).

WEBSOCKET = frozenset((b"websocket",))


@pytest.mark.parametrize(
    ("connection", "upgrade", "allowed", "offer"),
    [
        (b"upgrade", b"websocket", WEBSOCKET, b"websocket"),
        (b"Upgrade", b"WebSocket", WEBSOCKET, b"WebSocket"),
        (b"keep-alive, UPGRADE", b"websocket", WEBSOCKET, b"websocket"),
        (b"upgrade", b"h2c", WEBSOCKET, b""),
        (b"upgrade", b"h2c, websocket", WEBSOCKET, b"websocket"),
        (b"upgrade", b" websocket ,\th2c,,x", frozenset((b"x", b"websocket")), b"websocket, x"),
        (b"upgrade", b"websocket/13", WEBSOCKET, b""),
        (b"upgrade", b"websockets", WEBSOCKET, b""),
        (b"upgrade", b"", WEBSOCKET, b""),
        (b"upgrade", b"websocket", frozenset(), b""),
        (b"close", b"websocket", WEBSOCKET, b""),
        (b"not-upgrade", b"websocket", WEBSOCKET, b""),
        (None, b"websocket", WEBSOCKET, b""),
        (b"upgrade", None, WEBSOCKET, b""),
    ],
)
def test_the_protocols_that_a_request_may_change_to(
    connection: bytes | None, upgrade: bytes | None, allowed: frozenset[bytes], offer: bytes
) -> None:
    said = {"connection": connection, "upgrade": upgrade}
    steering = {name: value for name, value in said.items() if value is not None}
    assert offered(request(**steering), allowed) == offer
    assert offered(request(0, **steering), allowed) == b"", "HTTP/1.0 can't ask"


@pytest.mark.parametrize(
    ("connection", "upgrade", "offer", "protocol"),
    [
        (b"upgrade", b"websocket", b"websocket", b"websocket"),
        (b"Upgrade", b"WebSocket", b"websocket", b"WebSocket"),
        (b"upgrade", b"websocket", b"WebSocket", b"websocket"),
        (b"upgrade", b"x", b"websocket, x", b"x"),
        (b"upgrade", b"h2c", b"websocket", b""),
        (b"upgrade", b"websocket, x", b"websocket, x", b""),
        (b"upgrade", b"websocket,websocket", b"websocket", b""),
        (b"upgrade", b"", b"websocket", b""),
        (b"upgrade", b"", b"", b""),
        (b"upgrade", b"websocket", b"", b""),
        (b"close", b"websocket", b"websocket", b""),
        (None, b"websocket", b"websocket", b""),
        (b"upgrade", None, b"websocket", b""),
    ],
)
def test_the_protocol_that_an_endpoint_changes_to(
    connection: bytes | None, upgrade: bytes | None, offer: bytes, protocol: bytes
) -> None:
    said = {"connection": connection, "upgrade": upgrade}
    head = response(**{name: value for name, value in said.items() if value is not None})
    assert accepted(head, offer) == protocol
