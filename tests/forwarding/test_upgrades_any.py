"""Tunnels in any order of events: bytes arrive in their order, and at the end nothing is left over."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.table import Service, Timeouts
from tests.kits.stage import Stage
from tests.kits.transports import Client, Server

ASKS = b"GET /a HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"


class Side:
    """One end and what it has done: a peer sends nothing behind its own end."""

    def __init__(self, end: Client | Server) -> None:
        self.end = end
        self.sent = b""
        self.got = b""
        self.over = False

    def act(self, action: str, number: int) -> None:
        gone = self.over or self.end.transport.lost
        if action == "sends" and not gone:
            piece = bytes([number % 256]) * number
            self.sent += piece
            self.end.sends(piece)
        elif action in ("closes", "resets") and not gone:
            self.over = True
            getattr(self.end, action)()
        elif action == "stalls" and not self.end.transport.lost:
            self.end.stalls()
        elif action == "takes":
            self.end.takes()


def events(*kinds: str) -> Any:
    """Up to 20 events: who, what, and how much."""
    who = st.sampled_from(["client", "server"])
    return st.lists(st.tuples(who, st.sampled_from(kinds), st.integers(1, 100_000)), max_size=20)


class Tunnel:
    """A tunnel that has just begun, and may be silent for 30 s."""

    def __init__(self, stage: Stage) -> None:
        client = stage.client()
        client.sends(ASKS)
        server = stage.connects()
        server.got()
        server.sends(SWITCH)
        assert client.got() == SWITCHED
        self.stage = stage
        self.sides = Side(client), Side(server)

    def plays(self, some: list[tuple[str, str, int]]) -> None:
        for who, action, number in some:
            if action == "waits":
                self.stage.passes(number % 40)
            else:
                self.sides[who == "server"].act(action, number)
            self.look()

    def look(self) -> None:
        """What arrived is what was sent, up to some point."""
        for one, other in (self.sides, reversed(self.sides)):
            one.got += one.end.got()
            assert other.sent.startswith(one.got)

    def is_over(self) -> str:
        """Nobody is there any more, and all is accounted for; returns the ending."""
        self.stage.passes(500)
        for _, give_up, arguments in self.stage.turns.later:
            give_up(*arguments)
        self.stage.turns.run()
        self.look()
        assert all(side.end.transport.lost for side in self.sides)
        assert (set(self.stage.members), self.stage.idle()) == (set(), 0)
        assert sum(counts.tunnels for counts in self.stage.tally.everything().values()) == 0
        [(ending, status, _)] = self.stage.outcomes()
        assert status == 101
        return ending


@given(events("sends", "sends", "closes", "stalls", "takes"))
def test_between_two_that_end_orderly_no_byte_is_lost(
    staged: type[Stage], service: Callable[..., Service], some: list[tuple[str, str, int]]
) -> None:
    tunnel = Tunnel(staged(service(timeouts=Timeouts(tunnel=30))))
    tunnel.plays(some)
    tunnel.plays([(who, last, 0) for who in ("client", "server") for last in ("takes", "closes")])
    assert tunnel.is_over() == "complete"
    client, server = tunnel.sides
    assert (client.got, server.got) == (server.sent, client.sent)


@given(
    events("sends", "sends", "sends", "closes", "resets", "stalls", "takes", "waits"),
    st.booleans(),
    st.booleans(),
)
def test_whatever_happens_nothing_is_left_over(
    staged: type[Stage],
    service: Callable[..., Service],
    some: list[tuple[str, str, int]],
    client_tls: bool,
    server_tls: bool,
) -> None:
    tunnel = Tunnel(staged(service(timeouts=Timeouts(tunnel=30))))
    for side, tls in zip(tunnel.sides, (client_tls, server_tls), strict=True):
        side.end.transport.half_closes = not tls
    tunnel.plays(some)
    assert tunnel.is_over() in ("complete", "client-left", "truncated")
