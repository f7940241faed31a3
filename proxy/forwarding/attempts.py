"""Getting a request to an endpoint, by as many attempts as it takes and may have.

An attempt takes a pooled connection or dials, writes the head and what there is of the body. If it fails
before the client has seen anything of an answer, there may be another: on a fresh connection when a pooled
one proved stale, and to ``stable`` when it was another backend that failed (see `rescue`).
"""

from abc import ABC, abstractmethod
from functools import partial

from proxy.forwarding import rescue
from proxy.forwarding.dial import DialFailed
from proxy.forwarding.exchange import Exchange
from proxy.forwarding.lane import Lane
from proxy.forwarding.pace import Pace
from proxy.forwarding.pool import Shelf
from proxy.forwarding.side import Client, Side
from proxy.forwarding.upload import Upload
from proxy.forwarding.upstream import Upstream
from proxy.http1 import serializer
from proxy.http1.errors import BadMessage
from proxy.telemetry.outcome import Ending, Key


class Attempts(Client, ABC):
    """The half of a crossing that sends.

    Args:
        lane: the worker's shared pieces.
        side: the client's connection.
    """

    __slots__ = ("_lane", "_pace", "_rest", "_shelf", "_side", "_upload", "_upstream", "exchange", "full")

    _shelf: Shelf

    def __init__(self, lane: Lane, side: Side) -> None:
        self.exchange: Exchange | None = None
        self._lane = lane
        self._side = side
        self._pace = Pace(side, lane.now)
        self._upstream: Upstream | None = None
        self._upload: Upload | None = None
        self.full = False
        """Whether the client takes no more bytes for now."""
        self._rest = b""

    def more(self, data: bytes) -> bytes:
        """Take bytes that the client sent meanwhile; returns those that aren't this request's, or not yet."""
        exchange, upstream = self.exchange, self._upstream
        if exchange is None or exchange.request != "open" or upstream is None:
            return data
        self._send_body(exchange, upstream, data)
        rest, self._rest = self._rest, b""
        return rest

    # The half that answers.

    @abstractmethod
    def _answer_ourselves(self, ending: Ending, status: int, detail: str) -> None:
        """Tell the client that there will be no other answer."""

    @abstractmethod
    def _cut(self, exchange: Exchange, ending: Ending) -> None:
        """End an answer that can't be completed so that nobody can take it for a whole one."""

    # Attempts.

    def begin(self, exchange: Exchange) -> None:
        """Send the request on its way."""
        self.exchange = exchange
        self._lane.begin(exchange)
        endpoint = exchange.choice.endpoint
        if endpoint is None:
            self._answer_ourselves("refused", 503, "no endpoint of the service is available")
            return
        shelf = self._shelf = self._lane.pool.begin(endpoint, exchange)
        self._upload = None
        if exchange.request == "open":
            kept = exchange.choice.service.rescue.max_body if rescue.may(exchange) else None
            self._upload = Upload(exchange, self._lane.heads.limits, kept)
        upstream = shelf.take()
        if upstream is None:
            self._dial(exchange)
        else:
            self._join(upstream, exchange, exchange.started)

    def _dial(self, exchange: Exchange) -> None:
        shelf, seconds = self._shelf, exchange.choice.service.timeouts.connect
        self._side.due = float("inf")  # dialling has a deadline of its own
        self._lane.dialler.dial(shelf, seconds, partial(self._dialled, exchange, exchange.key, shelf))

    def _dialled(self, exchange: Exchange, key: Key, shelf: Shelf, result: Upstream | DialFailed) -> None:
        if self.exchange is not exchange or exchange.key is not key:
            # The client left meanwhile, or another backend is asked; the connection is as good for others.
            if isinstance(result, Upstream) and result.reusable():
                shelf.give(result, self._lane.now())
            return
        if isinstance(result, DialFailed):
            detail = f"the service can't be reached: {result.detail}"
            self._failed(exchange, result.ending, result.status, detail)
        elif result.reusable():
            self._join(result, exchange, self._lane.now())
        else:
            self._failed(exchange, "connect", 502, "the service can't be reached: it hung up")

    def _join(self, upstream: Upstream, exchange: Exchange, now: float) -> None:
        side = self._side
        self._upstream = upstream
        exchange.sends += 1
        self._lane.yardsticks.sent(exchange, now)
        upstream.carry(self, exchange.head.method, exchange.upgrade, self._lane.heads)
        ours = side.hop.lines(exchange.head, exchange.request_id)
        host = exchange.head.steering.get(b"host") or upstream.endpoint.authority.encode()
        head = serializer.request_head(exchange.head, host, exchange.length, ours, exchange.upgrade)
        if self._upload is not None:
            head += self._upload.again()
        if exchange.request == "done":
            side.due = now + exchange.choice.service.timeouts.response
            upstream.write(head)
        else:
            self._send_body(exchange, upstream, side.take_buffered(), head)

    def _send_body(self, exchange: Exchange, upstream: Upstream, data: bytes, head: bytes = b"") -> None:
        upload = self._upload
        assert upload is not None, self
        try:
            part = upload.take(data)
        except BadMessage as bad:
            exchange.reason = bad.reason
            if exchange.response == "awaited":
                self._answer_ourselves("refused", bad.status, bad.detail)
            else:
                self._cut(exchange, "refused")
            return
        self._rest = upload.rest
        if not self.full:  # a client that takes nothing isn't kept by what it sends
            self._pace.await_bytes(exchange)
        if part or head:
            upstream.write(head + part)

    def _failed(self, exchange: Exchange, ending: Ending, status: int, detail: str) -> None:
        """Ask ``stable`` instead, or tell the client."""
        if not self._rescued(exchange, ending, status):
            self._answer_ourselves(ending, status, detail)

    def _rescued(self, exchange: Exchange, ending: Ending, status: int) -> bool:
        """Send the request to ``stable`` instead, if that may be; tells whether it was."""
        lane, upload = self._lane, self._upload
        if not rescue.may(exchange, ending) or not (upload is None or upload.repeatable):
            return False
        free = exchange.spared(ending)  # it adds nothing to what was meant to be sent
        choice = rescue.choice(exchange, lane.pool, lane.draw())
        if choice is None or choice.endpoint is None or not (free or lane.affords(exchange)):
            return False
        self._drop_upstream()
        lane.pass_on(exchange, choice, ending, status, self._shelf)
        self._shelf = lane.pool.begin(choice.endpoint, exchange)
        self._dial(exchange)  # a pooled connection could prove stale, and there is no third attempt
        return True

    def _joined(self) -> tuple[Exchange, Upstream]:
        exchange, upstream = self.exchange, self._upstream
        assert exchange is not None, self
        assert upstream is not None, self
        return exchange, upstream

    def _give_back(self, upstream: Upstream) -> None:
        """The answer is whole: the connection may carry another request."""
        self._part(upstream)
        if upstream.reusable():
            self._shelf.give(upstream, self._lane.now())
        else:
            upstream.abandon()

    def _abandon(self, upstream: Upstream) -> None:
        self._part(upstream)
        upstream.abandon()

    def _part(self, upstream: Upstream) -> None:
        self._upstream = None
        if upstream.reading.reasons:
            upstream.reading.free("full")
        if self._side.reading.reasons:
            self._side.reading.free("full")

    def _drop_upstream(self) -> None:
        if self._upstream is not None:
            self._abandon(self._upstream)
