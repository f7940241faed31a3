"""Turning the two connections of an exchange into a tunnel."""

from proxy.forwarding.exchange import Exchange
from proxy.forwarding.lane import Lane
from proxy.forwarding.side import Side
from proxy.forwarding.tunnel import Half, Over, Tunnel
from proxy.http1 import serializer
from proxy.http1.head import ResponseHead


def switch(
    lane: Lane, exchange: Exchange, ends: tuple[Side, Half], head: ResponseHead, protocol: bytes, over: Over
) -> Tunnel:
    """Tell the client of the 101, and let everything that comes from it go to the endpoint from now on.

    Args:
        lane: what all connections share.
        exchange: the request that asked for it.
        ends: the connections to client and endpoint.
        head: the endpoint's 101.
        protocol: what both speak from now on.
        over: is told how the tunnel ended.
    """
    side, endpoint = ends
    exchange.switched(lane.now())
    lane.tally.switch(exchange.key)
    tunnel = Tunnel(side, endpoint, over, exchange.choice.service.timeouts.tunnel, lane.now)
    ours = serializer.switching(protocol) + exchange.choice_lines(secure=side.secure)
    side.write(serializer.interim_head(head, ours))
    side.enter(tunnel)
    tunnel.from_client(side.take_buffered())
    return tunnel
