"""The connection to a client: it reads one request after another and writes the answers in their order."""

import asyncio
from typing import Literal

from proxy.forwarding.connection import Connection, reset
from proxy.forwarding.crossing import Crossing
from proxy.forwarding.data_plane import DataPlane
from proxy.forwarding.deadlines import Deadline
from proxy.forwarding.exchange import Exchange
from proxy.forwarding.halt import HaltedBackend
from proxy.forwarding.members import MOST_DISMISSED, Members
from proxy.forwarding.own_answers import answer_last_hop, turn_away, turn_connection_away
from proxy.forwarding.peek import Peek
from proxy.forwarding.tunnel import Tunnel
from proxy.http1.errors import BadMessage
from proxy.http1.forwarded_fields import Hop
from proxy.http1.framing import request_length
from proxy.http1.head import RequestHead
from proxy.http1.head_cache import LONGEST
from proxy.http1.hops import one_hop_on
from proxy.http1.parser import cut_request

DownstreamPhase = Literal["new", "idle", "head", "exchange", "tunnel", "lingering", "closed"]
"""Nothing came yet; between requests; part of a head is there; a request is under way; HTTP no more; the last
answer is written; over."""

BETWEEN = ("idle", "head", "new")
"""The phases in which a request can begin."""
MAX_PIPELINED = 64 * 1024
"""Bytes of further requests that are kept while one is under way."""


class Downstream(Connection):
    """One connection of one client.

    Args:
        plane: what the worker's connections share.
        members: the open connections, which it joins.
        client: the address of the one for whom a load balancer has connected; empty: the peer itself.
    """

    __slots__ = (
        "_buffer",
        "_members",
        "_phase",
        "_plane",
        "_tunnel",
        "client",
        "crossing",
        "deadline",
        "hop",
        "persistent",
    )

    _tunnel: Tunnel
    crossing: Crossing
    deadline: Deadline
    hop: Hop

    def __init__(self, plane: DataPlane, members: Members, client: str = "") -> None:
        self.client = client
        """The address of the client whose request came last."""
        self.persistent = True
        self._plane = plane
        self._members = members
        self._phase: DownstreamPhase = "new"
        self._buffer = b""

    def __repr__(self) -> str:
        crossing = getattr(self, "crossing", "gone")
        return f"<Downstream {self.client or 'new'} {self._phase}, {crossing}>"

    # The event loop calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        plane = self._plane
        # Not before: it holds this object, and a handshake that never ends doesn't report its end.
        self.crossing = Crossing(plane, self)
        self.client = self.client or self.peer()
        # The first head has its time from here on; a client that says nothing has no more than one that does.
        self.deadline = Deadline(plane.now, plane.header_seconds)
        open_now = self._members.add(self)
        plane.deadlines.watch(self)
        if not self.client:
            self.reset()  # it is gone already, and with it the client's address
            return
        self.hop = plane.provenance.hop(self.client, secure=self.secure)
        if open_now > plane.connections:
            self._dismiss()

    def data_received(self, data: bytes) -> None:
        if self._phase in BETWEEN:
            self._buffer = self._buffer + data if self._buffer else data
            self._read_requests()
        elif self._phase == "exchange":
            data = self.crossing.more(data)
            self._buffer += data
        elif self._phase == "tunnel":
            self._tunnel.from_client(data)
        # While a head is being read, its own bounds are enough.
        if len(self._buffer) > MAX_PIPELINED and (self._phase == "exchange" or self.crossing.full):
            self.reading.hold("pipelined")

    def eof_received(self) -> bool:
        if self._phase == "tunnel":
            return self._tunnel.client_ended()
        exchange = self.crossing.exchange
        if exchange is not None and exchange.response == "open":
            # The client leaves, and the plain close that follows would read as the end of its answer.
            self._leave()
        else:
            # Earlier answers may still wait to be taken; what was asked behind them is of no use any more.
            self.crossing.client_left()
            self.close()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        phase, self._phase = self._phase, "closed"
        self._members.discard(self)
        self._plane.deadlines.forget(self)
        if phase == "tunnel":
            self._tunnel.client_lost()
        else:
            self.crossing.client_left()
        # They hold this object. Without these cycles what is gone is freed at once, under TLS with 0.4 MiB.
        self.crossing.dissolve()
        del self.crossing
        if hasattr(self, "_tunnel"):
            del self._tunnel

    def pause_writing(self) -> None:
        self.crossing.client_full()

    def resume_writing(self) -> None:
        self.crossing.client_ready()
        self._read_requests()

    # The listener and the deadlines call these.

    def finish(self) -> None:
        """End after the request that is under way, or at once when there is none.

        A new connection may have been accepted with its request on the way, so that one is awaited.
        """
        self.persistent = False
        if self._phase == "new":
            self.deadline.hurry()
        elif self._phase == "idle" and not self._buffer:
            self.close()

    def halted(self, halted: HaltedBackend, *, drained: bool) -> bool:
        """Leave a halted backend; return whether it is still awaited. `drained`: it had its time."""
        return self.crossing.halted(halted, drained=drained)

    def overdue(self, now: float) -> None:
        """Act on the deadline of the present phase."""
        if self._phase == "exchange":
            self.crossing.overdue(now)
        elif self._phase == "tunnel":
            self._tunnel.overdue(now)
        elif self._phase == "head":
            turn_away(self._plane, self, 408, "slow-head", "the head of the request took too long")
        elif self.sending.waits() and self.sending.stalled(now) < self._plane.idle_seconds:
            self.deadline.taking(self._plane.idle_seconds, now)  # of answers that are over
        elif self._phase == "closed":
            self.reset()
        else:
            self.close()

    @property
    def blind(self) -> bool:
        """Whether an end isn't reported, here or across a tunnel. Under TLS uvloop may not report it."""
        return self.reading.held or self.secure or (self._phase == "tunnel" and self._tunnel.blind)

    def look(self) -> None:
        """Check whether the client is still there; in a tunnel, whether both ends are."""
        if self._phase == "exchange" and Peek(self._transport).ended():
            self._leave()
        elif self._phase == "tunnel":
            self._tunnel.look()

    def _leave(self) -> None:
        self.crossing.client_left()
        self.reset()

    # Reading requests.

    def _read_requests(self) -> None:
        """Begin what can be begun, unless the client takes no more answers; our own are over at once."""
        while self._buffer and self._phase in BETWEEN and not self.crossing.full:
            heads = self._plane.heads
            # Most come alone, word for word as one before them; a flood of them isn't hashed for each.
            head = heads.requests.get(self._buffer) if len(self._buffer) <= LONGEST else None
            try:
                if head is not None:
                    self._buffer = b""
                elif block := self._cut_head():
                    head = heads.requests.get(block) or heads.request(block)
                else:
                    return
                self._begin(head, request_length(head) if head.bodied else 0)
            except BadMessage as bad:
                self.persistent = False  # the next request may begin anywhere
                turn_away(self._plane, self, bad.status, bad.reason, bad.detail, head)

    def _cut_head(self) -> bytes:
        """Cut one head off the buffer; empty while it isn't whole."""
        block, self._buffer = cut_request(self._buffer, self._plane.heads.limits)
        if not block and self._phase != "head" and self._buffer not in (b"", b"\r"):
            if self._phase != "new":
                self.deadline.head(self._plane.header_seconds)
            self._phase = "head"
        return block

    def _begin(self, head: RequestHead, length: int) -> None:
        plane, hop = self._plane, self.hop
        self.persistent = head.persistent and not plane.draining
        request_id = b""
        if hop.trusted:
            self.client, request_id = hop.client(head), hop.request_id(head)
        onward = one_hop_on(head) if b"max-forwards" in head.steering else head
        if onward is None:
            self.persistent = self.persistent and not length  # the body would be read as the next request
            answer_last_hop(plane, self, head)
            return
        choice = plane.table.choose(onward, self.client, plane.draw(), plane.pool)
        if choice is None:
            self.persistent = self.persistent and not length
            turn_away(self._plane, self, 404, "no-service", "no service answers for this host and path", head)
            return
        exchange = Exchange(onward, choice, length, plane.now(), request_id or plane.request_id())
        self._phase = "exchange"
        self.crossing.begin(exchange)

    def _dismiss(self) -> None:
        if self._members.dismiss(self) <= MOST_DISMISSED:
            turn_connection_away(self._plane, self)
        else:
            self._plane.accounts.refuse("connections")
            self.close()

    # The crossing calls these.

    @property
    def buffered(self) -> bool:
        """Whether bytes came behind the request that is under way."""
        return bool(self._buffer)

    def enter(self, tunnel: Tunnel) -> None:
        """Hand everything that comes to the tunnel from now on."""
        self._phase = "tunnel"
        self._tunnel = tunnel

    def take_buffered(self) -> bytes:
        """Return the bytes that came behind the head."""
        data, self._buffer = self._buffer, b""
        self.reading.free("pipelined")
        return data

    def settled(self, rest: bytes) -> None:
        """Go on with the next request, or end; these bytes came behind the one that is over."""
        if not self.persistent:
            self._linger()
            return
        self._phase = "idle"
        self._buffer = rest + self._buffer if self._buffer else rest
        self.deadline.idle(self._plane.idle_seconds)
        if self._buffer:
            self.reading.free("pipelined")
            self._plane.soon(self._read_requests)
        elif self._plane.draining:
            self.close()

    # Ending.

    def reset(self) -> None:
        """End the connection evidently: a plain close can read as the end of an answer."""
        self._phase = "closed"
        reset(self._transport)

    def _linger(self) -> None:
        """Let the client read the last answer: closing on a client that still sends would reset it away."""
        self._phase = "lingering"
        self._buffer = b""
        self.reading.free("pipelined")
        self.deadline.linger()
        if self._transport.is_closing():
            return
        if self.half_closes:
            self._transport.write_eof()
        else:
            self._transport.close()  # TLS sends its own close_notify, and awaits the client's

    def close(self) -> None:
        """Close once everything is sent; the kernel goes on with what it has taken by then."""
        self._phase = "closed"
        self.deadline.idle(self._plane.idle_seconds)
        self._transport.close()
