"""Sending a request to an endpoint, by as many attempts as it takes and may have.

An attempt takes a pooled connection or searches for a new one, then writes the head and what there is of
the body. Here are the connection, its place in the pool and the body on its way; what follows an attempt that
fails is for the crossing to decide.
"""

from functools import partial
from typing import Protocol

from proxy.forwarding import rescue
from proxy.forwarding.answer_head import choice_line
from proxy.forwarding.connecting import Connecting
from proxy.forwarding.data_plane import DataPlane
from proxy.forwarding.dial import DialFailed
from proxy.forwarding.exchange import Exchange
from proxy.forwarding.pool import Shelf
from proxy.forwarding.sides import ClientSide, Requester
from proxy.forwarding.upload import Upload
from proxy.forwarding.upstream import Upstream
from proxy.http1 import serializer
from proxy.http1.errors import BadMessage
from proxy.routing.table import Choice
from proxy.telemetry.outcome import Ending


class Sender(Requester, Protocol):
    """The crossing, as its attempts see it."""

    exchange: Exchange | None
    """The one under way."""
    full: bool
    """Whether the client takes no more bytes for now."""

    def attempt_failed(self, exchange: Exchange, ending: Ending, status: int, detail: str) -> None:
        """Decide what follows: there is no connection to the endpoint."""

    def body_failed(self, exchange: Exchange, bad: BadMessage) -> None:
        """End the exchange: its request's body is no good."""


class Attempts:
    """The attempts of one client's connection: one at a time, for one request after the other.

    Args:
        plane: what the worker's connections share.
        side: the client's connection.
        sender: is asked what follows. It owns this object, and has to drop it in the end: they form a cycle.
    """

    __slots__ = (
        "_connecting",
        "_listening",
        "_plane",
        "_rest",
        "_sender",
        "_side",
        "shelf",
        "upload",
        "upstream",
    )

    def __init__(self, plane: DataPlane, side: ClientSide, sender: Sender) -> None:
        self._plane = plane
        self._side = side
        self._sender = sender
        self.upstream: Upstream | None = None
        """The connection that carries the request; None while there is none."""
        self.upload: Upload | None = None
        """The body on its way; None for a request without one, or none any more."""
        self.shelf: Shelf | None = None
        """Of the address that has the request; None while that is searched for, and when there is none."""
        self._connecting: Connecting | None = None
        self._listening = False
        """Whether the endpoint has said something that is read before it gets more of the body."""
        self._rest = b""

    def __repr__(self) -> str:
        return f"<Attempts on {self.upstream or 'no connection'}>"

    # What the crossing decides.

    def begin(self, exchange: Exchange) -> None:
        """Send the request to the address that was chosen."""
        plane, address = self._plane, exchange.choice.address
        assert address is not None, exchange
        shelf = self.shelf = plane.pool.begin(address, exchange)
        if exchange.request == "open":
            kept = exchange.choice.service.rescue.max_body if rescue.may(exchange) else None
            self.upload = Upload(exchange, plane.heads.limits, kept)
        upstream = shelf.take()
        if upstream is None:
            self._connect(exchange, shelf)
        else:
            self._join(upstream, exchange, exchange.started)

    def repeat(self, exchange: Exchange) -> None:
        """Send the request once more, on a fresh connection: to the same address, if that takes one."""
        shelf = self.shelf
        assert shelf is not None, self
        self._drop()
        self._connect(exchange, shelf)

    def redirect(self, exchange: Exchange, choice: Choice, ending: Ending, status: int) -> None:
        """Send the request to another endpoint, as its attempt has ended so.

        `status`: what the client would have been sent; 0 for nothing.
        """
        self._drop()
        plane, address = self._plane, choice.address
        assert address is not None, choice
        outcome = exchange.pass_on(choice, ending, status, plane.now())
        plane.accounts.pass_on(exchange, outcome, self.shelf)
        # No pooled connection: it could prove stale, and there is no third attempt.
        self._connect(exchange, plane.pool.begin(address, exchange))

    def more(self, exchange: Exchange, data: bytes) -> bytes:
        """Send bytes of the body that came meanwhile; return those that aren't this request's, or not yet."""
        upstream = self.upstream
        if upstream is None or self._listens(exchange, upstream):
            return data
        self._send_body(exchange, upstream, data)
        return self.take_rest()

    def take_rest(self) -> bytes:
        """Return the bytes that came behind the request, and keep them no longer."""
        rest, self._rest = self._rest, b""
        return rest

    def finish(self, exchange: Exchange) -> None:
        """Give the connection back: the answer is whole."""
        upstream, shelf = self.upstream, self.shelf
        assert upstream is not None, self
        assert shelf is not None, self
        self._part(upstream)
        self.upload = None
        # What is still to be sent to the endpoint would hold up the next request, unknown to its client.
        if exchange.request == "done" and not upstream.sending.waits() and upstream.reusable():
            shelf.give(upstream, self._plane.now())
        else:
            upstream.abandon()

    def abandon(self) -> None:
        """Drop the connection, if there is one, and the body: there won't be another attempt."""
        self._drop()
        self.upload = None

    def release(self) -> None:
        """Leave the connection to itself: it closes once everything is sent."""
        self.upstream = self.upload = None

    # Attempts.

    def _connect(self, exchange: Exchange, shelf: Shelf) -> None:
        """Search for a connection, at this shelf first, which counts the request."""
        self.shelf = None
        self._side.deadline.dial()
        connecting = self._connecting = Connecting(
            self._plane, exchange, partial(self._connected, exchange), partial(self._unconnected, exchange)
        )
        connecting.begin(shelf)

    def _connected(self, exchange: Exchange, shelf: Shelf, upstream: Upstream) -> None:
        self._connecting = None
        self.shelf = shelf
        exchange.reached(shelf.address)
        self._join(upstream, exchange, self._plane.now())

    def _unconnected(self, exchange: Exchange, failed: DialFailed) -> None:
        self._connecting = None
        detail = f"the service can't be reached: {failed.detail}"
        self._sender.attempt_failed(exchange, failed.ending, failed.status, detail)

    def _join(self, upstream: Upstream, exchange: Exchange, now: float) -> None:
        plane, side = self._plane, self._side
        self.upstream = upstream
        thresholds = plane.thresholds
        exchange.send(now, thresholds.watch(exchange, now) if thresholds.in_force else exchange.thresholds)
        upstream.carry(self._sender, exchange.head.method, exchange.upgrade, plane.heads)
        ours = side.hop.lines(exchange.head, exchange.request_id)
        endpoint, asked, service = upstream.address.endpoint, exchange.head, exchange.choice.service
        if endpoint.host_sent:
            host = endpoint.host_sent.encode()
        else:
            host = asked.steering.get(b"host") or endpoint.authority.encode()
        if service.endpoint_header:
            asked = asked.without(service.endpoint_header.lower().encode())
            ours += choice_line(exchange.choice, service.endpoint_header)
        head = serializer.request_head(asked, host, exchange.length, ours, exchange.upgrade)
        if self.upload is not None:
            head += self.upload.again()
        if exchange.request == "done":
            side.deadline.response(exchange, now)
            upstream.write(head)
        else:
            self._send_body(exchange, upstream, side.take_buffered(), head)

    def _send_body(self, exchange: Exchange, upstream: Upstream, data: bytes, head: bytes = b"") -> None:
        upload = self.upload
        assert upload is not None, self
        try:
            part = upload.take(data)
        except BadMessage as bad:
            self._sender.body_failed(exchange, bad)
            return
        self._rest = upload.rest
        if not self._sender.full:  # a client that takes nothing isn't kept by what it sends
            self._side.deadline.next_bytes(exchange)
        if part or head:
            upstream.write(head + part)

    def _listens(self, exchange: Exchange, upstream: Upstream) -> bool:
        """Return whether the body has to wait, because the endpoint has said something by now.

        It may be a refusal, behind which the endpoint closed its connection. A write to that would fail, and
        the event loop ends a connection whose write fails without a look at what has come on it.
        """
        if not self._listening and not upstream.reading.held and upstream.has_input():
            self._listening = True
            # The loop reads between the two: what is due soon comes before its next look at connections.
            self._plane.soon(self._plane.soon, self._heard, exchange, upstream)
        return self._listening

    def _heard(self, exchange: Exchange, upstream: Upstream) -> None:
        if self.upstream is upstream and self._listening:
            self._listening = False
            self._send_body(exchange, upstream, self._side.take_buffered())

    # Parting.

    def _drop(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        upstream = self.upstream
        if upstream is not None:
            self._part(upstream)
            upstream.abandon()

    def _part(self, upstream: Upstream) -> None:
        self.upstream = None
        self._listening = False
        if upstream.reading.reasons:
            upstream.reading.free("full")
        if self._side.reading.reasons:
            self._side.reading.free("full")
