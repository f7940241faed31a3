"""A client that sends exactly the bytes of a case, and reads exactly what comes back."""

import contextlib
import socket
import ssl
import struct
from typing import Literal

from tests.wire.kernel import PATIENCE, await_taken
from tests.wire.reader import Ambiguous, Answer, AnswerReader

RESET = struct.pack("ii", 1, 0)

End = Literal["closed", "reset"]


class Silence(AssertionError):
    """Nothing came for as long as anything that works would take."""


class Client:
    """One connection to the proxy."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.rest = b""
        """What was received and not read yet."""
        self.end: End | None = None
        sock.settimeout(PATIENCE)

    def __repr__(self) -> str:
        return f"<Client {self.end or 'open'}, {self.rest[:100]!r} to read>"

    # Sending.

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

    # Reading.

    def answer(self, method: str = "GET") -> Answer:
        """The next answer, whole. AssertionError when the connection ends within it, or nothing comes."""
        reader = self.read_to(method, whole=True)
        self.rest = reader.rest
        return reader.message()

    def head(self, method: str = "GET") -> Answer:
        """The head of the next answer and what has come of its body; answer() reads all of it again."""
        return self.read_to(method, whole=False).message()

    def cut(self, method: str = "GET") -> tuple[bytes, End]:
        """The body of an answer that never becomes whole, and how it ended."""
        reader = AnswerReader(method)
        while True:
            data = self.receive()
            if not data:
                break
            reader.feed(data)
            assert not reader.done, f"a whole answer of {reader.message()}"
        if self.end == "closed":
            with contextlib.suppress(Ambiguous):
                reader.feed(b"")
                raise AssertionError(f"the cut answer reads as a whole one: {reader.message()}")
        return reader.body, self.end or "closed"

    def ended(self) -> End:
        """How the connection ends; AssertionError when bytes come before that, or it stays open."""
        while data := self.receive():
            raise AssertionError(f"bytes where the connection should end: {data!r}")
        return self.end or "closed"

    def read(self, size: int) -> bytes:
        """Exactly so many bytes."""
        while len(self.rest) < size:
            data = self._from_socket()
            assert data, f"the connection ended ({self.end}) behind {self.rest[:200]!r}"
            self.rest += data
        found, self.rest = self.rest[:size], self.rest[size:]
        return found

    def read_to(self, method: str, *, whole: bool) -> AnswerReader:
        """Reads a head, or a whole answer; the bytes of a head alone stay to be read."""
        reader, taken = AnswerReader(method), b""
        while not (reader.done if whole else reader.began):
            data = self.receive()
            if not whole or len(taken) < 200:  # of a large answer all of it would take seconds
                taken += data
            assert data or self.end == "closed", f"reset behind {taken[:200]!r}"
            reader.feed(data)
        if not whole:
            self.rest = taken
        return reader

    def receive(self) -> bytes:
        """The next bytes; b"" at the end of the connection, whichever it is."""
        data, self.rest = self.rest, b""
        return data or self._from_socket()

    def _from_socket(self) -> bytes:
        if self.end is not None:
            return b""
        try:
            data = self.sock.recv(1 << 20)
        except TimeoutError:
            raise Silence(f"nothing came within {self.sock.gettimeout()} s") from None
        except (ConnectionError, ssl.SSLEOFError):
            data, self.end = b"", "reset"
        else:
            self.end = None if data else "closed"
        return data
