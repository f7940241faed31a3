"""Heads become bytes for the other side: serialised afresh, framing decided by us, never spliced."""

from http import HTTPStatus

from proxy.http1.framing import CHUNKED, UNTIL_CLOSE
from proxy.http1.head import RequestHead, ResponseHead

LAST_CHUNK = b"0\r\n\r\n"

_STATUS_LINES = {
    (status.value, status.phrase.encode()): b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode())
    for status in HTTPStatus
}


def request_head(head: RequestHead, host: bytes, length: int, ours: bytes, upgrade: bytes = b"") -> bytes:
    """Return the head that an endpoint gets.

    Args:
        head: the client's request.
        host: for Host; HTTP/1.0 needn't have one, and no server of HTTP/1.1 takes an empty one.
        length: its body's, in bytes, or CHUNKED.
        ours: further lines, each with its CRLF.
        upgrade: the protocols that the client may change to; empty: none.
    """
    framing = _framing(length) if length or b"content-length" in head.steering else b""
    if upgrade:
        framing += switching(upgrade)
    return b"".join(
        (
            head.method,
            b" ",
            head.target,
            b" HTTP/1.1\r\nHost: ",
            host,
            b"\r\n",
            head.onward,
            framing,
            ours,
            b"\r\n",
        )
    )


def switching(protocols: bytes) -> bytes:
    """Return the lines that offer or announce a change of protocol (RFC 9110 section 7.8)."""
    return b"Connection: upgrade\r\nUpgrade: %b\r\n" % protocols


def response_head(head: ResponseHead, length: int, ours: bytes) -> bytes:
    """Return the head that a client gets.

    Args:
        head: the endpoint's response.
        length: how the body is framed for this client, in bytes, CHUNKED or UNTIL_CLOSE.
        ours: further lines, each with its CRLF.
    """
    if head.plain and not ours and length == head.length:
        return head.plain
    framing = b""
    if length > 0 or length == CHUNKED:
        framing = _framing(length)
    elif length == 0 and b"content-length" in head.steering and head.status >= 200 and head.status != 204:
        # A HEAD or a 304 gives the length of the body that it doesn't carry (RFC 9110 section 8.6).
        framing = b"Content-Length: %b\r\n" % head.steering[b"content-length"]
    return b"".join((head.line, head.onward, framing, ours, b"\r\n"))


def interim_head(head: ResponseHead, ours: bytes = b"") -> bytes:
    """Return an interim (1xx) answer for a client, with further lines, each with its CRLF."""
    return b"".join((head.line, head.onward, ours, b"\r\n"))


def framed(pieces: list[bytes], last: bool, *, rechunk: bool) -> bytes:
    """Return pieces of a body for the other side: as they are, or as one chunk, the end behind the last.

    No pieces are no chunk: it would end the body.
    """
    if not rechunk:
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    end = LAST_CHUNK if last else b""
    size = sum(map(len, pieces))
    # In one join: each copy of a body costs an eighth of what passing it on does.
    return b"".join((b"%x\r\n" % size, *pieces, b"\r\n", end)) if size else end


def status_line(head: ResponseHead) -> bytes:
    """Return the status line that a client gets: we speak HTTP/1.1, whatever the endpoint does."""
    line = _STATUS_LINES.get((head.status, head.reason))
    return line or b"HTTP/1.1 %d %b\r\n" % (head.status, head.reason)


def _framing(length: int) -> bytes:
    if length == CHUNKED:
        return b"Transfer-Encoding: chunked\r\n"
    assert length != UNTIL_CLOSE, "a body that ends with its connection has no framing line"
    return b"Content-Length: %d\r\n" % length
