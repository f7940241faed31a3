"""What the connection to a client and the one to an endpoint have in common: what is asked of a transport."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import cast

from proxy.forwarding.backpressure import Reading, Sending
from proxy.forwarding.peek import Peek
from proxy.http1.forwarded_fields import UNIX, peer_address

_AT_ONCE = struct.pack("ii", 1, 0)


class Connection(asyncio.Protocol):
    """One end of an exchange."""

    __slots__ = ("_transport", "reading", "secure", "sending", "write")

    _transport: asyncio.Transport
    reading: Reading
    sending: Sending
    secure: bool
    """Whether it speaks TLS."""
    write: Callable[[bytes], None]
    """Write bytes. The transport's own: each call between costs as much as the rest of some of its steps."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class doesn't inherit from it
        self.reading = Reading(self._transport)
        self.sending = Sending(self._transport)
        self.secure = self.sending.secure
        self.write = self._transport.write

    def peer(self) -> str:
        """Return the address at the other end, or `unix`; empty when it has gone by now."""
        if self._transport.get_extra_info("socket").family == socket.AF_UNIX:
            return UNIX
        return peer_address(self._transport.get_extra_info("peername"))

    def broken(self) -> bool:
        """Return whether the peer has reset it, which the event loop doesn't report while it isn't read."""
        peek = Peek(self._transport)
        return peek.ended() if self.secure else peek.broken()  # TLS knows no half-closed connection

    @property
    def half_closes(self) -> bool:
        """Whether one direction of the connection can end while the other goes on; not under TLS."""
        return self._transport.can_write_eof()

    def end_writing(self) -> None:
        """Announce that no more bytes follow."""
        self._transport.write_eof()


def peer_of(connection: socket.socket) -> str:
    """Return the address at the other end of a socket, or `unix`; empty when it has gone by now."""
    try:
        return UNIX if connection.family == socket.AF_UNIX else peer_address(connection.getpeername())
    except OSError:
        return ""


def reset(transport: asyncio.Transport) -> None:
    """End a connection so that what it carried can't be taken for whole, as it can after a plain close.

    A unix socket knows no reset, and a TLS peer misses the close_notify.
    """
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()
