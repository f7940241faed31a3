"""Carrying exchanges across: the client's connection is joined to an endpoint's, and the bytes move on.

The shell around `Exchange`: that one decides what may happen, this one does
it. Each client connection has one crossing, which carries its exchanges one after the other. Its
`Attempts` bring requests to endpoints; what an answer, a failure or the end
of either connection leads to is here.
"""

from proxy.forwarding import own_answers, rescue
from proxy.forwarding.answer_head import choice_lines, client_head, framed_length, is_events
from proxy.forwarding.attempts import Attempts
from proxy.forwarding.data_plane import DataPlane
from proxy.forwarding.exchange import Exchange
from proxy.forwarding.halt import HaltedBackend, is_halted
from proxy.forwarding.sides import ClientSide
from proxy.forwarding.tunnel import Tunnel
from proxy.http1 import serializer
from proxy.http1.errors import BadMessage
from proxy.http1.framing import CHUNKED
from proxy.http1.head import ResponseHead
from proxy.telemetry.outcome import Ending


class Crossing:
    """Carries the exchanges of one client connection.

    Args:
        plane: what the worker's connections share.
        side: the client's connection.
    """

    __slots__ = ("_plane", "_side", "_tunnel", "attempts", "exchange", "full")

    _tunnel: Tunnel

    def __init__(self, plane: DataPlane, side: ClientSide) -> None:
        self._plane = plane
        self._side = side
        self.attempts = Attempts(plane, side, self)
        self.exchange: Exchange | None = None
        self.full = False
        """Whether the client takes no more bytes for now."""

    def __repr__(self) -> str:
        return f"<Crossing {self.exchange or 'idle'}>"

    # The client's connection calls these.

    def begin(self, exchange: Exchange) -> None:
        """Send a request on its way."""
        self.exchange = exchange
        self._plane.accounts.begin(exchange)
        if exchange.choice.address is None:
            self._answer_ourselves(exchange, "refused", 503, "no endpoint of the service is available")
        else:
            self.attempts.begin(exchange)

    def more(self, data: bytes) -> bytes:
        """Take bytes that the client sent meanwhile; return those that aren't this request's, or not yet."""
        exchange = self.exchange
        if exchange is None or exchange.request != "open":
            return data
        return self.attempts.more(exchange, data)

    def client_left(self) -> None:
        """End the exchange: the client's connection is gone."""
        exchange = self.exchange
        if exchange is not None:
            endpoint_full = self._side.reading.held_for("full")
            self.attempts.abandon()
            exchange.left(endpoint_full=endpoint_full)
            self._account(exchange)

    def dissolve(self) -> None:
        """Drop the objects that hold this one, so that what is gone is freed at once."""
        del self.attempts
        if hasattr(self, "_tunnel"):  # it was cut off, and hasn't ended by itself
            del self._tunnel

    def client_full(self) -> None:
        """Stop the answer: the client takes no more bytes for now."""
        self.full = True
        exchange, upstream = self.exchange, self.attempts.upstream
        if exchange is not None and upstream is not None:
            upstream.reading.hold("full")
            if exchange.response != "awaited":  # interim answers don't prolong the wait for the final one
                self._side.deadline.bytes_taken(exchange, self._side.sending)

    def client_ready(self) -> None:
        """Let the answer go on: the client takes bytes again."""
        self.full = False
        exchange, upstream = self.exchange, self.attempts.upstream
        if exchange is not None and upstream is not None:
            upstream.reading.free("full")
            if exchange.response != "awaited":
                self._side.deadline.next_bytes(exchange)

    def overdue(self, now: float) -> None:
        """End the exchange if nothing has moved for as long as the timeouts allow."""
        exchange, side, upstream = self.exchange, self._side, self.attempts.upstream
        assert exchange is not None, self
        ends = [] if exchange.response == "awaited" else [side.sending]
        if upstream is not None and not self.full:
            ends.append(upstream.sending)
        if side.deadline.prolonged(exchange, ends, now):
            return
        blocked = side.reading.held_for("full")
        ending, status, detail = exchange.silence(client_full=self.full, endpoint_full=blocked)
        if exchange.response == "open":
            self._cut(exchange, ending)
        elif ending == "timeout":
            self.attempt_failed(exchange, ending, status, detail)
        else:
            exchange.refuse("slow-body")
            self._answer_ourselves(exchange, ending, status, detail)

    def halted(self, halted: HaltedBackend, *, drained: bool) -> bool:
        """Leave a halted backend; return whether an answer of its is still awaited.

        An answer that isn't there yet is asked of `stable` at once, where that may be; what is under way is
        ended when it is `drained`. A request that still waits by then waits on: there may be an answer yet.
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
        if not self._rescued(exchange, "halted", 0) and self.attempts.upstream is None:
            # It was to be sent once a connection is there: weight 0 means no request.
            self._answer_ourselves(exchange, "halted", 503, "the backend was taken out of service")

    # The attempts call these.

    def attempt_failed(self, exchange: Exchange, ending: Ending, status: int, detail: str) -> None:
        """Ask `stable` instead, or answer the client ourselves."""
        if not self._rescued(exchange, ending, status):
            self._answer_ourselves(exchange, ending, status, detail)

    def body_failed(self, exchange: Exchange, bad: BadMessage) -> None:
        """Refuse a request whose body is no good, or cut the answer that it already has."""
        exchange.refuse(bad.reason)
        if exchange.response == "awaited":
            self._answer_ourselves(exchange, "refused", bad.status, bad.detail)
        else:
            self._cut(exchange, "refused")

    def _rescued(self, exchange: Exchange, ending: Ending, status: int) -> bool:
        """Send the request to `stable` instead, if that may be; return whether it was."""
        plane, upload = self._plane, self.attempts.upload
        if not rescue.may(exchange, ending) or not (upload is None or upload.repeatable):
            return False
        free = exchange.spared(ending)  # it adds nothing to what was meant to be sent
        choice = rescue.choice(exchange, plane.pool, plane.draw())
        if choice is None or not (free or plane.accounts.affords(exchange)):
            return False
        self.attempts.redirect(exchange, choice, ending, status)
        return True

    # The endpoint's connection calls these.

    def endpoint_full(self) -> None:
        """Stop the request: the endpoint takes no more of it for now."""
        exchange, upstream = self._under_way(), self.attempts.upstream
        assert upstream is not None, self
        self._side.reading.hold("full")
        self._side.deadline.bytes_taken(exchange, upstream.sending)

    def endpoint_ready(self) -> None:
        """Let the request go on: the endpoint takes bytes again."""
        self._side.reading.free("full")
        self._side.deadline.next_bytes(self._under_way())

    def interim(self, head: ResponseHead) -> None:
        """Pass an interim (1xx) answer on; HTTP/1.0 doesn't know them (RFC 9110 section 15.2)."""
        exchange = self._under_way()
        if exchange.expects and head.status == 100:
            exchange.continued()
            self._side.deadline.next_bytes(exchange)
        if exchange.head.minor:
            exchange.hint()
            self._side.write(serializer.interim_head(head))

    def withholds(self, status: int) -> bool:
        """Ask `stable` instead of passing an error of the server on, if that may be; return whether so."""
        exchange = self._under_way()
        return rescue.withholds(exchange, status) and self._rescued(exchange, "complete", status)

    def answer_began(self, head: ResponseHead, length: int) -> tuple[bytes, bool]:
        """Return the head of the answer as the client gets it, and whether its body goes on in chunks."""
        exchange = self._under_way()
        if self.attempts.upload is not None:
            self.attempts.upload.forget()
        length = framed_length(exchange, length)
        ours = client_head(exchange, self._side, head, length)
        exchange.response_began(head.status, self._plane.now(), len(ours), events=is_events(head))
        return ours, length == CHUNKED

    def answer_whole(self, head: ResponseHead, body: bytes) -> None:
        """Write an answer that came at once, and settle the exchange. Most answers do."""
        exchange = self.exchange
        assert exchange is not None, self
        exchange.response_came_whole(head.status, self._plane.now(), len(body))
        self._side.write(client_head(exchange, self._side, head, len(body)) + body)
        self.attempts.finish(exchange)
        self._settle(exchange)

    def answer_part(self, data: bytes) -> None:
        """Write bytes of the answer."""
        exchange, side = self._under_way(), self._side
        exchange.response_came(len(data))
        side.deadline.body(exchange)
        side.write(data)

    def answer_ended(self) -> None:
        """Settle the exchange: its answer is whole."""
        exchange = self._under_way()
        exchange.response_ended()
        self.attempts.finish(exchange)
        self._settle(exchange)

    def answer_broke(self, ending: Ending, detail: str, *, stale: bool) -> None:
        """Try once more where that is safe; otherwise answer ourselves, or cut what the client has."""
        exchange = self._under_way()
        if exchange.response == "open":
            self._cut(exchange, ending)
        elif not (stale and exchange.may_retry()):
            self.attempt_failed(exchange, ending, 502, detail)
        elif self._rescued(exchange, "stale", 0):
            pass  # put on the wire twice at most, it is answered there even when the canary is gone
        elif is_halted(exchange.choice, self._plane.table):
            self._answer_ourselves(exchange, ending, 502, detail)
        else:
            self.attempts.repeat(exchange)

    def switched(self, head: ResponseHead, protocol: bytes) -> Tunnel:
        """Turn both connections into a tunnel: the endpoint speaks a protocol now that the client offered."""
        exchange, plane, side = self._under_way(), self._plane, self._side
        upstream = self.attempts.upstream
        assert upstream is not None, self
        exchange.switched(plane.now())
        plane.accounts.switch(exchange)
        idle = exchange.choice.service.timeouts.tunnel
        tunnel = self._tunnel = Tunnel(side, upstream, self._tunnel_over, idle, plane.now)
        ours = serializer.switching(protocol) + choice_lines(exchange, secure=side.secure)
        side.write(serializer.interim_head(head, ours))
        side.enter(tunnel)
        tunnel.from_client(side.take_buffered())
        return tunnel

    def _under_way(self) -> Exchange:
        assert self.exchange is not None, self
        return self.exchange

    # Ending.

    def _tunnel_over(self, ending: Ending) -> None:
        exchange, upstream = self._under_way(), self.attempts.upstream
        assert upstream is not None, self
        del self._tunnel  # it holds this object
        if ending == "complete":
            exchange.response_ended()
        else:
            exchange.broke(ending)
        if upstream.sending.waits():
            # It closes when that is taken, and nothing else would end it.
            self._plane.later(self._plane.idle_seconds, upstream.abandon)
        self.attempts.release()
        self._account(exchange)

    def _answer_ourselves(self, exchange: Exchange, ending: Ending, status: int, detail: str) -> None:
        side = self._side
        self.attempts.abandon()
        if exchange.request == "open":
            side.persistent = False
        size = own_answers.answer(self._plane, side, status, detail, exchange.request_id, exchange.head)
        exchange.answered_by_us(status, ending, size)
        self._settle(exchange)

    def _settle(self, exchange: Exchange) -> None:
        self._account(exchange)
        self._side.settled(self.attempts.take_rest())

    def _account(self, exchange: Exchange) -> None:
        self.exchange = None
        shelf = None if exchange.choice.address is None else self.attempts.shelf
        self._plane.accounts.end(exchange, self._side.client, shelf)

    def _cut(self, exchange: Exchange, ending: Ending) -> None:
        """End an answer that can't be completed so that it can't be taken for a whole one."""
        self.attempts.abandon()
        exchange.broke(ending)
        self._account(exchange)
        self._side.reset()
