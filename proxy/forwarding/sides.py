"""The two sides of an exchange, as what stands between them sees each: protocols, and nothing that runs."""

from typing import Protocol

from proxy.forwarding.tunnel import ClientEnd, Tunnel
from proxy.http1.forwarded_fields import Hop
from proxy.http1.head import ResponseHead
from proxy.telemetry.outcome import Ending


class ClientSide(ClientEnd, Protocol):
    """The client's connection, as a crossing sees it."""

    client: str
    """The address of the client whose request is under way."""
    hop: Hop
    """What endpoints learn of where requests came from."""

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
        """Go on: the exchange is over and accounted for, and these bytes of the next request came with it."""


class Requester(Protocol):
    """The other side of the exchange, as an upstream connection sees it."""

    __slots__ = ()

    def endpoint_full(self) -> None:
        """Stop: the endpoint takes no more of the request for now."""

    def endpoint_ready(self) -> None:
        """Go on: the endpoint takes bytes of the request again."""

    def interim(self, head: ResponseHead) -> None:
        """Take an interim (1xx) answer."""

    def withholds(self, status: int) -> bool:
        """Return whether a final answer that is an error of the server isn't wanted after all."""

    def answer_began(self, head: ResponseHead, length: int) -> tuple[bytes, bool]:
        """Take the answer's head; return the client's, and whether the body goes on in chunks."""

    def answer_whole(self, head: ResponseHead, body: bytes) -> None:
        """Take an answer that came at once, its body of a known length."""

    def answer_part(self, data: bytes) -> None:
        """Take bytes of the answer, framed for the client."""

    def answer_ended(self) -> None:
        """Settle: the answer is whole."""

    def answer_broke(self, ending: Ending, detail: str, *, stale: bool) -> None:
        """Give up: there will be no (more) answer. A stale connection may never have been heard."""

    def switched(self, head: ResponseHead, protocol: bytes) -> Tunnel:
        """Speak this protocol from now on, as the endpoint does; return what carries it."""
