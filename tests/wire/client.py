"""A client that sends exactly the bytes of a case, and reads exactly what comes back."""

import contextlib
import socket
import ssl
from typing import Literal

from tests.wire.reader import Ambiguous, Answer, AnswerReader
from tests.wire.sender import Sender

End = Literal["closed", "reset"]


class Silence(AssertionError):
    """Nothing came for as long as anything that works would take."""


class Client(Sender):
    """One connection to the proxy."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.rest = b""
        """What was received and not read yet."""
        self.end: End | None = None

    def __repr__(self) -> str:
        return f"<Client {self.end or 'open'}, {self.rest[:100]!r} to read>"

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
