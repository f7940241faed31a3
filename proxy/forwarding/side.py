"""The client's connection, as a crossing sees it."""

from typing import Protocol

from proxy.forwarding.backpressure import Reading, Sending
from proxy.http1.head import RequestHead


class Side(Protocol):
    """The client's connection, as a crossing sees it."""

    due: float
    reading: Reading
    sending: Sending
    client: str
    address: bytes
    """The client's address again, as it is written into a head."""
    persistent: bool
    """Whether the connection goes on after this exchange."""

    def write(self, data: bytes) -> None:
        """Write bytes to the client."""

    def answer_own(self, status: int, detail: str, request_id: str, head: RequestHead | None) -> int:
        """Write an answer of the proxy's own; returns the size of its body in bytes."""

    def take_buffered(self) -> bytes:
        """Return the bytes that came behind the head."""

    def settled(self, rest: bytes) -> None:
        """The exchange is over and accounted for; these bytes of the next request came with it."""

    def reset(self) -> None:
        """End the connection evidently."""
