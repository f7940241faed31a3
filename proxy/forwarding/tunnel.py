"""The tunnel that two connections become after a 101: bytes both ways, until both sides have ended.

Each side may end its half and go on listening (RFC 9110 section 7.8 leaves that to the new protocol); where
one of them can't, because TLS knows no half-closed connection, the end of one side ends both.
"""

from collections.abc import Callable
from typing import Literal, Protocol

from proxy.forwarding.backpressure import Reading, Sending
from proxy.forwarding.deadlines import Deadline
from proxy.telemetry.outcome import Ending

TunnelState = Literal["open", "client-ended", "endpoint-ended", "over"]

MOVES: dict[tuple[TunnelState, str], TunnelState] = {
    ("open", "client-ends"): "client-ended",
    ("open", "endpoint-ends"): "endpoint-ended",
    ("open", "break"): "over",
    ("client-ended", "endpoint-ends"): "over",
    ("client-ended", "break"): "over",
    ("endpoint-ended", "client-ends"): "over",
    ("endpoint-ended", "break"): "over",
}


class Half(Protocol):
    """One of the two connections."""

    reading: Reading
    sending: Sending

    @property
    def half_closes(self) -> bool:
        """Whether one direction of it can end while the other goes on."""

    def broken(self) -> bool:
        """Return whether the peer has reset it, which the event loop doesn't report while it isn't read."""

    def write(self, data: bytes) -> None:
        """Write bytes."""

    def end_writing(self) -> None:
        """Announce that no more bytes follow."""

    def close(self) -> None:
        """End it once everything is sent."""

    def reset(self) -> None:
        """End it evidently broken."""


class ClientEnd(Half, Protocol):
    """The client's end, which has the deadline of both."""

    deadline: Deadline


class Over(Protocol):
    """What is called when a tunnel has ended."""

    def __call__(self, ending: Ending) -> None:
        """Take note of how it ended."""


class Tunnel:
    """The bytes between a client and an endpoint.

    Args:
        client: one end.
        endpoint: the other.
        over: called once, when the tunnel has ended.
        idle: seconds without a byte, after which it is closed.
        now: the time, in seconds.
    """

    __slots__ = ("_client", "_endpoint", "_idle", "_moved", "_now", "_over", "_state")

    def __init__(
        self, client: ClientEnd, endpoint: Half, over: Over, idle: float, now: Callable[[], float]
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._over = over
        self._idle = idle
        self._now = now
        self._moved = now()
        self._state: TunnelState = "open"
        client.deadline.tunnel(self._moved, idle)

    def __repr__(self) -> str:
        return f"<Tunnel {self._state}>"

    def from_client(self, data: bytes) -> None:
        """Carry bytes to the endpoint."""
        self._moved = self._now()
        if data and self._state in ("open", "endpoint-ended"):
            self._endpoint.write(data)

    def from_endpoint(self, data: bytes) -> None:
        """Carry bytes to the client."""
        self._moved = self._now()
        if data and self._state in ("open", "client-ended"):
            self._client.write(data)

    def client_ended(self) -> bool:
        """Take the end of the client's bytes; return whether its connection stays for what is to come."""
        return self._ended("client-ends", self._endpoint)

    def endpoint_ended(self) -> bool:
        """Take the end of the endpoint's bytes; return whether its connection stays for what is to come."""
        return self._ended("endpoint-ends", self._client)

    def client_lost(self) -> None:
        """Break off: the client's connection is gone."""
        self._break(self._endpoint, "client-left")

    def endpoint_lost(self) -> None:
        """Break off: the endpoint's connection is gone."""
        self._break(self._client, "truncated")

    @property
    def blind(self) -> bool:
        """Whether one of the ends isn't read for now."""
        halves = (self._client, self._endpoint)
        return any(half.reading.held or not half.half_closes for half in halves)

    def look(self) -> None:
        """Check whether both peers are still there. One that ended its half is: it may be listening."""
        if self._client.broken():
            self.client_lost()
            self._client.reset()
        elif self._endpoint.broken():
            self.endpoint_lost()
            self._endpoint.reset()

    def overdue(self, now: float) -> None:
        """Close the tunnel if no byte has moved in it for too long; what waits moves when it is taken."""
        waiting = [half.sending for half in (self._client, self._endpoint) if half.sending.waits()]
        if waiting:
            self._moved = max(self._moved, now - min(one.stalled(now) for one in waiting))
        if now - self._moved < self._idle:
            self._client.deadline.tunnel(self._moved, self._idle)
        else:
            self.close("complete")

    def _ended(self, move: str, other: Half) -> bool:
        if self._state == "over":
            return False
        after = MOVES[self._state, move]
        if after != "over" and self._client.half_closes and self._endpoint.half_closes:
            self._state = after
            other.end_writing()
            return True
        self.close("complete")
        return False

    def close(self, ending: Ending) -> None:
        """End both sides, once each has taken what was sent."""
        if self._state != "over":
            self._state = "over"
            self._client.close()
            self._endpoint.close()
            self._over(ending)

    def _break(self, other: Half, ending: Ending) -> None:
        if self._state != "over":
            self._state = MOVES[self._state, "break"]
            other.reset()
            self._over(ending)
