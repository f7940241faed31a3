"""Upgrades as playbooks: a tunnel only after the endpoint's own 101, and nothing lost on either side."""

from collections.abc import Callable, Iterator

import pytest

from proxy.routing.table import Service
from tests.kits.exchanges import Answered
from tests.kits.stage import Stage
from tests.kits.transports import Client, Server

GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
ASKS = b"GET /a HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
ASKS += b"Sec-WebSocket-Key: x\r\n\r\n"
OURS = b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: shop\r\n"
OURS += b"X-Forwarded-Port: 80\r\nX-Real-IP: 192.0.2.7\r\nX-Request-Id: w1-1\r\n\r\n"
ASKED = b"GET /a HTTP/1.1\r\nHost: shop\r\nSec-WebSocket-Key: x\r\n"
ASKED += b"Connection: upgrade\r\nUpgrade: websocket\r\n" + OURS
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
SWITCH += b"Sec-WebSocket-Accept: y\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: y\r\n"
SWITCHED += b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
FORBIDDEN = OK.replace(b"200 OK", b"403 Forbidden")
BIG = b"x" * 100_000


def tunnelled(stage: Stage) -> tuple[Client, Server]:
    """A client and an endpoint in a tunnel that has just begun."""
    client = stage.client()
    client.sends(ASKS)
    server = stage.connects()
    assert server.got() == ASKED
    server.sends(SWITCH)
    assert client.got() == SWITCHED
    assert open_tunnels(stage) == 1
    return client, server


def open_tunnels(stage: Stage) -> int:
    return sum(counts.tunnels for counts in stage.tally.everything().values())


# A tunnel.


def test_bytes_go_both_ways_after_a_101(stage: Stage) -> None:
    client, server = tunnelled(stage)
    for number in range(3):
        client.sends(b"up %d" % number)
        assert server.got() == b"up %d" % number
        server.sends(b"down %d" % number, OK)
        assert client.got() == b"down %d" % number + OK
    client.sends(GET)
    assert server.got() == GET, "nobody reads what goes through a tunnel"
    assert (stage.pending(), stage.idle(), stage.tally.outcomes) == (1, 0, [])


def test_early_bytes_on_both_sides_are_kept(
    stage: Stage, every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]]
) -> None:
    for parts in every_cut(SWITCH + b"\x82\x05hello"):
        client = stage.client()
        client.sends(ASKS + b"\x81\x00early")
        server = stage.connects()
        assert server.got() == ASKED, "no byte of a protocol that nobody has agreed to"
        client.sends(b" birds")
        server.sends(*parts)
        assert client.got() == SWITCHED + b"\x82\x05hello"
        assert server.got() == b"\x81\x00early birds"
        client.resets()
        assert stage.outcomes() == [("client-left", 101, "excluded")]


def test_many_early_bytes_are_held_and_kept(stage: Stage) -> None:
    client = stage.client()
    client.sends(ASKS, BIG, b"and more")
    assert not client.read
    server = stage.connects()
    assert server.got() == ASKED
    server.sends(SWITCH)
    assert client.read
    assert server.got() == BIG + b"and more"


def test_interim_answers_may_come_before(stage: Stage) -> None:
    client = stage.client()
    client.sends(ASKS)
    stage.connects().sends(b"HTTP/1.1 103 Early Hints\r\n\r\n" + SWITCH)
    assert client.got() == b"HTTP/1.1 103 Early Hints\r\n\r\n" + SWITCHED
    assert open_tunnels(stage) == 1


def test_a_pooled_connection_may_become_a_tunnel_and_is_not_pooled_again(stage: Stage) -> None:
    client = stage.client()
    server = stage.warm(client)
    client.sends(ASKS)
    assert (server.got(), stage.idle()) == (ASKED, 0)
    server.sends(SWITCH)
    client.closes()
    server.closes()
    assert stage.outcomes() == [("complete", 101, "success")]
    assert (stage.idle(), server.end, client.got()) == (0, "close", SWITCHED)


def test_a_stale_connection_is_made_good_and_early_bytes_are_kept(stage: Stage) -> None:
    client = stage.client()
    stale = stage.warm(client)
    client.sends(ASKS + b"early")
    stale.resets()
    server = stage.connects()
    server.sends(SWITCH)
    assert server.got() == ASKED + b"early"


def test_only_what_the_service_allows_is_offered(
    staged: type[Stage], service: Callable[..., Service]
) -> None:
    stage = staged(service(upgrades=("x", "websocket")))
    client = stage.client()
    client.sends(ASKS.replace(b": websocket", b": h2c, X, websocket"))
    server = stage.connects()
    assert b"\r\nConnection: upgrade\r\nUpgrade: X, websocket\r\n" in server.got()
    server.sends(SWITCH.replace(b": websocket", b": x"))
    assert b"\r\nUpgrade: x\r\n" in client.got()


@pytest.mark.parametrize(
    "request_",
    [
        ASKS.replace(b"websocket", b"h2c"),
        ASKS.replace(b"Connection: Upgrade", b"Connection: keep-alive"),
        ASKS.replace(b"HTTP/1.1", b"HTTP/1.0"),
        ASKS.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\nhi"),
    ],
)
def test_what_is_not_offered_is_not_asked_and_a_101_is_garbage(stage: Stage, request_: bytes) -> None:
    client = stage.client()
    client.sends(request_)
    server = stage.connects()
    assert b"pgrade" not in server.got()
    server.sends(SWITCH + b"secrets")
    got = client.got()
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b"secrets" not in got
    assert (server.end, stage.outcomes()) == ("abort", [("garbage", 502, "failure")])


def test_nothing_is_offered_where_upgrades_are_off(
    staged: type[Stage], service: Callable[..., Service]
) -> None:
    stage = staged(service(upgrades=()))
    client = stage.client()
    client.sends(ASKS)
    server = stage.connects()
    assert b"pgrade" not in server.got()
    server.sends(OK)
    client.sends(GET)
    assert client.got() == OK


@pytest.mark.parametrize("early", [b"", b"secrets"])
def test_an_unasked_101_is_garbage(stage: Stage, early: bytes) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(SWITCH + early)
    stage.failed(client, 502, "garbage")
    assert (server.end, client.end, open_tunnels(stage)) == ("abort", "", 0)


# A refusal is an ordinary answer.


def test_a_refusal_goes_through_and_the_next_request_is_served(stage: Stage) -> None:
    client = stage.client()
    client.sends(ASKS)
    server = stage.connects()
    server.sends(FORBIDDEN)
    assert client.got() == FORBIDDEN
    assert stage.outcomes() == [("complete", 403, "success")]
    assert (client.end, stage.idle(), open_tunnels(stage)) == ("", 1, 0)
    server.got()
    client.sends(GET)
    server.sends(OK)
    assert client.got() == OK


@pytest.mark.parametrize("early", [b"\x81\x05hello", GET])
def test_bytes_behind_a_refused_offer_are_nobodys_request(
    stage: Stage, answers: Callable[..., list[Answered]], early: bytes
) -> None:
    client = stage.client()
    client.sends(ASKS + early)
    server = stage.connects()
    server.got()
    server.sends(FORBIDDEN)
    [(status, fields, body)] = answers(client.got())
    assert (status, body) == (403, b"hello")
    assert ("Connection", "close") in fields
    client.sends(GET)
    assert (server.got(), client.got(), client.end) == (b"", b"", "eof")
    assert stage.outcomes() == [("complete", 403, "success")]
    assert stage.refusals() == []


def test_an_endpoint_that_ignores_the_offer_answers_as_usual(stage: Stage) -> None:
    client = stage.client()
    client.sends(ASKS)
    server = stage.connects()
    server.sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    assert client.got().endswith(b"5\r\nhello\r\n0\r\n\r\n")
    assert (stage.idle(), client.end) == (1, "")
