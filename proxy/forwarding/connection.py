"""What the connection to a client and the one to an endpoint have in common: what is asked of a transport."""

import asyncio
from typing import cast

from proxy.forwarding.backpressure import Reading, Sending
from proxy.forwarding.peek import Peek


class Connection(asyncio.Protocol):
    """One end of an exchange."""

    __slots__ = ("_transport", "reading", "sending")

    _transport: asyncio.Transport
    reading: Reading
    sending: Sending

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class doesn't inherit from it
        self.reading = Reading(self._transport)
        self.sending = Sending(self._transport)

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS."""
        return self.sending.secure

    def broken(self) -> bool:
        """Tell whether the peer has reset it, which nobody is told of while it isn't read."""
        peek = Peek(self._transport)
        return peek.ended() if self.secure else peek.broken()  # TLS knows no half-closed connection

    def write(self, data: bytes) -> None:
        """Write bytes."""
        self._transport.write(data)

    @property
    def half_closes(self) -> bool:
        """Whether one direction of the connection can end while the other goes on; not under TLS."""
        return self._transport.can_write_eof()

    def end_writing(self) -> None:
        """Say that no more bytes follow."""
        self._transport.write_eof()
