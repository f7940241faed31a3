"""Connections to endpoints that change to another protocol, or would like to, and answers with a flaw."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proxy.forwarding.upstream import Upstream
from proxy.http1.head import ResponseHead
from proxy.http1.head_cache import Heads
from proxy.http1.limits import DEFAULT, Limits
from tests.kits.located import address
from tests.kits.transports import Transport

HERE = address("http://here:80")
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
INTERIM = b"HTTP/1.1 103 Early Hints\r\n\r\n"


class Tunnel:
    """Notes what it is told; stays open for what is still to come if the test says so."""

    def __init__(self) -> None:
        self.told = []
        self.stays = True

    def from_endpoint(self, data: bytes) -> None:
        if data:
            self.told.append(data)

    def endpoint_ended(self) -> bool:
        self.told.append("ended")
        return self.stays

    def endpoint_lost(self) -> None:
        self.told.append("lost")


class Client:
    """Notes what an upstream connection says of the answer."""

    def __init__(self) -> None:
        self.tunnel = Tunnel()
        self.heard = []
        self.details = []

    def endpoint_full(self) -> None:
        self.heard.append("full")

    def endpoint_ready(self) -> None:
        self.heard.append("ready")

    def interim(self, head: ResponseHead) -> None:
        self.heard.append(head.status)

    def answer_began(self, head: ResponseHead, length: int) -> tuple[bytes, bool]:
        self.heard.append((head.status, length))
        return b"", False

    def answer_whole(self, head: ResponseHead, body: bytes) -> None:
        self.answer_began(head, len(body))
        if body:
            self.answer_part(body)
        self.answer_ended()

    def answer_part(self, data: bytes) -> None:
        self.heard.append(data)

    def answer_ended(self) -> None:
        self.heard.append("ended")

    def answer_broke(self, ending: str, detail: str, *, stale: bool) -> None:
        self.heard.append(ending)
        self.details.append(detail)

    def switched(self, head: ResponseHead, protocol: bytes) -> Tunnel:
        self.heard.append((head.status, protocol))
        return self.tunnel


@pytest.fixture
def asked(transport_of: Callable[..., Transport]) -> Callable[..., tuple[Upstream, Transport, Client]]:
    """A connection that carries a request which offers a change, its transport and its client."""

    def ask(offer: bytes = b"WebSocket", limits: Limits = DEFAULT) -> tuple[Upstream, Transport, Client]:
        one = Upstream(HERE, lambda _: None)
        transport = transport_of(one)
        client = Client()
        one.carry(client, b"GET", offer, Heads(limits))
        return one, transport, client

    return ask


# A change that was offered.


@pytest.mark.parametrize("before", [b"", INTERIM, b"HTTP/1.1 100 Continue\r\n\r\n"])
@pytest.mark.parametrize("early", [b"", b"\x81\x00", SWITCH])
def test_from_a_101_on_all_bytes_are_the_tunnels(
    asked: Callable[..., tuple[Upstream, Transport, Client]],
    every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]],
    before: bytes,
    early: bytes,
) -> None:
    for parts in every_cut(before + SWITCH + early):
        one, transport, client = asked()
        for part in parts:
            transport.arrive(part)
        assert client.heard == [
            *([103] if before == INTERIM else [100] if before else []),
            (101, b"websocket"),
        ]
        assert b"".join(client.tunnel.told) == early
        transport.arrive(HEAD)
        assert client.tunnel.told[-1] == HEAD
        assert repr(one) == "<Upstream http://here (192.0.2.9) tunnel, 1 requests>"
        assert not one.reusable()


@pytest.mark.parametrize("stays", [True, False])
def test_the_tunnel_says_what_the_end_of_one_direction_means(
    asked: Callable[..., tuple[Upstream, Transport, Client]], stays: bool
) -> None:
    one, transport, client = asked()
    transport.arrive(SWITCH)
    client.tunnel.stays = stays
    transport.arrive(None)
    assert client.tunnel.told == ["ended"]
    assert transport.end == ("" if stays else "close")
    if stays:
        one.write(b"more")
        one.end_writing()
        assert (transport.written, transport.end) == (b"more", "eof")


@pytest.mark.parametrize("error", [None, ConnectionResetError()])
def test_the_tunnel_hears_of_a_loss_once(
    asked: Callable[..., tuple[Upstream, Transport, Client]], error: Any
) -> None:
    _, transport, client = asked()
    transport.arrive(SWITCH)
    transport.lose(error)
    assert client.tunnel.told == ["lost"]
    assert client.heard == [(101, b"websocket")], "there was an answer"


@pytest.mark.parametrize(("end", "how"), [("close", "close"), ("reset", "abort")])
def test_it_does_not_hear_of_an_end_that_is_ours(
    asked: Callable[..., tuple[Upstream, Transport, Client]], end: str, how: str
) -> None:
    one, transport, client = asked()
    transport.arrive(SWITCH)
    getattr(one, end)()
    transport.turns.run()
    assert (client.tunnel.told, transport.end, transport.lost) == ([], how, True)
    assert len(transport.options) == (end == "reset")


def test_its_client_waits_while_the_endpoint_takes_no_more(
    asked: Callable[..., tuple[Upstream, Transport, Client]],
) -> None:
    one, transport, client = asked()
    transport.arrive(SWITCH)
    one.pause_writing()
    one.resume_writing()
    assert client.heard[1:] == ["full", "ready"]


@pytest.mark.parametrize("can", [True, False])
def test_whether_a_direction_can_end_alone_is_the_transports_affair(
    asked: Callable[..., tuple[Upstream, Transport, Client]], can: bool
) -> None:
    one, transport, _ = asked()
    transport.half_closes = can
    assert one.half_closes is can


# A change that nobody offered.


@pytest.mark.parametrize("early", [b"", b"secrets", HEAD])
@pytest.mark.parametrize(
    ("offer", "wire"),
    [
        (b"", SWITCH),
        (b"x", SWITCH),
        (b"websocket", SWITCH.replace(b"websocket", b"h2c")),
        (b"websocket", SWITCH.replace(b"websocket", b"websocket, h2c")),
        (b"websocket", SWITCH.replace(b"Connection: Upgrade", b"Connection: close")),
        (b"websocket", SWITCH.replace(b"Connection: Upgrade\r\n", b"")),
        (b"websocket", SWITCH.replace(b"Upgrade: websocket\r\n", b"")),
        (b"", INTERIM + SWITCH),
    ],
)
def test_a_change_that_nobody_offered_is_garbage(
    asked: Callable[..., tuple[Upstream, Transport, Client]], offer: bytes, wire: bytes, early: bytes
) -> None:
    one, transport, client = asked(offer)
    transport.arrive(wire + early)
    transport.arrive(HEAD + b"hello")
    transport.turns.run()
    assert client.heard == [*([103] if wire.startswith(INTERIM) else []), "garbage"]
    assert (transport.end, client.tunnel.told, one.reusable()) == ("abort", [], False)
    [detail] = client.details
    assert detail.startswith("the endpoint's answer isn't HTTP/1.1: ")
    assert b"secrets" not in detail.encode()


AMBIGUOUS = [
    b"Transfer-Encoding: gzip",
    b"Content-Length: 5\r\nContent-Length: 6",
    b"Content-Length: x",
    b"Content-Length: 5\r\nTransfer-Encoding: chunked",
]


@pytest.mark.parametrize("fields", AMBIGUOUS)
@pytest.mark.parametrize("wire", [INTERIM, SWITCH])
def test_an_interim_answer_with_an_ambiguous_length_is_garbage(
    asked: Callable[..., tuple[Upstream, Transport, Client]], wire: bytes, fields: bytes
) -> None:
    one, transport, client = asked()
    transport.arrive(wire.replace(b"\r\n", b"\r\n" + fields + b"\r\n", 1) + HEAD + b"hello")
    assert (client.heard, transport.end, one.reusable()) == (["garbage"], "abort", False)


@pytest.mark.parametrize("status", [b"200 OK", b"400 Bad Request", b"426 Upgrade Required"])
def test_another_answer_to_an_offer_is_an_ordinary_one(
    asked: Callable[..., tuple[Upstream, Transport, Client]], status: bytes
) -> None:
    one, transport, client = asked()
    transport.arrive(
        HEAD.replace(b"200 OK", status + b"\r\nUpgrade: websocket\r\nConnection: upgrade") + b"hello"
    )
    assert client.heard == [(int(status[:3]), 5), b"hello", "ended"]
    assert one.reusable()


# Garbage.


@pytest.mark.parametrize(
    "behind", [b"x\r\n", b"5\r\nhelloo\r\n", b"5\nhello\r\n", b"0\r\nbad\r\n\r\n", b"0\r\n\n"]
)
def test_garbage_right_behind_a_head_still_makes_it_no_answer(
    asked: Callable[..., tuple[Upstream, Transport, Client]], behind: bytes
) -> None:
    one, transport, client = asked()
    transport.arrive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + behind)
    assert client.heard == ["garbage"]
    assert (transport.end, one.reusable()) == ("abort", False)


def test_garbage_that_comes_later_cuts_the_answer(
    asked: Callable[..., tuple[Upstream, Transport, Client]],
) -> None:
    _, transport, client = asked()
    transport.arrive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    transport.arrive(b"x\r\n")
    assert client.heard == [(200, -1), "truncated"]


@pytest.mark.parametrize(
    ("wire", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\nA:" + b"a" * 27 + b"\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nA:" + b"a" * 28 + b"\r\n\r\n", False),
        (b"HTTP/1.1 200 OK not at all\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\n" + b"A:\r\n" * 3 + b"\r\n", True),
        (b"HTTP/1.1 200 OK\r\n" + b"A:\r\n" * 4 + b"\r\n", False),
        (b"HTTP/1.1 103 E\r\n" + b"A:\r\n" * 4 + b"\r\n", False),
    ],
    ids=str,
)
def test_the_limits_of_an_answer_are_those_of_its_request(
    asked: Callable[..., tuple[Upstream, Transport, Client]],
    every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]],
    wire: bytes,
    whole: bool,
) -> None:
    for parts in every_cut(wire):
        _, transport, client = asked(limits=Limits(line=25, head=50, fields=3))
        for part in parts:
            transport.arrive(part)
        assert client.heard == ([(200, -2)] if whole else ["garbage"])


def test_the_next_request_may_have_other_limits(
    asked: Callable[..., tuple[Upstream, Transport, Client]],
) -> None:
    one, transport, _ = asked(limits=Limits(line=25))
    transport.arrive(HEAD + b"hello")
    client = Client()
    one.carry(client, b"GET", b"", Heads(DEFAULT))
    transport.arrive(b"HTTP/1.1 200 " + b"OK" * 20 + b"\r\nContent-Length: 0\r\n\r\n")
    assert client.heard == [(200, 0), "ended"]


def test_and_so_are_those_of_its_chunk_lines(
    asked: Callable[..., tuple[Upstream, Transport, Client]],
) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for extension, heard in ((b";" + b"a" * 21, [(200, -1)]), (b";" + b"a" * 22, ["garbage"])):
        _, transport, client = asked(limits=Limits(line=25, head=50))
        transport.arrive(head + b"5" + extension + b"\r\n")
        assert client.heard == heard
