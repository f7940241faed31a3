"""Carries exchanges across: joins the client's connection to an endpoint's and moves the bytes.

The shell around :class:`~proxy.forwarding.exchange.Exchange`: that one knows what may happen, this one does
it. Each client connection has one crossing, which carries its exchanges one after the other.
"""

from functools import partial

from proxy.forwarding import own_answers
from proxy.forwarding.dial import DialFailed
from proxy.forwarding.exchange import Exchange
from proxy.forwarding.lane import Lane
from proxy.forwarding.pace import Pace
from proxy.forwarding.pool import Shelf
from proxy.forwarding.side import Side
from proxy.forwarding.switching import switch
from proxy.forwarding.tunnel import Tunnel
from proxy.forwarding.upload import Upload
from proxy.forwarding.upstream import Upstream
from proxy.http1 import writing
from proxy.http1.errors import BadMessage
from proxy.http1.framing import CHUNKED
from proxy.http1.head import ResponseHead
from proxy.telemetry.outcome import Ending


class Crossing:
    """Carries the exchanges of one client connection.

    Args:
        lane: the worker's shared pieces.
        side: the client's connection.
    """

    __slots__ = ("_lane", "_pace", "_rest", "_shelf", "_side", "_upload", "_upstream", "exchange", "full")

    _shelf: Shelf
    _upload: Upload

    def __init__(self, lane: Lane, side: Side) -> None:
        self.exchange: Exchange | None = None
        self._lane = lane
        self._side = side
        self._pace = Pace(side, lane.now)
        self._upstream: Upstream | None = None
        self.full = False
        """Whether the client takes no more bytes for now."""
        self._rest = b""

    def __repr__(self) -> str:
        return f"<Crossing {self.exchange or 'idle'}>"

    # The client's connection calls these.

    def begin(self, exchange: Exchange) -> None:
        """Send the request on its way."""
        self.exchange = exchange
        lane = self._lane
        lane.begin(exchange)
        endpoint = exchange.choice.endpoint
        if endpoint is None:
            self._answer_ourselves("refused", 503, "no endpoint of the service is available")
            return
        shelf = self._shelf = lane.pool.shelf(endpoint)
        shelf.pending += 1
        if exchange.request == "open":
            self._upload = Upload(exchange, lane.limits)
        upstream = shelf.take()
        if upstream is None:
            self._dial(exchange)
        else:
            self._join(upstream, exchange, exchange.started)

    def more(self, data: bytes) -> bytes:
        """Take bytes that the client sent meanwhile; returns those that aren't this request's, or not yet."""
        exchange, upstream = self.exchange, self._upstream
        if exchange is None or exchange.request != "open" or upstream is None:
            return data
        self._send_body(exchange, upstream, data)
        rest, self._rest = self._rest, b""
        return rest

    def client_left(self) -> None:
        """The client's connection is gone."""
        if self.exchange is not None:
            self._drop_upstream()
            self.exchange.broke("client-left")
            self._account(self.exchange)

    def client_full(self) -> None:
        """The client takes no more bytes for now."""
        self.full = True
        if self.exchange is not None and self._upstream is not None:
            self._upstream.reading.hold("full")
            self._pace.client_full(self.exchange)

    def client_ready(self) -> None:
        """The client takes bytes again."""
        self.full = False
        if self.exchange is not None and self._upstream is not None:
            self._upstream.reading.free("full")
            self._pace.client_ready(self.exchange)

    def overdue(self, now: float) -> None:
        """Nothing has moved for as long as the timeouts allow, or it is time to look whether it has."""
        exchange, side, upstream = self.exchange, self._side, self._upstream
        assert exchange is not None, self
        ends = [] if exchange.response == "awaited" else [side.sending]
        if upstream is not None and not self.full:
            ends.append(upstream.sending)
        if self._pace.goes_on(exchange, ends, now):
            return
        blocked = side.reading.held_for("full")
        ending, status, detail = exchange.silence(client_full=self.full, endpoint_full=blocked)
        if exchange.response == "open":
            self._cut(exchange, ending)
        else:
            self._answer_ourselves(ending, status, detail)

    # Sending the request.

    def _dial(self, exchange: Exchange) -> None:
        shelf, seconds = self._shelf, exchange.choice.service.timeouts.connect
        self._side.due = float("inf")  # dialling has a deadline of its own
        self._lane.dialler.dial(shelf, seconds, partial(self._dialled, exchange, shelf))

    def _dialled(self, exchange: Exchange, shelf: Shelf, result: Upstream | DialFailed) -> None:
        if self.exchange is not exchange:
            # The client left meanwhile; the connection is as good for somebody else.
            if isinstance(result, Upstream) and result.reusable:
                shelf.give(result, self._lane.now())
            return
        if isinstance(result, DialFailed):
            self._answer_ourselves(
                result.ending, result.status, f"the service can't be reached: {result.detail}"
            )
        elif result.reusable:
            self._join(result, exchange, self._lane.now())
        else:
            self._answer_ourselves("connect", 502, "the service can't be reached: it hung up")

    def _join(self, upstream: Upstream, exchange: Exchange, now: float) -> None:
        side = self._side
        self._upstream = upstream
        self._lane.yardsticks.sent(exchange, now)
        upstream.carry(self, exchange.head.method, exchange.upgrade, self._lane.limits)
        ours = side.hop.lines(exchange.head, exchange.request_id)
        host = exchange.head.steering.get(b"host") or upstream.endpoint.authority.encode()
        head = writing.request_head(exchange.head, host, exchange.length, ours, exchange.upgrade)
        if exchange.request == "done":
            self._pace.await_bytes(exchange)
            upstream.write(head)
        else:
            self._send_body(exchange, upstream, side.take_buffered(), head)

    def _send_body(self, exchange: Exchange, upstream: Upstream, data: bytes, head: bytes = b"") -> None:
        try:
            part = self._upload.take(data)
        except BadMessage as bad:
            exchange.reason = bad.reason
            if exchange.response == "awaited":
                self._answer_ourselves("refused", bad.status, bad.detail)
            else:
                self._cut(exchange, "refused")
            return
        self._rest = self._upload.rest
        if not self.full:  # a client that takes nothing isn't kept by what it sends
            self._pace.await_bytes(exchange)
        if part or head:
            upstream.write(head + part)

    # The endpoint's connection calls these.

    def endpoint_full(self) -> None:
        """The endpoint takes no more of the request for now."""
        exchange, upstream = self._joined()
        self._side.reading.hold("full")
        self._pace.await_taking(exchange, upstream.sending)

    def endpoint_ready(self) -> None:
        """The endpoint takes bytes again."""
        self._side.reading.free("full")
        self._pace.await_bytes(self._joined()[0])

    def interim(self, head: ResponseHead) -> None:
        """Hand an interim (1xx) answer on; HTTP/1.0 doesn't know them (RFC 9110 section 15.2)."""
        exchange = self.exchange
        assert exchange is not None, self
        if exchange.expects and head.status == 100:
            exchange.expects = False
            self._pace.await_bytes(exchange)
        if exchange.head.minor:
            self._side.write(writing.interim_head(head))

    def answer_began(self, head: ResponseHead, length: int) -> tuple[bytes, bool]:
        """Return the head of the answer as the client gets it, and whether its body goes on in chunks."""
        exchange, side = self.exchange, self._side
        assert exchange is not None, self
        exchange.response_began(head.status, self._lane.now())
        side.persistent = side.persistent and exchange.may_be_followed(length, early=side.buffered)
        length = exchange.framed(length)
        ours = exchange.own_lines(persistent=side.persistent, secure=side.secure)
        head_ = writing.response_head(head, length, ours)
        exchange.bytes_out = -len(head_)  # only the body counts, and the head goes out in one write with it
        return head_, length == CHUNKED

    def answer_part(self, data: bytes) -> None:
        """Write bytes of the answer."""
        exchange, side = self.exchange, self._side
        assert exchange is not None, self
        exchange.bytes_out += len(data)
        side.due = self._lane.now() + exchange.choice.service.timeouts.body
        side.write(data)

    def answer_ended(self) -> None:
        """Settle the exchange: its answer is whole."""
        exchange, upstream = self._joined()
        exchange.response_ended()
        # What is still to be sent to the endpoint would hold up the next request, whose client isn't told.
        self._release(upstream, clean=exchange.request == "done" and not upstream.sending.waits)
        self._settle(exchange)

    def answer_broke(self, ending: Ending, detail: str, *, stale: bool) -> None:
        """Try once more where that is safe; otherwise tell the client, or cut what it already has."""
        exchange, upstream = self._joined()
        if exchange.response == "open":
            self._cut(exchange, ending)
        elif stale and exchange.may_retry():
            exchange.retried = True
            self._release(upstream, clean=False)
            self._dial(exchange)
        else:
            self._answer_ourselves(ending, 502, detail)

    def switched(self, head: ResponseHead, protocol: bytes) -> Tunnel:
        """Turn both connections into a tunnel: the endpoint speaks a protocol now that the client offered."""
        exchange, upstream = self._joined()
        return switch(self._lane, exchange, (self._side, upstream), head, protocol, self._tunnel_over)

    def _joined(self) -> tuple[Exchange, Upstream]:
        exchange, upstream = self.exchange, self._upstream
        assert exchange is not None, self
        assert upstream is not None, self
        return exchange, upstream

    # Ending.

    def _tunnel_over(self, ending: Ending) -> None:
        exchange, upstream = self._joined()
        if ending == "complete":
            exchange.response_ended()
        else:
            exchange.broke(ending)
        if upstream.sending.waits:
            # It closes when that is taken, and nobody waits for it any more.
            self._lane.later(self._lane.idle_seconds, upstream.abandon)
        self._upstream = None
        self._account(exchange)

    def _answer_ourselves(self, ending: Ending, status: int, detail: str) -> None:
        exchange, side = self.exchange, self._side
        assert exchange is not None, self
        self._drop_upstream()
        if exchange.request == "open":
            side.persistent = False
        exchange.answered_by_us(status, ending)
        request_id, head = exchange.request_id, exchange.head
        exchange.bytes_out = own_answers.answer(self._lane, side, status, detail, request_id, head)
        self._settle(exchange)

    def _settle(self, exchange: Exchange) -> None:
        self._account(exchange)
        rest, self._rest = self._rest, b""
        self._side.settled(rest)

    def _account(self, exchange: Exchange) -> None:
        self.exchange = None
        if exchange.choice.endpoint is not None:
            self._shelf.pending -= 1
        self._lane.account(exchange, self._side.client)

    def _release(self, upstream: Upstream, *, clean: bool) -> None:
        self._upstream = None
        upstream.reading.free("full")
        self._side.reading.free("full")
        if clean and upstream.reusable:
            self._shelf.give(upstream, self._lane.now())
        else:
            upstream.abandon()

    def _drop_upstream(self) -> None:
        if self._upstream is not None:
            self._release(self._upstream, clean=False)

    def _cut(self, exchange: Exchange, ending: Ending) -> None:
        """End an answer that can't be completed so that nobody can take it for a whole one."""
        self._drop_upstream()
        exchange.broke(ending)
        self._account(exchange)
        self._side.reset()
