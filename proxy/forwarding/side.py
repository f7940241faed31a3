"""The client's connection, as a crossing sees it."""

from typing import Protocol

from proxy.forwarding.backpressure import Reading
from proxy.forwarding.tunnel import Half, Tunnel
from proxy.http1.head import RequestHead
from proxy.http1.provenance import Hop


class Side(Half, Protocol):
    """The client's connection, as a crossing sees it."""

    reading: Reading
    client: str
    """The address of the client whose request is under way."""
    hop: Hop
    """What endpoints are told of where requests came from."""
    secure: bool
    """Whether it speaks TLS."""
    persistent: bool
    """Whether the connection goes on after this exchange."""

    @property
    def buffered(self) -> bool:
        """Whether bytes came behind the request that is under way."""

    def answer_own(self, status: int, detail: str, request_id: bytes, head: RequestHead | None) -> int:
        """Write an answer of the proxy's own; returns the size of its body in bytes."""

    def take_buffered(self) -> bytes:
        """Return the bytes that came behind the head."""

    def enter(self, tunnel: Tunnel) -> None:
        """Hand everything that comes to the tunnel from now on."""

    def settled(self, rest: bytes) -> None:
        """The exchange is over and accounted for; these bytes of the next request came with it."""
