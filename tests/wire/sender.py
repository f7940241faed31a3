"""What clients and origins do alike on their ends of connections to the proxy."""

import contextlib
import socket
import struct

from tests.wire.kernel import PATIENCE, await_taken

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes a close a reset."""


class Sender:
    """One end of a connection, of which it sends and ends its direction."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(PATIENCE)

    def send(self, *segments: bytes) -> None:
        """Sends segments, each once the one before it was read. A proxy that has hung up is no error here."""
        for index, segment in enumerate(segments):
            if index:
                await_taken([self.sock])
            with contextlib.suppress(ConnectionError):
                self.sock.sendall(segment)

    def drip(self, data: bytes) -> None:
        """Sends byte by byte."""
        self.send(*(data[at : at + 1] for at in range(len(data))))

    def finish(self) -> None:
        """Ends its direction and goes on reading."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Leaves with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.sock.close()

    def close(self) -> None:
        """Leaves."""
        self.sock.close()
