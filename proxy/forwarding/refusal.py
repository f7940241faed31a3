"""What is remembered of a request that was turned away before it was for any service."""

from dataclasses import dataclass

from proxy.http1.head import RequestHead

UNREAD = RequestHead(b"", b"", 1, ())
"""Stands for the head of a request that couldn't be read, or was never sent."""


@dataclass(slots=True)
class Refusal:
    """A request, or a connection, that was turned away."""

    head: RequestHead
    status: int
    reason: str
    """In one word."""
    request_id: bytes
    bytes_out: int
    """Of the answer's body."""

    @property
    def read(self) -> bool:
        """Whether it is known what was asked."""
        return self.head is not UNREAD
