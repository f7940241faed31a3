"""What came over a wire, read by an independent strict reader.

h11 reads it, and this file adds what h11 leaves open: line ends are CRLF and nothing else, and the length
of a body is said once. Bytes with no reading, or with two, are an Ambiguous.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import h11

MOST = 1 << 20  # bytes of a head that are read

Fields = list[tuple[str, str]]


class Ambiguous(AssertionError):
    """Bytes that two readers could read differently, or not at all."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a request and an answer have in common. Names are as they were written."""

    fields: Fields
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """The values of every line of a field."""
        return [value for each, value in self.fields if each.lower() == name.lower()]

    def one(self, name: str) -> str | None:
        """The value of a field that may be said once; None when it isn't there."""
        values = self.all(name)
        assert len(values) < 2, f"{name} is there {len(values)} times: {values}"
        return values[0] if values else None

    def without(self, *names: str) -> Fields:
        """All fields but these."""
        dropped = {name.lower() for name in names}
        return [each for each in self.fields if each[0].lower() not in dropped]


@dataclass(frozen=True, slots=True)
class Request(Message):
    """One request."""

    method: str = ""
    target: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Answer(Message):
    """One final answer and the interim ones before it."""

    status: int = 0
    reason: str = ""
    interim: list["Answer"] = field(default_factory=list)

    @property
    def closes(self) -> bool:
        """Whether it says that the connection ends behind it."""
        return "close" in [option.strip().lower() for option in ",".join(self.all("connection")).split(",")]


class Reader:
    """Reads one message from bytes as they come. Use RequestReader or AnswerReader."""

    def __init__(self, connection: h11.Connection) -> None:
        self._connection = connection
        self._head: Any = None
        self._unchecked = b""
        self.body = b""
        self.done = False

    @property
    def began(self) -> bool:
        """Whether the whole head is there."""
        return self._head is not None

    @property
    def rest(self) -> bytes:
        """The bytes behind the message."""
        return bytes(self._connection.trailing_data[0])

    def feed(self, data: bytes) -> None:
        """Takes bytes; b"" for the end of the stream. Ambiguous when they can't be (part of) one message."""
        if self._head is None:
            self._unchecked += data
        try:
            self._connection.receive_data(data)
            for event in self._events():
                self._take(event)
        except h11.RemoteProtocolError as error:
            raise Ambiguous(f"{error}: {self._unchecked[:300]!r}") from error

    def _events(self) -> Iterator[Any]:
        while not self.done:
            event = self._connection.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return
            yield event

    def _take(self, event: Any) -> None:
        if isinstance(event, h11.Data):
            self.body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            self.done = True
        elif isinstance(event, h11.ConnectionClosed):
            raise Ambiguous("the stream ended before a message began")
        else:
            self._cut_head()
            self._take_head(event)

    def _take_head(self, event: Any) -> None:
        self._head = event

    def _cut_head(self) -> None:
        head, end, self._unchecked = self._unchecked.partition(b"\r\n\r\n")
        check_head(head + end)


class RequestReader(Reader):
    """Reads one request."""

    def __init__(self) -> None:
        super().__init__(h11.Connection(h11.SERVER, max_incomplete_event_size=MOST))

    def message(self) -> Request:
        """The request as far as it is read."""
        head = self._head
        return Request(
            plain(head),
            self.body,
            head.method.decode(),
            head.target.decode("latin-1"),
            head.http_version.decode(),
        )


class AnswerReader(Reader):
    """Reads the answer to a request with this method."""

    def __init__(self, method: str = "GET") -> None:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST)
        asked = [("Host", "reader"), ("Connection", "upgrade"), ("Upgrade", "any")]
        connection.send(h11.Request(method=method, target="/", headers=asked))
        connection.send(h11.EndOfMessage())
        super().__init__(connection)
        self.interim: list[Answer] = []

    def _take_head(self, event: Any) -> None:
        if isinstance(event, h11.InformationalResponse) and event.status_code != 101:
            self.interim.append(self._answer(event, b""))
            return
        self._head = event
        self.done = event.status_code == 101

    def message(self) -> Answer:
        """The answer as far as it is read."""
        return self._answer(self._head, self.body)

    def _answer(self, head: Any, body: bytes) -> Answer:
        return Answer(plain(head), body, head.status_code, head.reason.decode("latin-1"), self.interim)


def plain(head: Any) -> Fields:
    """The fields of a head as text, named as they were written."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.raw_items()]


def check_head(head: bytes) -> None:
    """What h11 lets pass: other line ends than CRLF, a length that is said twice, two Hosts."""
    if re.search(rb"(?<!\r)\n|\r(?!\n)|\0|\r\n[ \t]", head):
        raise Ambiguous(f"a bare CR or LF, NUL or folded line: {head!r}")
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]]
    lengths = [name for name in names if name in (b"content-length", b"transfer-encoding")]
    if len(lengths) > 1 or names.count(b"host") > 1:
        raise Ambiguous(f"more than one length or Host: {head!r}")


def requests(stream: bytes) -> list[Request]:
    """All requests of a stream; Ambiguous when something is left over behind the last whole one."""
    found = []
    while stream:
        reader = RequestReader()
        reader.feed(stream)
        if not reader.done:
            raise Ambiguous(f"an incomplete request is left over: {stream!r}")
        found.append(reader.message())
        stream = reader.rest
    return found
