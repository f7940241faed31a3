"""The connection to an endpoint: it carries one request at a time and reads the answer."""

import asyncio
import ssl
from collections.abc import Callable
from math import inf
from typing import Literal

from proxy.forwarding.connection import Connection, reset
from proxy.forwarding.peek import Peek
from proxy.forwarding.sides import Requester
from proxy.forwarding.tunnel import Tunnel
from proxy.http1 import serializer
from proxy.http1.errors import BadMessage
from proxy.http1.fields import accepted
from proxy.http1.framing import CHUNKED, Chunks, Endless
from proxy.http1.head import ResponseHead
from proxy.http1.head_cache import Heads
from proxy.http1.parser import head_end
from proxy.routing.address import Address
from proxy.telemetry.outcome import Ending

UpstreamPhase = Literal["idle", "awaiting", "hinted", "body", "tunnel", "closed"]
"""No request; no answer yet; only an interim one yet; part of the answer's body is to come; HTTP no more;
over."""


class Upstream(Connection):
    """One connection to one address of an endpoint.

    Args:
        address: where it leads.
        gone: called when the connection ends while it is idle.
        good_until: when it is too old to be kept for another request, in seconds.
    """

    __slots__ = (
        "_body",
        "_buffer",
        "_client",
        "_gone",
        "_heads",
        "_left",
        "_method",
        "_offer",
        "_persistent",
        "_phase",
        "_rechunk",
        "_tunnel",
        "address",
        "good_until",
        "has_input",
        "idle_since",
        "used",
    )

    _body: Chunks | Endless | None
    """What finds the end of the answer's body; None for one whose length is known."""
    _left: int
    """Bytes of such a body that are still to come."""
    has_input: Callable[[], bool]
    """Returns whether something unasked has come, or the end, by this very moment. The event loop may not
    have reported it yet, and it would be a wrong answer to the next request."""
    _tunnel: Tunnel

    def __init__(self, address: Address, gone: Callable[["Upstream"], None], good_until: float = inf) -> None:
        self.address = address
        self.good_until = good_until
        self.idle_since = 0.0
        """When it was put into the pool last; 0 before that."""
        self.used = 0
        """How many requests it has carried."""
        self._gone = gone
        self._client: Requester | None = None
        self._method = self._offer = b""
        self._phase: UpstreamPhase = "idle"
        self._buffer = b""
        self._persistent = True
        self._rechunk = False

    def __repr__(self) -> str:
        return f"<Upstream {self.address} {self._phase}, {self.used} requests>"

    # The client's side calls these.

    def reusable(self) -> bool:
        """Return whether the connection is clean and may carry another request."""
        return self._phase == "idle" and self._persistent

    def carry(self, client: Requester, method: bytes, offer: bytes, heads: Heads) -> None:
        """Take on a request; its bytes follow by `write`. `offer`: the protocols it may change to."""
        assert self._phase == "idle", self
        self._client = client
        self._method = method
        self._offer = offer
        self._heads = heads
        self._phase = "awaiting"
        self.used += 1

    def close(self) -> None:
        """Close the connection once everything is sent."""
        self._client = None
        self._phase = "closed"
        self._transport.close()

    def reset(self) -> None:
        """End a tunnel evidently broken."""
        self._client = None
        self._phase = "closed"
        reset(self._transport)

    def abandon(self) -> None:
        """Drop the connection in the middle of an exchange: the rest of the answer isn't wanted."""
        self._client = None
        self._phase = "closed"
        self._transport.abort()

    # The event loop calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # Under TLS the descriptor can be another connection's by the time the loop reports the end.
        self.has_input = (lambda: Peek(transport).arrived()) if self.secure else Peek(transport).arrived

    def data_received(self, data: bytes) -> None:
        if self._phase == "body":
            self._read_body(data)
        elif self._phase == "awaiting" or self._phase == "hinted":
            self._read_head(data)
        elif self._phase == "tunnel":
            self._tunnel.from_endpoint(data)
        elif self._phase == "idle":
            # Unasked: the next client would get it as the answer to its request.
            self._leave_pool()

    def eof_received(self) -> bool:
        if self._phase == "tunnel":
            return self._tunnel.endpoint_ended()
        if self._phase == "idle":
            self._leave_pool()
        elif self._phase == "body" and isinstance(self._body, Endless):
            self._end_with_connection()
        elif self._phase != "closed":
            self._lose(None)
            self._transport.abort()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._lose(error)
        if hasattr(self, "_tunnel"):
            del self._tunnel

    def _lose(self, error: Exception | None) -> None:
        """Act on the end of the stream, or of the connection, which may wait for an upload to be taken."""
        phase, self._phase = self._phase, "closed"
        if phase == "idle":
            self._gone(self)
        elif phase in ("awaiting", "hinted"):
            # It may have been closed while it was idle, just as the request was written to it.
            stale = phase == "awaiting" and self.idle_since > 0 and not self._buffer
            # Under TLS 1.3 an endpoint refuses our certificate only when the handshake is over for us.
            ending: Ending = "tls" if isinstance(error, ssl.SSLError) else "reset"
            self._break(ending, "the endpoint closed the connection before it answered", stale=stale)
        elif phase == "body":
            self._break("truncated", "the endpoint closed the connection in the middle of its answer")
        elif phase == "tunnel":
            self._client = None
            self._tunnel.endpoint_lost()

    def pause_writing(self) -> None:
        if self._client is not None:
            self._client.endpoint_full()

    def resume_writing(self) -> None:
        if self._client is not None:
            self._client.endpoint_ready()

    # Reading the answer.

    def _read_head(self, data: bytes) -> None:
        client, heads = self._client, self._heads
        assert client is not None, self
        data = self._buffer + data if self._buffer else data
        try:
            while True:
                end = head_end(data, heads.limits)
                if not end:
                    self._buffer = data
                    return
                block, data = data[:end], data[end:]
                head = heads.responses.get(block) or heads.response(block)
                if head.status >= 200:
                    break
                if head.status == 101:
                    self._switch(client, head, data)
                    return
                self._phase = "hinted"
                client.interim(head)
        except BadMessage as bad:
            self._fail_garbled(bad)
            return
        if head.status < 500 or not client.withholds(head.status):  # else this connection was dropped
            self._begin_answer(client, head, data)

    def _begin_answer(self, client: Requester, head: ResponseHead, data: bytes) -> None:
        # RFC 9112 section 6.3: an answer to HEAD has no body, whatever its head announces.
        length = 0 if self._method == b"HEAD" else head.length
        self._buffer = b""
        self._persistent = head.persistent
        if len(data) == length:
            self._client, self._phase = None, "idle"
            client.answer_whole(head, data)
            return
        if length >= 0:
            self._phase, self._body, self._left = "body", None, length
            ours, _ = client.answer_began(head, length)
            self._count_off(client, data, ours)
            return
        self._body = body = Chunks(self._heads.limits) if length == CHUNKED else Endless()
        try:
            # Before the answer begins for the client: garbage right behind the head still makes it a 502.
            pieces = body.feed(data) if data else []
        except BadMessage as bad:
            self._fail_garbled(bad)
            return
        self._phase = "body"
        ours, self._rechunk = client.answer_began(head, length)
        self._pass_on(client, body, pieces, ours)

    def _switch(self, client: Requester, head: ResponseHead, early: bytes) -> None:
        protocol = accepted(head, self._offer)
        if not protocol:
            raise BadMessage(502, "malformed", "a change of protocol that wasn't asked for")
        self._buffer = b""
        self._phase = "tunnel"
        self._tunnel = client.switched(head, protocol)
        self._tunnel.from_endpoint(early)

    def _read_body(self, data: bytes) -> None:
        client, body = self._client, self._body
        assert client is not None, self
        if body is None:
            self._count_off(client, data)
            return
        try:
            pieces = body.feed(data)
        except BadMessage as bad:
            self._fail_garbled(bad)
            return
        self._pass_on(client, body, pieces)

    def _count_off(self, client: Requester, data: bytes, prefix: bytes = b"") -> None:
        """Hand on bytes of a body whose length is known: they are counted and not looked at."""
        left = self._left = self._left - len(data)
        if left < 0:
            # More than was announced: the connection can't be trusted with another request.
            self._persistent = False
            data = data[:left]
        if part := prefix + data if prefix else data:
            client.answer_part(part)
        if left <= 0:
            self._finish()

    def _pass_on(
        self, client: Requester, body: Chunks | Endless, pieces: list[bytes], prefix: bytes = b""
    ) -> None:
        done = body.done
        part = serializer.framed(pieces, done, rechunk=self._rechunk)
        if part or prefix:
            client.answer_part(prefix + part)
        if done:
            self._persistent = self._persistent and not body.rest  # as above
            self._finish()

    def _finish(self) -> None:
        client, self._client = self._client, None
        assert client is not None, self
        self._phase = "idle"
        client.answer_ended()

    def _end_with_connection(self) -> None:
        client, self._client = self._client, None
        assert client is not None, self
        self._phase = "closed"
        if self._rechunk:
            client.answer_part(serializer.LAST_CHUNK)
        client.answer_ended()

    def _fail_garbled(self, bad: BadMessage) -> None:
        ending: Ending = "truncated" if self._phase == "body" else "garbage"
        self._phase = "closed"
        self._transport.abort()
        self._break(ending, f"the endpoint's answer isn't HTTP/1.1: {bad.detail}")

    def _break(self, ending: Ending, detail: str, *, stale: bool = False) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.answer_broke(ending, detail, stale=stale)

    def _leave_pool(self) -> None:
        self._phase = "closed"
        self._gone(self)
        self._transport.abort()
