"""TLS clients, from the accepted socket to the end of their handshake."""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol, cast

from proxy.tls.certificates import Certificates

SHUTDOWN_SECONDS = 3600.0
"""Seconds in which a closed connection has to send its data and to receive the peer's close_notify. The
deadline of the connection itself ends it long before; a short one here would cut off a slow reader."""
UNSENT = 64 * 1024
"""Bytes that wait to be sent before the sender has to pause, beside those of the socket's own transport."""


class BufferedTransport(Protocol):
    """The methods that the TLS transports of both event loops have beside those of their base class."""

    def set_read_buffer_limits(self, high: int, low: int) -> None:
        """Set how many received bytes may wait to be deciphered before reading from the socket stops."""

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        """Set how many bytes may wait to be sent before the protocol has to pause."""


def limit_buffers(transport: asyncio.BaseTransport) -> None:
    """Limit the bytes that a TLS transport buffers, so that it loses none of them.

    While its reader pauses, uvloop by default goes on reading from the socket and buffers up to 256 KiB, and
    discards all of it at the end of the stream. With a limit of one byte it stops reading while anything is
    buffered, so that the end of the stream comes after the data.
    """
    buffered = cast(BufferedTransport, transport)
    buffered.set_read_buffer_limits(high=1, low=0)
    buffered.set_write_buffer_limits(high=UNSENT, low=UNSENT // 4)


async def shake(
    connection: socket.socket,
    certificates: Certificates,
    connect: Callable[[], asyncio.Protocol],
    seconds: float,
) -> None:
    """Carry out the handshake with a client, and make a connection of it.

    Args:
        connection: the client's; it is closed when the handshake fails.
        certificates: what the client is shown.
        connect: returns the protocol of the new connection, which begins after the handshake.
        seconds: how long the handshake may take.

    Raises:
        OSError: it failed, which concerns this client only.
    """
    transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
        connect,
        connection,
        ssl=certificates.context,
        ssl_handshake_timeout=seconds,
        ssl_shutdown_timeout=SHUTDOWN_SECONDS,
    )
    limit_buffers(transport)
