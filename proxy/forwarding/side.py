"""What stands between the two connections of an exchange, as each of its parts sees the other."""

from typing import Protocol

from proxy.forwarding.tunnel import Near, Tunnel
from proxy.http1.forwarded_fields import Hop
from proxy.http1.head import ResponseHead
from proxy.telemetry.outcome import Ending


class Side(Near, Protocol):
    """The client's connection, as a crossing sees it."""

    client: str
    """The address of the client whose request is under way."""
    hop: Hop
    """What endpoints are told of where requests came from."""

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS."""

    persistent: bool
    """Whether the connection goes on after this exchange."""

    @property
    def buffered(self) -> bool:
        """Whether bytes came behind the request that is under way."""

    def take_buffered(self) -> bytes:
        """Return the bytes that came behind the head."""

    def enter(self, tunnel: Tunnel) -> None:
        """Hand everything that comes to the tunnel from now on."""

    def settled(self, rest: bytes) -> None:
        """The exchange is over and accounted for; these bytes of the next request came with it."""


class Client(Protocol):
    """The other side of the exchange, as an upstream connection sees it."""

    __slots__ = ()

    def endpoint_full(self) -> None:
        """No more of the request can be taken for now."""

    def endpoint_ready(self) -> None:
        """More of the request can be taken again."""

    def interim(self, head: ResponseHead) -> None:
        """An interim (1xx) answer came."""

    def withholds(self, status: int) -> bool:
        """A final answer came that is an error of the server; tells whether it isn't wanted after all."""

    def answer_began(self, head: ResponseHead, length: int) -> tuple[bytes, bool]:
        """The answer's head came; returns the client's, and whether the body goes on in chunks."""

    def answer_whole(self, head: ResponseHead, body: bytes) -> None:
        """An answer came all at once, its body of a known length."""

    def answer_part(self, data: bytes) -> None:
        """These bytes, framed for the client, came."""

    def answer_ended(self) -> None:
        """The answer is whole."""

    def answer_broke(self, ending: Ending, detail: str, *, stale: bool) -> None:
        """There will be no (more) answer, for this reason; a stale connection may never have been heard."""

    def switched(self, head: ResponseHead, protocol: bytes) -> Tunnel:
        """The endpoint speaks this protocol from now on; returns what carries it."""
