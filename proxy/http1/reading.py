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
from proxy.http1.head import Field, RequestHead, ResponseHead, value_of

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


class _Found:
    """Where llhttp puts what it finds.

    It checks the field lines as well, but isn't asked to hand them out one by one: a head that it accepts
    can be split at its CRLFs, at half the cost of a call for each field.
    """

    __slots__ = ("complete", "reason", "target")

    def __init__(self) -> None:
        self.target = b""
        self.reason = b""
        self.complete = False

    def on_url(self, target: bytes) -> None:
        self.target = target

    def on_status(self, reason: bytes) -> None:
        self.reason = reason

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
    found = _Found()
    parser = HttpRequestParser(found)
    try:
        parser.feed_data(block)
    except HttpParserUpgrade:
        pass  # the head is whole; what becomes of an upgrade isn't the reader's question
    except HttpParserInvalidMethodError:
        raise BadMessage(501, "unknown method") from None
    except HttpParserError as error:
        raise _refusal(found, block, error) from None
    minor = _minor(found, parser.get_http_version())
    fields, steering = _fields(block)
    method = parser.get_method()
    target = found.target
    if target[:1] != b"/" or b"#" in target:
        target = _origin_form(method, target, steering)
    return RequestHead(method, target, minor, fields, _host(steering.get(b"host"), minor), steering)


def read_response(block: bytes) -> ResponseHead:
    """Read one response head from the bytes up to and including its blank line.

    Raises:
        BadMessage: for what isn't an HTTP/1.0 or 1.1 response.
    """
    found = _Found()
    parser = HttpResponseParser(found)
    try:
        parser.feed_data(block)
    except HttpParserUpgrade:
        pass
    except HttpParserError as error:
        raise _refusal(found, block, error) from None
    minor = _minor(found, parser.get_http_version())
    status = parser.get_status_code()
    if not 100 <= status <= 599:
        raise BadMessage(400, "a status outside of 100 to 599")
    fields, steering = _fields(block)
    return ResponseHead(status, found.reason, minor, fields, steering)


def _fields(block: bytes) -> tuple[list[Field], dict[bytes, bytes]]:
    """Split a head that llhttp has accepted into its fields, and pick out those that steer."""
    lines = block[:-4].split(b"\r\n")
    if len(lines) > MAX_FIELDS + 1:
        raise BadMessage(431, f"more than {MAX_FIELDS} fields")
    del lines[0]
    fields = [(line.partition(b":")[0].lower(), line) for line in lines]
    steering: dict[bytes, bytes] = {}
    for field in fields:
        name = field[0]
        if name in STEERING:
            value = value_of(field)
            # Joined, a repeated Host or Content-Length can no longer pass for a single one.
            steering[name] = steering[name] + b"," + value if name in steering else value
    return fields, steering


def _refusal(found: _Found, block: bytes, error: HttpParserError) -> BadMessage:
    if found.complete:
        # The lines are sound; what llhttp refuses then is the length that they announce.
        _, steering = _fields(block)
        if b"content-length" not in steering and b"chunked" not in steering[b"transfer-encoding"].lower():
            return BadMessage(501, "a transfer coding other than chunked")
    return BadMessage(400, f"malformed head: {error}")


def _minor(found: _Found, version: str) -> int:
    if not found.complete:
        raise BadMessage(400, "malformed head: it ended early")
    if version == "1.1":
        return 1
    if version == "1.0":
        return 0
    raise BadMessage(400, "a version other than HTTP/1.0 and HTTP/1.1")


def _origin_form(method: bytes, target: bytes, steering: dict[bytes, bytes]) -> bytes:
    """Return a target in origin form; if it was absolute, its authority overrides Host (RFC 9112, 3.2.2)."""
    if b"#" in target:
        raise BadMessage(400, "a fragment in the request target")
    if target == b"*" and method == b"OPTIONS":
        return target
    absolute = _ABSOLUTE.match(target)
    if absolute is None:
        raise BadMessage(400, "a request target that is neither a path nor an absolute URL")
    steering[b"host"] = absolute[1]
    rest = target[absolute.end() :]
    return rest if rest.startswith(b"/") else b"/" + rest


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
