"""Carries exchanges across: joins the client's connection to an endpoint's and moves the bytes.

The shell around :class:`~proxy.forwarding.exchange.Exchange`: that one knows what may happen, this one does
it. Each client connection has one crossing, which carries its exchanges one after the other.
"""

from proxy.forwarding import own_answers, rescue
from proxy.forwarding.attempts import Attempts
from proxy.forwarding.exchange import Exchange
from proxy.forwarding.halted import Halted
from proxy.forwarding.switching import switch
from proxy.forwarding.tunnel import Tunnel
from proxy.http1 import serializer
from proxy.http1.framing import CHUNKED
from proxy.http1.head import ResponseHead
from proxy.telemetry.outcome import Ending


class Crossing(Attempts):
    """Carries the exchanges of one client connection."""

    __slots__ = ("_tunnel",)

    _tunnel: Tunnel

    def __repr__(self) -> str:
        return f"<Crossing {self.exchange or 'idle'}>"

    # The client's connection calls these.

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
        elif ending == "timeout":
            self._failed(exchange, ending, status, detail)
        else:
            self._answer_ourselves(ending, status, detail)

    def halted(self, halted: Halted, *, drained: bool) -> bool:
        """Let go of a halted backend; tells whether an answer of its is still awaited.

        An answer that isn't there yet is asked of ``stable`` at once, where that may be; what is under way is
        ended when it is `drained`. Who still waits by then waits on: there may be an answer yet.
        """
        exchange = self.exchange
        if exchange is None or not halted.was_chosen(exchange.choice):
            return False
        if exchange.response == "awaited" and not drained:
            self._leave_halted(exchange)
        elif exchange.response == "open" and drained:
            self._cut(exchange, "halted")
        elif exchange.response == "tunnel" and drained:
            self._tunnel.close("halted")
        return exchange.response == "awaited" and exchange.ending is None

    def _leave_halted(self, exchange: Exchange) -> None:
        if not self._rescued(exchange, "halted", 0) and self._upstream is None:
            # It was to be sent once a connection is there: zero means zero.
            self._answer_ourselves("halted", 503, "the backend was taken out of service")

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
            exchange.hinted = True
            self._side.write(serializer.interim_head(head))

    def withholds(self, status: int) -> bool:
        """Ask ``stable`` instead of telling the client of an error of the server, if that may be."""
        exchange = self.exchange
        assert exchange is not None, self
        if not rescue.withholds(exchange, status):
            return False
        exchange.answered = self._lane.now()
        if self._rescued(exchange, "complete", status):
            return True
        exchange.answered = None  # the head may still prove to be garbage
        return False

    def answer_began(self, head: ResponseHead, length: int) -> tuple[bytes, bool]:
        """Return the head of the answer as the client gets it, and whether its body goes on in chunks."""
        exchange = self.exchange
        assert exchange is not None, self
        exchange.response_began(head.status, self._lane.now())
        if self._upload is not None:
            self._upload.forget()
        if length < 0:
            length = exchange.framed(length)
        ours = self._head(exchange, head, length)
        exchange.bytes_out = -len(ours)  # only the body counts, and the head goes out in one write with it
        return ours, length == CHUNKED

    def answer_whole(self, head: ResponseHead, body: bytes) -> None:
        """Write an answer that came all at once, and settle the exchange. Most answers do."""
        exchange = self.exchange
        assert exchange is not None, self
        exchange.response_began(head.status, self._lane.now())
        exchange.bytes_out = len(body)
        self._side.write(self._head(exchange, head, len(body)) + body)
        self.answer_ended()

    def _head(self, exchange: Exchange, head: ResponseHead, length: int) -> bytes:
        """Return the head of an answer with a body of this length as the client gets it."""
        side = self._side
        if side.persistent and exchange.is_plain(length):
            return serializer.response_head(head, length, b"")
        # What came behind a request may be of the protocol that was offered and not taken.
        if exchange.is_last(length) or (exchange.upgrade and side.buffered):
            side.persistent = False
        ours = exchange.own_lines(persistent=side.persistent, secure=side.secure)
        return serializer.response_head(head, length, ours)

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
        if exchange.request == "done" and not upstream.sending.waits():
            self._give_back(upstream)
        else:
            self._abandon(upstream)
        self._settle(exchange)

    def answer_broke(self, ending: Ending, detail: str, *, stale: bool) -> None:
        """Try once more where that is safe; otherwise tell the client, or cut what it already has."""
        exchange, upstream = self._joined()
        if exchange.response == "open":
            self._cut(exchange, ending)
        elif not (stale and exchange.may_retry()):
            self._failed(exchange, ending, 502, detail)
        elif self._rescued(exchange, "stale", 0):
            pass  # put on the wire twice at most, it is answered there even when the canary is gone
        elif self._lane.halts(exchange.choice):
            self._answer_ourselves(ending, 502, detail)
        else:
            self._abandon(upstream)
            self._dial(exchange)

    def switched(self, head: ResponseHead, protocol: bytes) -> Tunnel:
        """Turn both connections into a tunnel: the endpoint speaks a protocol now that the client offered."""
        exchange, upstream = self._joined()
        self._tunnel = switch(self._lane, exchange, (self._side, upstream), head, protocol, self._tunnel_over)
        return self._tunnel

    # Ending.

    def _tunnel_over(self, ending: Ending) -> None:
        exchange, upstream = self._joined()
        del self._tunnel  # it knows us
        if ending == "complete":
            exchange.response_ended()
        else:
            exchange.broke(ending)
        if upstream.sending.waits():
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
        self.exchange = self._upload = None
        shelf = None if exchange.choice.endpoint is None else self._shelf
        self._lane.account(exchange, self._side.client, shelf)

    def _cut(self, exchange: Exchange, ending: Ending) -> None:
        """End an answer that can't be completed so that nobody can take it for a whole one."""
        self._drop_upstream()
        exchange.broke(ending)
        self._account(exchange)
        self._side.reset()
