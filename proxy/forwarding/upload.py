"""The body of a request on its way to an endpoint: measured, bounded, and framed afresh."""

from proxy.forwarding.exchange import Exchange
from proxy.forwarding.rescue import Replay
from proxy.http1 import serializer
from proxy.http1.framing import CHUNKED, measure
from proxy.http1.limits import Limits


class Upload:
    """One request's body.

    Args:
        exchange: whose it is.
        limits: of its chunk lines and trailers.
        kept: how many bytes of it are kept, as it may have to be sent again; None: it won't be.
    """

    __slots__ = ("_body", "_exchange", "_replay")

    def __init__(self, exchange: Exchange, limits: Limits, kept: int | None = None) -> None:
        self._exchange = exchange
        self._body = measure(exchange.length, limits)
        self._replay = None if kept is None or kept < exchange.length else Replay(kept)

    def __repr__(self) -> str:
        return f"<Upload of {self._body}>"

    @property
    def rest(self) -> bytes:
        """The bytes behind the body, once it has ended."""
        return self._body.rest

    def take(self, data: bytes) -> bytes:
        """Return what the endpoint gets of these bytes.

        Raises:
            BadMessage: when they are no such body, or too much of one.
        """
        exchange, body = self._exchange, self._body
        pieces = body.feed(data) if data else []
        if pieces:
            exchange.request_came(pieces)
        if body.done:
            exchange.request_ended()
        part = serializer.framed(pieces, body.done, rechunk=exchange.length == CHUNKED)
        if self._replay is not None:
            self._replay.keep(part, exchange.received)
        return part

    @property
    def repeatable(self) -> bool:
        """Whether all that was taken can be sent again."""
        return not self._exchange.received or (self._replay is not None and self._replay.whole)

    def forget(self) -> None:
        """Keep nothing any more: an answer is there."""
        self._replay = None

    def again(self) -> bytes:
        """Return all that the endpoint was to get so far."""
        return b"" if self._replay is None else self._replay.again()
