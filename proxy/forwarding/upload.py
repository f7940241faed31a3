"""The body of a request on its way to an endpoint: measured, bounded, and framed afresh."""

from proxy.forwarding.exchange import Exchange
from proxy.http1 import writing
from proxy.http1.framing import CHUNKED, measure
from proxy.http1.limits import Limits


class Upload:
    """One request's body.

    Args:
        exchange: whose it is.
        limits: of its chunk lines and trailers.
    """

    __slots__ = ("_body", "_exchange")

    def __init__(self, exchange: Exchange, limits: Limits) -> None:
        self._exchange = exchange
        self._body = measure(exchange.length, limits)

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
            exchange.takes(pieces)
        if body.done:
            exchange.request_ended()
        return writing.framed(pieces, body.done, rechunk=exchange.length == CHUNKED)
