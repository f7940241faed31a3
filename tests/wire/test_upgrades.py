"""Point 18: upgrades, as to WebSocket: a tunnel after the upstream's own 101, not before (RFC 9110 7.8)."""

from collections.abc import Callable
from typing import Any

from tests.wire.case import case, cases
from tests.wire.kernel import await_taken
from tests.wire.program import Wire
from tests.wire.upstream import OK, Link

GET = b"GET /u HTTP/1.1\r\nHost: shop.example\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
ASKED = GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + KEY + b"\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n"


@cases(
    "asked",
    ("p18-rfc9110-7.8-asked", b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    ("p18-rfc9110-7.8-asked-in-any-case", b"connection: uPGRADE\r\nUPGRADE: WebSocket\r\n"),
    ("p18-rfc9110-7.8-asked-in-a-list", b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"),
    ("p18-rfc9110-7.8-asked-among-others", b"Connection: Upgrade\r\nUpgrade: h2c, websocket, foo/2\r\n"),
    ("p18-rfc9110-7.8-asked-in-two-lines", b"Connection: Upgrade\r\nUpgrade: foo\r\nUpgrade: websocket\r\n"),
    (
        "p18-rfc9110-7.8-asked-with-length-0",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n",
    ),
)
def test_an_upgrade_on_the_list_is_asked_of_the_upstream(wire: Wire, asked: bytes) -> None:
    client = wire.client(GET + asked + KEY + b"\r\n")
    link = wire.upstream.accept()
    passed = link.request_of_upgrade()
    assert passed.one("connection").lower() == "upgrade"
    assert passed.one("upgrade").lower() == "websocket"
    assert passed.one("sec-websocket-key") == "dGhlIHNhbXBsZSBub25jZQ=="
    link.send(SWITCHED)
    answer = client.answer()
    assert answer.status == 101
    assert answer.one("connection").lower() == "upgrade"
    assert answer.one("upgrade").lower() == "websocket"
    assert answer.one("sec-websocket-accept") == "x"
    client.send(b"ping")
    assert link.read(4) == b"ping"
    link.send(b"pong")
    assert client.read(4) == b"pong"


@cases(
    "head",
    ("p18-rfc9110-7.8-not-on-the-list", GET + b"Connection: Upgrade\r\nUpgrade: foo/2\r\n\r\n"),
    ("p18-rfc9113-3.1-h2c", GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n"),
    ("p18-rfc9110-7.8-prefix", GET + b"Connection: Upgrade\r\nUpgrade: websocketx\r\n\r\n"),
    ("p18-rfc9110-7.8-with-a-version", GET + b"Connection: Upgrade\r\nUpgrade: websocket/13x\r\n\r\n"),
    ("p18-rfc9110-7.8-not-nominated", GET + b"Upgrade: websocket\r\n\r\n"),
    ("p18-rfc9110-7.8-nothing-named", GET + b"Connection: Upgrade\r\n\r\n"),
    ("p18-rfc9110-7.8-from-1.0", ASKED.replace(b"HTTP/1.1", b"HTTP/1.0")),
    ("p18-rfc9110-7.8-with-a-body", ASKED[:-2] + b"Content-Length: 5\r\n\r\nhello"),
    ("p18-rfc9110-7.8-with-chunks", ASKED[:-2] + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
)  # fmt: skip
def test_another_request_goes_on_without_its_upgrade(wire: Wire, head: bytes) -> None:
    wire.upstream.answers(OK)
    assert wire.ask(head).body == b"ok"
    passed = wire.passed()
    assert passed.all("upgrade") == passed.all("connection") == passed.all("http2-settings") == []
    assert passed.body in (b"", b"hello")


@case("p18-rfc9110-7.8-none-allowed")
def test_an_empty_list_allows_none(tight: Wire) -> None:
    tight.upstream.answers(OK)
    assert tight.ask(ASKED).body == b"ok"
    assert tight.passed().all("upgrade") == []


@cases(
    "head",
    ("p18-rfc9110-15.2.2-another-protocol", SWITCHED.replace(b"websocket", b"h2c")),
    ("p18-rfc9110-15.2.2-one-more-protocol", SWITCHED.replace(b"websocket", b"websocket, h2c")),
    ("p18-rfc9110-15.2.2-no-protocol", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n"),
    ("p18-rfc9110-15.2.2-broken", SWITCHED.replace(b"Upgrade:", b"Upgrade :")),
)
def test_a_101_for_something_else_is_a_bad_gateway(wire: Wire, head: bytes) -> None:
    client = wire.client(ASKED)
    link = wire.upstream.accept()
    link.request_of_upgrade()
    link.send(head + b"bytes of another protocol")
    assert client.answer().status == 502
    link.gone()
    wire.serves_on()


@case("p18-rfc9110-7.8-101-to-an-upgrade-not-asked-of-it")
def test_a_101_to_an_upgrade_that_was_not_passed_on_is_a_bad_gateway(wire: Wire) -> None:
    client = wire.client(GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    link = wire.upstream.accept()
    link.request()
    link.send(SWITCHED.replace(b"websocket", b"h2c"))
    assert client.answer().status == 502
    link.gone()


REFUSALS = (
    ("p18-rfc9110-7.8-refused-200", OK),
    ("p18-rfc9110-7.8-refused-403", b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nok"),
    (
        "p18-rfc9110-15.5.22-refused-426",
        b"HTTP/1.1 426 Upgrade\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ),
)


@cases("answer", *REFUSALS)
def test_a_refusal_is_an_ordinary_answer(wire: Wire, answer: bytes) -> None:
    client = wire.client(ASKED)
    link = wire.upstream.accept()
    link.request_of_upgrade()
    link.send(answer)
    assert client.answer().body == b"ok"
    client.send(GET + b"\r\n")
    link.request()
    link.send(OK)
    assert client.answer().body == b"ok"


@cases("answer", *((f"{name}-with-early-bytes", answer) for name, answer in REFUSALS))
def test_early_bytes_behind_a_refused_upgrade_are_never_a_request(wire: Wire, answer: bytes) -> None:
    client = wire.client(ASKED + b"GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n")
    link = wire.upstream.accept()
    link.request_of_upgrade()
    await_taken([client.sock])
    link.send(answer)
    got = client.answer()
    assert (got.body, got.closes) == (b"ok", True)
    assert client.ended() == "closed"
    assert all("evil" not in request.target for request in wire.upstream.requests)
    wire.serves_on()


@case("p18-rfc9110-7.8-early-bytes-of-the-client")
def test_early_bytes_of_the_client_wait_for_the_101(wire: Wire) -> None:
    client = wire.client(ASKED + b"early", b"and later")
    link = wire.upstream.accept()
    link.request_of_upgrade()
    assert b"early" not in link.raw
    await_taken([client.sock])
    link.send(SWITCHED)
    assert link.read(14) == b"earlyand later"
    assert client.answer().status == 101


@case("p18-rfc9110-7.8-early-bytes-of-the-upstream")
def test_early_bytes_of_the_upstream_follow_the_101(wire: Wire) -> None:
    client = wire.client(ASKED)
    link = wire.upstream.accept()
    link.request_of_upgrade()
    link.send(SWITCHED + b"hello at once")
    assert client.answer().status == 101
    assert client.read(13) == b"hello at once"


@case("p18-rfc8297-2-103-before-101")
def test_an_interim_answer_may_come_before_the_101(wire: Wire) -> None:
    client = wire.client(ASKED)
    link = wire.upstream.accept()
    link.request_of_upgrade()
    link.send(b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n" + SWITCHED)
    answer = client.answer()
    assert (answer.status, [each.status for each in answer.interim]) == (101, [103])


@cases(
    "fault, status",
    ("p18-rfc9110-15.6.3-closed-instead-of-101", Link.finish, 502),
    ("p18-rfc9110-15.6.3-reset-instead-of-101", Link.reset, 502),
)
def test_an_upstream_that_fails_before_the_101_is_a_bad_gateway(
    wire: Wire, fault: Callable[..., Any], status: int
) -> None:
    client = wire.client(ASKED + b"early")
    link = wire.upstream.accept()
    link.request_of_upgrade()
    await_taken([client.sock])
    fault(link)
    assert client.answer().status == status
    wire.serves_on()
