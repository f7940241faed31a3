"""Heads are read here, one whole block at a time, by llhttp (through httptools, imported nowhere else).

The connections cut a head out of the stream at its blank line, so limits hold across TCP segments, and the
parser never sees a body: bodies are measured by :mod:`proxy.http1.framing`. Each head gets a parser of its
own (0.6 us), because a parser that is reused carries state over: it refuses bytes behind
``Connection: close``, and waits for the body that it was never shown.
"""

import re

from httptools import (
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserUpgrade,
    HttpRequestParser,
    HttpResponseParser,
)

from proxy.http1.errors import BadMessage
from proxy.http1.head import Field, RequestHead, ResponseHead

MAX_HEAD = 64 * 1024
"""The largest head that is read, in bytes, its blank line included."""
MAX_LINE = 16 * 1024
"""The longest request line, in bytes."""
MAX_FIELDS = 200

STEERING = frozenset(
    (b"connection", b"content-length", b"expect", b"host", b"transfer-encoding", b"upgrade"),
)
# A name or an IPv4 address, or an IPv6 address in brackets; then a port (RFC 9110 section 7.2).
_AUTHORITY = re.compile(rb"([A-Za-z0-9._~%!$&'()*+;=-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_ABSOLUTE = re.compile(rb"https?://([^/?#]+)", re.IGNORECASE)
# LF without CR never ends a line (RFC 9112 section 2.2 lets a recipient be lenient; a proxy must not be).
_BARE_LF = re.compile(rb"(?<!\r)\n")


class _Lines:
    """Where llhttp puts what it finds."""

    __slots__ = ("complete", "fields", "reason", "steering", "target")

    def __init__(self) -> None:
        self.target = b""
        self.reason = b""
        self.fields: list[Field] = []
        self.steering: dict[bytes, bytes] = {}
        self.complete = False

    def on_url(self, target: bytes) -> None:
        self.target = target

    def on_status(self, reason: bytes) -> None:
        self.reason = reason

    def on_header(self, name: bytes, value: bytes) -> None:
        lower = name.lower()
        self.fields.append((lower, name, value))
        if lower in STEERING:
            value = value.strip(b" \t")
            before = self.steering.get(lower)
            # Joined, a repeated Host or Content-Length can no longer pass for a single one.
            self.steering[lower] = value if before is None else before + b"," + value

    def on_headers_complete(self) -> None:
        self.complete = True


def head_end(data: bytes) -> int:
    """Return where the head at the beginning of these bytes ends; 0 while its blank line hasn't come.

    Raises:
        BadMessage: 414 or 431 when it is too long, 400 when it can't become a head any more.
    """
    end = data.find(b"\r\n\r\n") + 4
    if 4 <= end <= MAX_HEAD:
        return end
    if len(data) > MAX_LINE and data.find(b"\r\n", 0, MAX_LINE) < 0:
        raise BadMessage(414, f"a first line of more than {MAX_LINE} bytes")
    if len(data) > MAX_HEAD:
        raise BadMessage(431, f"a head of more than {MAX_HEAD} bytes")
    if _BARE_LF.search(data):
        raise BadMessage(400, "a line that doesn't end with CRLF")
    return 0


def read_request(block: bytes) -> RequestHead:
    """Read one request head from the bytes up to and including its blank line.

    Raises:
        BadMessage: 400 for what isn't HTTP/1.0 or 1.1, 431 for too many fields, 501 for an unknown method
            or transfer coding.
    """
    lines = _Lines()
    parser = HttpRequestParser(lines)
    try:
        parser.feed_data(block)
    except HttpParserUpgrade:
        pass  # the head is whole; what becomes of an upgrade isn't the reader's question
    except HttpParserInvalidMethodError:
        raise BadMessage(501, "unknown method") from None
    except HttpParserError as error:
        raise _refusal(lines, error) from None
    minor = _minor(lines, parser.get_http_version())
    method = parser.get_method()
    steering = lines.steering
    target, authority = _origin_form(method, lines.target)
    if authority:
        steering[b"host"] = authority
    return RequestHead(method, target, minor, lines.fields, _host(steering.get(b"host"), minor), steering)


def read_response(block: bytes) -> ResponseHead:
    """Read one response head from the bytes up to and including its blank line.

    Raises:
        BadMessage: for what isn't an HTTP/1.0 or 1.1 response.
    """
    lines = _Lines()
    parser = HttpResponseParser(lines)
    try:
        parser.feed_data(block)
    except HttpParserUpgrade:
        pass
    except HttpParserError as error:
        raise _refusal(lines, error) from None
    minor = _minor(lines, parser.get_http_version())
    status = parser.get_status_code()
    if not 100 <= status <= 599:
        raise BadMessage(400, "a status outside of 100 to 599")
    return ResponseHead(status, lines.reason, minor, lines.fields, lines.steering)


def _refusal(lines: _Lines, error: HttpParserError) -> BadMessage:
    coding = lines.steering.get(b"transfer-encoding", b"chunked").lower()
    if coding != b"chunked" and b"content-length" not in lines.steering:
        return BadMessage(501, "a transfer coding other than chunked")
    return BadMessage(400, f"malformed head: {error}")


def _minor(lines: _Lines, version: str) -> int:
    if not lines.complete:
        raise BadMessage(400, "malformed head: it ended early")
    if len(lines.fields) > MAX_FIELDS:
        raise BadMessage(431, f"more than {MAX_FIELDS} fields")
    if version == "1.1":
        return 1
    if version == "1.0":
        return 0
    raise BadMessage(400, "a version other than HTTP/1.0 and HTTP/1.1")


def _origin_form(method: bytes, target: bytes) -> tuple[bytes, bytes]:
    """Return the target in origin form and, if it was absolute, the authority that overrides Host (3.2.2)."""
    if target.startswith(b"/"):
        if b"#" in target:
            raise BadMessage(400, "a fragment in the request target")
        return target, b""
    if target == b"*" and method == b"OPTIONS":
        return target, b""
    absolute = _ABSOLUTE.match(target)
    if absolute is None or b"#" in target:
        raise BadMessage(400, "a request target that is neither a path nor an absolute URL")
    rest = target[absolute.end() :]
    if not rest.startswith(b"/"):
        rest = b"/" + rest
    return rest, absolute[1]


def _host(value: bytes | None, minor: int) -> bytes:
    """Return the host in lower case and without its port; exactly one valid Host is due (3.2)."""
    if value is None:
        if minor:
            raise BadMessage(400, "no Host")
        return b""
    match = _AUTHORITY.fullmatch(value)
    if match is None:
        raise BadMessage(400, "Host isn't one valid host")
    return match[1].lower()
