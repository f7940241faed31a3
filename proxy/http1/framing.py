"""Where a body ends: the one reading of its length that RFC 9112 section 6 leaves, or none.

A body is measured, never parsed: its length is known when the head is, or its chunks give theirs one by one.
"""

import re

from proxy.http1.errors import BadMessage
from proxy.http1.fields import TOKEN, whole
from proxy.http1.head import RequestHead, ResponseHead
from proxy.http1.limits import DEFAULT, Limits

CHUNKED = -1
"""The length of a body that comes in chunks."""
UNTIL_CLOSE = -2
"""The length of a response body that ends with its connection."""

_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
_PLAIN_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_TRAILER_LINE = re.compile(TOKEN.pattern + rb":[\t\x20-\x7e\x80-\xff]*")


def request_length(head: RequestHead) -> int:
    """Return the length of a request's body in bytes, or `CHUNKED`.

    Raises:
        BadMessage: 400 when the length is ambiguous or malformed, 501 for an unknown transfer coding.
    """
    steering = head.steering
    coding = steering.get(b"transfer-encoding")
    length = steering.get(b"content-length")
    if coding is None:
        found = 0 if length is None else _number(length)
    else:
        found = _chunked(coding, length, head.minor)
    if found and head.method == b"TRACE":  # RFC 9110 section 9.3.8
        raise BadMessage(400, "length", "a body with TRACE")
    return found


def response_length(head: ResponseHead) -> int:
    """Return the length of a response's body in bytes, `CHUNKED` or `UNTIL_CLOSE`.

    An answer to HEAD has no body, whatever its head announces.

    Raises:
        BadMessage: when the length is ambiguous or malformed.
    """
    steering = head.steering
    coding = steering.get(b"transfer-encoding")
    length = steering.get(b"content-length")
    if coding is not None:
        found = _chunked(coding, length, head.minor)
    elif length is not None:
        found = _number(length)
    else:
        found = UNTIL_CLOSE
    # Checked after the fields: a bodiless answer with two lengths is still a broken answer.
    if head.status in (204, 304) or head.status < 200:
        return 0
    return found


def _chunked(coding: bytes, length: bytes | None, minor: int) -> int:
    if length is not None:
        raise BadMessage(400, "length", "both Content-Length and Transfer-Encoding")
    if not minor:
        raise BadMessage(400, "coding", "Transfer-Encoding in HTTP/1.0")
    if coding.lower() != b"chunked":
        # Coded and then chunked has one length; we know of no such coding all the same.
        status = 501 if coding and b"chunked" not in coding.lower() else 400
        raise BadMessage(status, "coding", "a transfer coding other than chunked")
    return CHUNKED


def _number(value: bytes) -> int:
    found = whole(value)
    if found is None:
        raise BadMessage(400, "length", "Content-Length isn't one number")
    return found


def measure(length: int, limits: Limits = DEFAULT) -> "Sized | Chunks | Endless":
    """Return what finds the end of a body of this length."""
    if length >= 0:
        return Sized(length)
    return Chunks(limits) if length == CHUNKED else Endless()


class Sized:
    """A body of so many bytes, fed in pieces of any size."""

    __slots__ = ("_left", "rest")

    def __init__(self, length: int) -> None:
        self._left = length
        self.rest = b""
        """The bytes behind the body, once `done`."""

    def __repr__(self) -> str:
        return f"<Sized {self._left} bytes left>"

    @property
    def done(self) -> bool:
        """Whether the body has been read to its end."""
        return not self._left

    def feed(self, data: bytes) -> list[bytes]:
        """Return the pieces of body in these bytes."""
        size = len(data)
        if size <= self._left:
            self._left -= size
            return [data]
        body, self.rest = data[: self._left], data[self._left :]
        self._left = 0
        return [body]


class Endless:
    """A body that ends with its connection: whatever comes is body."""

    __slots__ = ()
    done = False
    rest = b""

    def __repr__(self) -> str:
        return "<Endless>"

    def feed(self, data: bytes) -> list[bytes]:
        """Return the pieces of body in these bytes: all of them."""
        return [data]


class Chunks:
    """The chunks of one body (RFC 9112 section 7.1), fed in pieces of any size.

    Trailers are read, checked and dropped: section 7.1.2 lets a recipient discard them, and merging them into
    a head that is long gone isn't possible.
    """

    __slots__ = ("_left", "_limits", "_line", "_state", "_trailers", "_trailers_size", "rest")

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._limits = limits
        self._state = "size"
        self._line = b""
        self._left = 0
        self._trailers = 0
        self._trailers_size = 0
        self.rest = b""
        """The bytes behind the last chunk, once `done`."""

    def __repr__(self) -> str:
        return f"<Chunks {self._state}, {self._left} bytes left>"

    @property
    def done(self) -> bool:
        """Whether the body has been read to its end."""
        return self._state == "done"

    def feed(self, data: bytes) -> list[bytes]:
        """Return the pieces of body in these bytes.

        Raises:
            BadMessage: 400 when they aren't chunks, 431 when a line or the trailers are too long.
        """
        pieces: list[bytes] = []
        at = 0
        while at < len(data) and self._state != "done":
            if self._state == "data":
                end = min(len(data), at + self._left)
                pieces.append(data[at:end] if at or end < len(data) else data)
                self._left -= end - at
                at = end
                if not self._left:
                    self._state = "data-end"
            elif self._state == "size" and (whole := self._whole_chunk(data, at)):
                pieces.append(data[whole[0] : whole[1]])
                at = whole[1] + 2
            else:
                at = self._take_line(data, at)
        if self._state == "done":
            self.rest = data[at:]
        return pieces

    def _whole_chunk(self, data: bytes, at: int) -> tuple[int, int] | None:
        """Return where the content of the chunk here begins and ends, if all of it is there and plain.

        The short way for chunks of a byte or two: a flood of them would delay every other connection.
        """
        match = None if self._line else _PLAIN_CHUNK.match(data, at)
        if match is None:
            return None
        begin = match.end()
        end = begin + int(match[1], 16)
        return (begin, end) if end > begin and data.startswith(b"\r\n", end) else None

    def _take_line(self, data: bytes, at: int) -> int:
        """Take the rest of one line, or all that there is of it; return where the next byte stands."""
        end = data.find(b"\n", at)
        self._line += data[at : end + 1 or None]
        if len(self._line) > self._limits.line:
            raise BadMessage(431, "line", "a chunk line or trailer that is too long")
        if end < 0:
            return len(data)
        line, self._line = self._line, b""
        if not line.endswith(b"\r\n"):
            raise BadMessage(400, "malformed", "a line in the chunked body that doesn't end with CRLF")
        self._read_line(line[:-2])
        return end + 1

    def _read_line(self, line: bytes) -> None:
        if self._state == "size":
            match = _CHUNK_LINE.fullmatch(line)
            if match is None:
                raise BadMessage(400, "malformed", "a malformed chunk size")
            self._left = int(match[1], 16)
            self._state = "data" if self._left else "trailers"
        elif self._state == "data-end":
            if line:
                raise BadMessage(400, "malformed", "a chunk longer than its size")
            self._state = "size"
        else:
            self._read_trailer(line)

    def _read_trailer(self, line: bytes) -> None:
        if not line:
            self._state = "done"
            return
        self._trailers += 1
        self._trailers_size += len(line) + 2
        if self._trailers_size > self._limits.head:
            raise BadMessage(431, "head", "trailers that are too long")
        if self._trailers > self._limits.fields:
            raise BadMessage(431, "fields", "too many trailers")
        if _TRAILER_LINE.fullmatch(line) is None:
            raise BadMessage(400, "malformed", "a malformed trailer")
