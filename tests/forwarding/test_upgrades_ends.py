"""How tunnels end: by halves, at once, broken off or silent; and who waits for whom meanwhile."""

from collections.abc import Callable

import pytest

from proxy.routing.table import Service, Timeouts
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


# The ends.


@pytest.mark.parametrize("first", ["client", "server"])
def test_each_side_may_end_its_half_and_go_on_listening(stage: Stage, first: str) -> None:
    client, server = tunnelled(stage)
    one, other = (client, server) if first == "client" else (server, client)
    one.closes()
    assert (one.end, other.end) == ("", "eof")
    other.sends(b"still ", b"here")
    assert one.got() == b"still here"
    assert stage.tally.outcomes == []
    other.closes()
    assert (client.end, server.end) == ("close", "close")
    assert stage.outcomes() == [("complete", 101, "success")]
    assert (set(stage.members), stage.idle(), open_tunnels(stage)) == (set(), 0, 0)


@pytest.mark.parametrize("tls", ["client", "server"])
@pytest.mark.parametrize("first", ["client", "server"])
def test_where_one_of_them_speaks_tls_the_end_of_one_closes_both(stage: Stage, tls: str, first: str) -> None:
    client, server = tunnelled(stage)
    ends = {"client": client, "server": server}
    ends[tls].transport.half_closes = False
    ends[first].closes()
    assert (client.end, server.end) == ("close", "close")
    assert stage.outcomes() == [("complete", 101, "success")]
    assert set(stage.members) == set()


@pytest.mark.parametrize("before", ["", "client", "server"])
def test_a_client_that_breaks_off_breaks_the_endpoint_off(stage: Stage, before: str) -> None:
    client, server = tunnelled(stage)
    if before:
        {"client": client, "server": server}[before].closes()
    client.resets()
    assert (server.end, len(server.transport.options)) == ("abort", 1)
    assert stage.outcomes() == [("client-left", 101, "excluded")]
    assert (set(stage.members), open_tunnels(stage)) == (set(), 0)


@pytest.mark.parametrize("before", ["", "client", "server"])
def test_an_endpoint_that_breaks_off_breaks_the_client_off(stage: Stage, before: str) -> None:
    client, server = tunnelled(stage)
    if before:
        {"client": client, "server": server}[before].closes()
    server.resets()
    assert client.was_reset
    assert stage.outcomes() == [("truncated", 101, "failure")]
    assert (set(stage.members), open_tunnels(stage)) == (set(), 0)


def test_a_client_that_leaves_before_the_101_leaves_no_tunnel(stage: Stage) -> None:
    client = stage.client()
    client.sends(ASKS)
    server = stage.connects()
    client.closes()
    assert server.end == "abort"
    assert stage.outcomes() == [("client-left", 0, "excluded")]


def test_draining_gives_a_tunnel_its_grace_and_then_breaks_it_off(stage: Stage) -> None:
    client, server = tunnelled(stage)
    stage.plane.draining = True
    [member] = stage.members
    member.finish()
    client.sends(b"up")
    assert (server.got(), client.end) == (b"up", "")
    member.reset()
    stage.turns.run()
    assert client.was_reset
    assert server.end == "abort"
    assert stage.outcomes() == [("client-left", 101, "excluded")]
    assert open_tunnels(stage) == 0


# Pace.


@pytest.fixture
def hasty(staged: type[Stage], service: Callable[..., Service]) -> Stage:
    """A stage whose tunnels may be silent for 4 s."""
    return staged(service(timeouts=Timeouts(response=2, body=3, tunnel=4)))


def test_silence_closes_both_sides(hasty: Stage) -> None:
    client, server = tunnelled(hasty)
    hasty.passes(3.9)
    client.sends(b"x")
    hasty.passes(3.9)
    server.sends(b"y")
    hasty.passes(3.9)
    assert (client.end, server.end) == ("", "")
    hasty.passes(0.2)
    assert (client.end, server.end) == ("close", "close")
    assert hasty.outcomes() == [("complete", 101, "success")]


def test_neither_the_deadlines_of_http_nor_the_idle_one_hold_in_it(stage: Stage) -> None:
    client, server = tunnelled(stage)
    stage.passes(3590)
    server.sends(b"still")
    assert client.got() == b"still"


def test_no_side_is_read_while_the_other_takes_nothing(hasty: Stage) -> None:
    client, server = tunnelled(hasty)
    for one, other in ((client, server), (server, client)):
        other.stalls()
        one.sends(BIG)
        assert not one.read
        other.takes()
        assert one.read
        assert other.got() == BIG


def test_a_side_that_takes_slowly_is_not_closed(hasty: Stage) -> None:
    client, server = tunnelled(hasty)
    client.stalls()
    server.sends(BIG)
    for _ in range(10):
        hasty.passes(3)
        client.takes(1_000)
    assert (client.end, server.end) == ("", "")
    client.takes()
    assert client.got() == BIG


def test_a_side_that_takes_nothing_is_closed(hasty: Stage) -> None:
    client, server = tunnelled(hasty)
    client.stalls()
    server.sends(BIG)
    hasty.passes(12)
    assert (client.end, server.end) == ("close", "close")
    assert hasty.outcomes() == [("complete", 101, "success")]


def test_the_time_of_silence_holds_after_a_side_was_slow_too(
    staged: type[Stage], service: Callable[..., Service]
) -> None:
    stage = staged(service(timeouts=Timeouts(response=2, body=60, tunnel=4)))
    client, server = tunnelled(stage)
    for one, other in ((client, server), (server, client)):
        other.stalls()
        one.sends(BIG)
        stage.passes(1)
        other.takes()
    stage.passes(2.8)
    assert (client.end, server.end) == ("", "")
    stage.passes(4)
    assert (client.end, server.end) == ("close", "close")


# Ends that aren't read.


@pytest.mark.parametrize(
    ("gone", "ending"), [("client", ("client-left", "excluded")), ("server", ("truncated", "failure"))]
)
def test_a_side_that_breaks_off_while_it_is_not_read_is_noticed(
    stage: Stage, gone: str, ending: tuple[str, str]
) -> None:
    client, server = tunnelled(stage)
    one, other = (client, server) if gone == "client" else (server, client)
    other.stalls()
    one.sends(BIG)
    assert not one.read
    one.slips(b"more", ConnectionResetError())
    stage.passes(0.6)
    assert (client.end, server.end) == ("abort", "abort")
    assert stage.outcomes() == [(ending[0], 101, ending[1])]
    assert set(stage.members) == set()


def test_one_that_only_ends_its_half_meanwhile_is_heard_to_its_last_byte(stage: Stage) -> None:
    client, server = tunnelled(stage)
    server.stalls()
    client.sends(BIG)
    client.slips(b"more", None)
    stage.passes(5)
    assert (client.end, server.end) == ("", "")
    server.takes()
    assert (server.got(), server.end) == (BIG + b"more", "eof")


# What waits for the endpoint when the tunnel is over.


def over_with_bytes_to_send(stage: Stage) -> Server:
    client, server = tunnelled(stage)
    server.stalls()
    client.sends(BIG)
    stage.passes(12)
    assert (client.end, server.end, server.transport.lost) == ("close", "close", False)
    assert stage.outcomes() == [("complete", 101, "success")]
    return server


def test_an_endpoint_may_still_take_it(hasty: Stage) -> None:
    server = over_with_bytes_to_send(hasty)
    server.takes()
    assert (server.got(), server.transport.lost) == (BIG, True)


def test_but_its_connection_does_not_stay_for_ever(hasty: Stage) -> None:
    server = over_with_bytes_to_send(hasty)
    [(seconds, give_up, arguments)] = hasty.turns.later
    assert seconds == hasty.plane.idle_seconds
    give_up(*arguments)
    hasty.turns.run()
    assert (server.end, server.transport.lost) == ("abort", True)


def test_an_endpoint_that_ends_while_much_waits_for_it_troubles_nobody(hasty: Stage) -> None:
    client, server = tunnelled(hasty)
    server.transport.half_closes = False
    server.stalls()
    client.sends(BIG)
    server.closes()
    assert (client.end, server.end) == ("close", "close")
    server.takes()
    assert (server.got(), hasty.outcomes()) == (BIG, [("complete", 101, "success")])


def test_nothing_is_left_to_do_for_one_that_has_taken_all(hasty: Stage) -> None:
    client, server = tunnelled(hasty)
    client.sends(BIG)
    client.closes()
    server.closes()
    assert (server.got(), hasty.turns.later) == (BIG, [])


@pytest.mark.parametrize("who", ["client", "endpoint"])
def test_a_peer_that_resets_while_it_is_not_read_is_noticed(stage: Stage, who: str) -> None:
    client, server = tunnelled(stage)
    gone, slow = (client, server) if who == "client" else (server, client)
    slow.stalls()
    gone.sends(BIG)
    assert not gone.read
    gone.slips(ConnectionResetError())
    stage.passes(2)
    assert (client.end, server.end) == ("abort", "abort")
    ending = "client-left" if who == "client" else "truncated"
    assert [each[0] for each in stage.outcomes()] == [ending]


def test_a_half_closed_peer_that_is_not_read_may_be_listening(stage: Stage) -> None:
    client, server = tunnelled(stage)
    server.stalls()
    client.sends(BIG)
    client.slips(None)
    stage.passes(60)
    assert (client.end, server.end) == ("", "")


def test_an_endpoint_that_resets_while_bytes_wait_for_it_is_asked_nothing_more(stage: Stage) -> None:
    client, server = tunnelled(stage)
    server.stalls()
    client.sends(BIG)
    server.resets()
    server.takes()
    assert client.was_reset
    assert [each[0] for each in stage.outcomes()] == ["truncated"]
