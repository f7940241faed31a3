"""Connections to endpoints: what they make of the bytes of an answer, and what they are when nobody asks."""

import ssl
from collections.abc import Callable
from typing import Any

import pytest

from proxy.forwarding.upstream import Upstream
from proxy.http1.framing import CHUNKED, UNTIL_CLOSE
from proxy.http1.head import ResponseHead
from proxy.http1.head_cache import Heads
from proxy.http1.limits import DEFAULT
from tests.kits.located import address
from tests.kits.transports import Transport

HERE = address("http://here:80")
LAST = b"5\r\nhello\r\n0\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
INTERIM = b"HTTP/1.1 103 Early Hints\r\n\r\n"


class Client:
    """Notes what an upstream connection says of the answer."""

    def __init__(self, upstream: Upstream, rechunk: bool = False) -> None:
        self.upstream = upstream
        self.rechunk = rechunk
        self.heard = []
        self.body = b""

    def endpoint_full(self) -> None:
        self.heard.append("full")

    def endpoint_ready(self) -> None:
        self.heard.append("ready")

    def interim(self, head: ResponseHead) -> None:
        self.heard.append(head.status)

    def answer_began(self, head: ResponseHead, length: int) -> tuple[bytes, bool]:
        self.heard.append((head.status, length))
        return b"[head]", self.rechunk

    def answer_whole(self, head: ResponseHead, body: bytes) -> None:
        prefix, _ = self.answer_began(head, len(body))
        self.answer_part(prefix + body)
        self.answer_ended()

    def answer_part(self, data: bytes) -> None:
        self.body += data

    def answer_ended(self) -> None:
        self.heard.append("ended")

    def answer_broke(self, ending: str, detail: str, *, stale: bool) -> None:
        assert detail
        self.heard.append(ending + (", stale" if stale else ""))


@pytest.fixture
def gone() -> list[Any]:
    return []


@pytest.fixture
def upstream(transport_of: Callable[..., Transport], gone: list[Any]) -> tuple[Upstream, Transport]:
    """A connection, and its transport under `.transport`."""
    one = Upstream(HERE, gone.append)
    transport = transport_of(one)
    return one, transport


@pytest.fixture
def asked(upstream: tuple[Upstream, Transport]) -> Callable[..., tuple[Upstream, Transport, Client]]:
    """The same when it carries a request."""

    def ask(method: bytes = b"GET", **more: bool) -> tuple[Upstream, Transport, Client]:
        one, transport = upstream
        client = Client(one, **more)
        one.carry(client, method, b"", Heads(DEFAULT))
        one.write(b"[request]")
        return one, transport, client

    return ask


def test_an_answer_from_its_first_byte_to_its_last(
    asked: Callable[..., tuple[Upstream, Transport, Client]],
) -> None:
    one, transport, client = asked()
    assert transport.written == b"[request]"
    for part in (b"HTTP/1.1 200 OK\r\nContent-", b"Length: 5\r\n\r\nhe", b"llo"):
        transport.arrive(part)
    assert client.heard == [(200, 5), "ended"]
    assert client.body == b"[head]hello"
    assert (one.reusable(), one.used) == (True, 1)


@pytest.mark.parametrize(
    ("wire", "length", "plain", "chunked"),
    [
        (b"Content-Length: 0\r\n\r\n", 0, b"", None),
        (b"Content-Length: 5\r\n\r\nhello", 5, b"hello", None),
        (b"Transfer-Encoding: chunked\r\n\r\n" + LAST, CHUNKED, b"hello", LAST),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", CHUNKED, b"", b"0\r\n\r\n"),
        (b"\r\nhello", UNTIL_CLOSE, b"hello", b"5\r\nhello\r\n0\r\n\r\n"),
        (b"\r\n", UNTIL_CLOSE, b"", b"0\r\n\r\n"),
    ],
)
@pytest.mark.parametrize("rechunk", [False, True])
def test_a_body_is_framed_as_the_client_wants_it(
    asked: Callable[..., tuple[Upstream, Transport, Client]],
    wire: bytes,
    length: int,
    plain: bytes,
    chunked: bytes | None,
    rechunk: bool,
) -> None:
    _, transport, client = asked(rechunk=rechunk and chunked is not None)
    transport.arrive(b"HTTP/1.1 200 OK\r\n" + wire)
    if length == UNTIL_CLOSE:
        assert client.heard == [(200, length)]
        transport.arrive(None)
        transport.turns.run()
    assert client.heard == [(200, length), "ended"]
    assert client.body == b"[head]" + (chunked if client.rechunk else plain)


def test_interim_answers_are_no_answers(asked: Callable[..., tuple[Upstream, Transport, Client]]) -> None:
    one, transport, client = asked()
    transport.arrive(INTERIM + INTERIM + HEAD[:10])
    assert client.heard == [103, 103]
    assert repr(one) == "<Upstream http://here (192.0.2.9) hinted, 1 requests>"
    transport.arrive(HEAD[10:] + b"hello")
    assert client.heard == [103, 103, (200, 5), "ended"]


@pytest.mark.parametrize("wire", [b"\0\n", SWITCH])
def test_garbage_ends_the_connection(
    asked: Callable[..., tuple[Upstream, Transport, Client]], wire: bytes
) -> None:
    one, transport, client = asked()
    transport.arrive(wire)
    assert (client.heard, transport.end, one.reusable()) == (["garbage"], "abort", False)
    transport.arrive(HEAD + b"hello")
    transport.turns.run()
    assert client.heard == ["garbage"]


@pytest.mark.parametrize("error", [None, ConnectionResetError()])
@pytest.mark.parametrize(
    ("wire", "heard"),
    [
        (b"", ["reset"]),
        (b"HT", ["reset"]),
        (INTERIM, [103, "reset"]),
        (HEAD, [(200, 5), "truncated"]),
        (HEAD + b"hell", [(200, 5), "truncated"]),
        (HEAD + b"hello", [(200, 5), "ended"]),
    ],
)
def test_an_end_before_the_end(
    asked: Callable[..., tuple[Upstream, Transport, Client]], error: Any, wire: bytes, heard: list[Any]
) -> None:
    one, transport, client = asked()
    if wire:
        transport.arrive(wire)
    transport.lose(error)
    assert client.heard == heard
    assert not one.reusable()


@pytest.mark.parametrize(
    ("wire", "heard"),
    [
        (b"", ["tls"]),
        (INTERIM, [103, "tls"]),
        (HEAD, [(200, 5), "truncated"]),
        (HEAD + b"hello", [(200, 5), "ended"]),
    ],
)
def test_an_endpoint_that_refuses_our_certificate_late(
    asked: Callable[..., tuple[Upstream, Transport, Client]], wire: bytes, heard: list[Any]
) -> None:
    _, transport, client = asked()
    if wire:
        transport.arrive(wire)
    transport.lose(ssl.SSLError("tlsv13 alert certificate required"))
    assert client.heard == heard


@pytest.mark.parametrize(("wire", "stale"), [(b"", True), (b"H", False), (INTERIM, False), (HEAD, False)])
def test_only_a_used_connection_that_said_nothing_can_be_stale(
    asked: Callable[..., tuple[Upstream, Transport, Client]], wire: bytes, stale: bool
) -> None:
    one, transport, client = asked()
    transport.arrive(HEAD + b"hello")
    one.idle_since = 1.0
    one, _, client = asked()
    if wire:
        transport.arrive(wire)
    transport.lose(None)
    assert [", stale" in str(word) for word in client.heard[-1:]] == [stale]


@pytest.mark.parametrize(
    ("head", "behind", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"", True),
        (b"HTTP/1.1 200 OK\r\n", b"x", False),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", b"", False),
        (b"HTTP/1.0 200 OK\r\n", b"", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", b"", True),
    ],
)
def test_what_may_carry_another_request(
    asked: Callable[..., tuple[Upstream, Transport, Client]], head: bytes, behind: bytes, reusable: bool
) -> None:
    one, transport, client = asked()
    transport.arrive(head + b"Content-Length: 5\r\n\r\nhello" + behind)
    assert client.heard[-1] == "ended"
    assert one.reusable() is reusable


@pytest.mark.parametrize("data", [b"x", HEAD + b"hello", None])
@pytest.mark.parametrize("used", [False, True])
def test_whatever_comes_while_nobody_asks_ends_it(
    upstream: tuple[Upstream, Transport],
    asked: Callable[..., tuple[Upstream, Transport, Client]],
    gone: list[Any],
    data: bytes | None,
    used: bool,
) -> None:
    one, transport = upstream
    if used:
        asked()
        transport.arrive(HEAD + b"hello")
    transport.arrive(data)
    assert gone == [one]
    assert not one.reusable()
    transport.turns.run()
    assert (transport.lost, gone) == (True, [one])


def test_an_idle_connection_that_is_lost_says_so(
    upstream: tuple[Upstream, Transport], gone: list[Any]
) -> None:
    one, transport = upstream
    transport.lose(None)
    assert gone == [one]


def test_under_tls_it_is_looked_for_its_descriptor_each_time(
    transport_of: Callable[..., Transport], gone: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be another connection's by then, or none: uvloop closes it before it says so."""
    looked = []

    class Looking:
        def __init__(self, transport: Transport) -> None:
            looked.append(transport)

        def arrived(self) -> bool:
            return False

    monkeypatch.setattr("proxy.forwarding.upstream.Peek", Looking)
    for secure, times in ((False, 1), (True, 2)):
        one = Upstream(HERE, gone.append)
        transport = transport_of(one, secure=secure)
        assert [one.has_input(), one.has_input()] == [False, False]
        assert looked == [transport] * times
        looked.clear()


def test_one_that_we_close_does_not(upstream: tuple[Upstream, Transport], gone: list[Any]) -> None:
    one, transport = upstream
    one.close()
    transport.turns.run()
    assert (transport.end, gone) == ("close", [])


def test_an_abandoned_answer_reaches_nobody(
    asked: Callable[..., tuple[Upstream, Transport, Client]], gone: list[Any]
) -> None:
    one, transport, client = asked()
    transport.arrive(HEAD)
    one.abandon()
    transport.arrive(b"hello")
    transport.turns.run()
    assert (client.heard, client.body) == ([(200, 5)], b"[head]")
    assert (transport.end, gone, one.reusable()) == ("abort", [], False)


def test_the_client_waits_while_the_endpoint_takes_no_more(
    asked: Callable[..., tuple[Upstream, Transport, Client]],
) -> None:
    one, _, client = asked()
    one.pause_writing()
    one.resume_writing()
    assert client.heard == ["full", "ready"]


def test_nobody_waits_for_an_idle_connection(upstream: tuple[Upstream, Transport]) -> None:
    one, _ = upstream
    one.pause_writing()
    one.resume_writing()


def test_it_says_where_it_stands(asked: Callable[..., tuple[Upstream, Transport, Client]]) -> None:
    one, transport, _ = asked()
    seen = [repr(one)]
    for part in (HEAD, b"hello"):
        transport.arrive(part)
        seen.append(repr(one))
    one.close()
    seen.append(repr(one))
    assert seen == [
        "<Upstream http://here (192.0.2.9) awaiting, 1 requests>",
        "<Upstream http://here (192.0.2.9) body, 1 requests>",
        "<Upstream http://here (192.0.2.9) idle, 1 requests>",
        "<Upstream http://here (192.0.2.9) closed, 1 requests>",
    ]
