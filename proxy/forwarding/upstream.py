"""The connection to an endpoint: it carries one request at a time and reads the answer."""

import asyncio
from typing import Literal, Protocol, cast

from proxy.forwarding.backpressure import Reading, Sending
from proxy.http1 import writing
from proxy.http1.errors import BadMessage
from proxy.http1.fields import persistent
from proxy.http1.framing import Chunks, Endless, Sized, measure, response_length
from proxy.http1.head import ResponseHead
from proxy.http1.reading import head_end, read_response
from proxy.routing.endpoint import Endpoint
from proxy.telemetry.outcome import Ending

Phase = Literal["idle", "awaiting", "hinted", "body", "closed"]
"""No request; no answer yet; only an interim one yet; part of the answer's body is to come; over."""


class Client(Protocol):
    """The other side of the exchange, as an upstream connection sees it."""

    @property
    def reading(self) -> Reading:
        """Whether the client is read; held while the endpoint can't take more of the request."""

    def interim(self, head: ResponseHead) -> None:
        """An interim (1xx) answer came."""

    def answer_began(self, head: ResponseHead, length: int) -> bytes:
        """The answer's head came; returns the bytes of the head that the client gets."""

    def answer_part(self, data: bytes) -> None:
        """These bytes, framed for the client, came."""

    def answer_ended(self) -> None:
        """The answer is whole."""

    def answer_broke(self, ending: Ending, detail: str, *, stale: bool) -> None:
        """There will be no (more) answer, for this reason; a stale connection may never have been heard."""


class Gone(Protocol):
    """Who has to know that an idle connection is no more."""

    def __call__(self, upstream: "Upstream") -> None:
        """Forget the connection."""


class Upstream(asyncio.Protocol):
    """One connection to one endpoint.

    Args:
        endpoint: where it leads.
        gone: called when the connection ends while it is idle.
    """

    __slots__ = (
        "_body",
        "_buffer",
        "_client",
        "_gone",
        "_method",
        "_persistent",
        "_phase",
        "_rechunk",
        "_transport",
        "endpoint",
        "idle_since",
        "reading",
        "sending",
        "used",
    )

    reading: Reading
    sending: Sending
    _transport: asyncio.Transport
    _body: Sized | Chunks | Endless
    _method: bytes

    def __init__(self, endpoint: Endpoint, gone: Gone) -> None:
        self.endpoint = endpoint
        self.idle_since = 0.0
        self.used = 0
        """How many requests it has carried."""
        self._gone = gone
        self._client: Client | None = None
        self._phase: Phase = "idle"
        self._buffer = b""
        self._persistent = True
        self._rechunk = False

    def __repr__(self) -> str:
        return f"<Upstream {self.endpoint.url} {self._phase}, {self.used} requests>"

    # The client's side calls these.

    @property
    def reusable(self) -> bool:
        """Whether the connection is clean and may carry another request."""
        return self._phase == "idle" and self._persistent

    def carry(self, client: Client, method: bytes) -> None:
        """Take on a request; its bytes follow by :meth:`send`."""
        assert self._phase == "idle", self
        self._client = client
        self._method = method
        self._phase = "awaiting"
        self.used += 1

    def frame(self, *, rechunk: bool) -> None:
        """Frame the body for the client in chunks, or hand it on as it is."""
        self._rechunk = rechunk

    def send(self, data: bytes) -> None:
        """Send bytes of the request to the endpoint."""
        self._transport.write(data)

    def close(self) -> None:
        """Close an idle connection."""
        self._phase = "closed"
        self._transport.close()

    def abandon(self) -> None:
        """Drop the connection in the middle of an exchange: nobody waits for the rest of the answer."""
        self._client = None
        self._phase = "closed"
        self._transport.abort()

    # The event loop calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class doesn't inherit from it
        self.reading = Reading(self._transport)
        self.sending = Sending(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._phase == "body":
            self._read_body(data)
        elif self._phase in ("awaiting", "hinted"):
            self._read_head(data)
        elif self._phase == "idle":
            # Nobody asked: handed to the next client, this would be somebody else's answer.
            self._leave_pool()

    def eof_received(self) -> None:
        if self._phase == "idle":
            self._leave_pool()
        elif self._phase == "body" and isinstance(self._body, Endless):
            # Not when the connection is lost: that waits for an upload that the endpoint may never take.
            self._end_with_connection()

    def connection_lost(self, error: Exception | None) -> None:
        phase, self._phase = self._phase, "closed"
        if phase == "idle":
            self._gone(self)
        elif phase in ("awaiting", "hinted"):
            # It may have been closed while it was idle, just as the request was written to it.
            stale = phase == "awaiting" and self.used > 1 and not self._buffer
            self._break("reset", "the endpoint closed the connection before it answered", stale=stale)
        elif phase == "body":
            self._break("truncated", "the endpoint closed the connection in the middle of its answer")

    def pause_writing(self) -> None:
        if self._client is not None:
            self._client.reading.hold("full")

    def resume_writing(self) -> None:
        if self._client is not None:
            self._client.reading.free("full")

    # Reading the answer.

    def _read_head(self, data: bytes) -> None:
        client = self._client
        assert client is not None, self
        data = self._buffer + data if self._buffer else data
        try:
            while True:
                end = head_end(data)
                if not end:
                    self._buffer = data
                    return
                head = read_response(data[:end])
                if head.status >= 200:
                    break
                if head.status == 101:
                    raise BadMessage(502, "a change of protocol that nobody asked for")
                self._phase = "hinted"
                client.interim(head)
                data = data[end:]
            length = response_length(head, self._method)
        except BadMessage as bad:
            self._fail_garbled(bad)
            return
        self._buffer = b""
        self._phase = "body"
        self._body = measure(length)
        self._persistent = persistent(head)
        self._read_body(data[end:], client.answer_began(head, length))

    def _read_body(self, data: bytes, prefix: bytes = b"") -> None:
        client, body = self._client, self._body
        assert client is not None, self
        try:
            pieces = body.feed(data) if data else []
        except BadMessage as bad:
            self._fail_garbled(bad)
            return
        done = body.done
        part = writing.framed(pieces, done, rechunk=self._rechunk)
        if part or prefix:
            client.answer_part(prefix + part)
        if done:
            # More than was announced: the connection can't be trusted with another request.
            self._persistent = self._persistent and not body.rest
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
            client.answer_part(writing.LAST_CHUNK)
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
