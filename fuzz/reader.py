"""An independent reading of what crossed the proxy: h11's, and on top of it what h11 forgives.

The proxy reads heads with llhttp and bodies with its own code; h11 shares nothing with either. Where it and
the proxy take the same bytes for different messages, somebody can hide a request in another one's body.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import h11

Field = tuple[bytes, bytes]

# h11 lets LF end a line, folds lines, and takes control bytes in values; the proxy must write none of it.
_HEAD = re.compile(
    rb"(?:[!-~]+ [!-~]+ HTTP/1\.1|HTTP/1\.1 [1-5][0-9][0-9](?: [\t -~\x80-\xff]*)?)\r\n"
    rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n)*\r\n"
)
_STEERS = re.compile("Transfer-Encoding|Content-Length")
_TOO_LONG = re.compile(rb"(?:[^\n]{0,65535}\n(?!\r\n))*?[^\n]{65536}")
"""A head with a line of more than 64 KiB."""
_BLANK = re.compile(rb"(?:\r\n)*")
_WHOLE_LIMIT = 1 << 24
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_PIECE = 4096
SWITCHED = 101


@dataclass(slots=True)
class Message:
    """One request, or one answer with the interim ones before it."""

    start: int
    """Where it begins in the stream; `end` is where it ends, None while it isn't whole."""
    method: bytes = b""
    target: bytes = b""
    status: int = 0
    minor: int = 1
    fields: list[Field] = field(default_factory=list)
    """Of the head: names in lower case, values without the blanks around them."""
    spelled: list[Field] = field(default_factory=list)
    """The same with the names as they are spelled."""
    interim: list[tuple[int, list[Field]]] = field(default_factory=list)
    body: bytes = b""
    end: int | None = None
    odd_trailers: bool = False
    """Whether h11 refuses its trailers for being what steers in a head, and so can't tell where it ends. The
    proxy drops all trailers."""

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of a field, in order."""
        return [value for one, value in self.fields if one == name]

    def options(self) -> set[bytes]:
        """Return what Connection names, in lower case."""
        lists = (value.split(b",") for value in self.values(b"connection"))
        return {option.strip(b" \t").lower() for options in lists for option in options} - {b""}

    @property
    def goes_on(self) -> bool:
        """Tell whether the sender keeps its connection open behind this (RFC 9112 section 9.3)."""
        options = self.options()
        return b"close" not in options and (self.minor == 1 or b"keep-alive" in options)


@dataclass(slots=True)
class Stream:
    """All messages that one side sent, in order; only the last can be open. A 101 is the last, and open."""

    messages: list[Message] = field(default_factory=list)
    trouble: str = ""
    """Why h11 reads no further; empty when it does."""
    rest: bytes = b""
    """What is no message, or not yet one; behind a 101, all that came through the tunnel."""


@lru_cache(64)  # of what was sent, much is looked at several times
def requests(data: bytes, *, strict: bool, most: int = sys.maxsize) -> Stream:
    """Read the requests that a client, or the proxy, sent.

    Args:
        data: everything that was sent.
        strict: whether to forgive nothing: for what the proxy wrote.
        most: how many to read; further bytes are the rest, as they are behind a change of protocol.
    """
    found = Stream()
    at = 0
    while at < len(data) and not found.trouble:
        if len(found.messages) >= most:
            found.rest = data[at:]
            break
        if not strict:
            at += len(_BLANK.match(data, at)[0])  # type: ignore[index]  # it matches nothing, too
        at = _read(found, h11.Connection(h11.SERVER, _WHOLE_LIMIT), data, at, ended=False, strict=strict)
    return found


@lru_cache(64)
def answers(data: bytes, methods: tuple[bytes, ...], *, ended: bool, strict: bool) -> Stream:
    """Read the answers that an endpoint, or the proxy, sent to requests with these methods.

    Args:
        data: everything that was sent.
        methods: of the requests; when there are more answers, those are to a GET.
        ended: whether the sender has ended the connection, cleanly.
        strict: as above.
    """
    found = Stream()
    at = 0
    while at < len(data) and not found.trouble:
        number = len(found.messages)
        method = methods[number] if number < len(methods) else b"GET"
        connection = h11.Connection(h11.CLIENT, _WHOLE_LIMIT)
        asked = [("Host", "x"), ("Connection", "upgrade"), ("Upgrade", "x")]
        # The answer to CONNECT would be a tunnel; the proxy never opens one for it.
        connection.send(
            h11.Request(method=b"GET" if method == b"CONNECT" else method, target="/", headers=asked)
        )
        connection.send(h11.EndOfMessage())
        at = _read(found, connection, data, at, ended=ended, strict=strict)
    return found


def _read(found: Stream, reader: h11.Connection, data: bytes, at: int, *, ended: bool, strict: bool) -> int:
    """Read one message and add it to the stream; return where the next one begins."""
    message = Message(at)
    if not strict and _TOO_LONG.match(data, at):
        # h11 takes seconds to refuse such a line; the proxy has refused it long ago.
        found.trouble = "a head with a line that nobody reads"
        found.rest = data[at:]
        return len(data)
    try:
        # A piece at a time: thousands of small messages would copy all that is behind each of them.
        for start in range(at, len(data), _PIECE):
            _feed(message, reader, data[start : start + _PIECE], start)
            if message.end is not None:
                break
        if ended and message.end is None:
            _feed(message, reader, b"", len(data))
    except h11.RemoteProtocolError as error:
        found.trouble = str(error)
        in_body = bool(message.method or message.status)
        message.odd_trailers = in_body and _STEERS.search(found.trouble) is not None
    _add(found, message, data, strict=strict)
    return len(data) if message.end is None else message.end


def _add(found: Stream, message: Message, data: bytes, *, strict: bool) -> None:
    if message.status == SWITCHED:
        found.rest = data[head_ends(data, message) :]
    if message.method or message.status or message.interim:
        found.messages.append(message)
    elif message.end is None:
        found.rest = data[message.start :]
    if strict and not found.trouble:
        found.trouble = _forgiven(data, message)


def _feed(message: Message, reader: h11.Connection, piece: bytes, start: int) -> None:
    """Read on with a piece that stands at `start`."""
    reader.receive_data(piece)
    for event in _events(reader):
        _take(message, event)
        if isinstance(event, h11.EndOfMessage):
            message.end = start + len(piece) - len(reader.trailing_data[0])


def _events(reader: h11.Connection) -> Iterator[h11.Event]:
    while True:
        event = reader.next_event()
        if event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
            return
        assert not isinstance(event, type)
        yield event
        if isinstance(event, h11.EndOfMessage):
            return


def _take(message: Message, event: h11.Event) -> None:
    if isinstance(event, h11.InformationalResponse) and event.status_code != SWITCHED:
        message.interim.append((event.status_code, list(event.headers)))
    elif isinstance(event, h11.Data):
        message.body += event.data
    elif isinstance(event, h11.Request | h11.Response | h11.InformationalResponse):
        message.minor = int(event.http_version == b"1.1")
        message.fields = list(event.headers)
        message.spelled = event.headers.raw_items()
        if isinstance(event, h11.Request):
            message.method, message.target = event.method, event.target
        else:
            message.status = event.status_code


def _forgiven(data: bytes, message: Message) -> str:
    """Return what h11 forgives in the heads of a message: one head, or several interim ones before it."""
    at = message.start
    for _ in range(heads(message)):
        head = _HEAD.match(data, at)
        if head is None:
            return f"a head that is not strictly one: {data[at : at + 200]!r}"
        at = head.end()
    if not (message.method or message.status) and at < len(data):
        return f"half a head: {data[at : at + 200]!r}"
    return ""


def heads(message: Message) -> int:
    """How many heads a message has: one, or several interim ones before it."""
    return len(message.interim) + bool(message.method or message.status)


def head_ends(data: bytes, message: Message) -> int:
    """Where the last head of a message ends."""
    at = message.start
    for _ in range(heads(message)):
        blank = _BLANK_LINE.search(data, at)
        assert blank is not None, "a head that was read has an end"
        at = blank.end()
    return at
