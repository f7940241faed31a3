"""Heads are read here, one whole block at a time, by llhttp (through httptools, imported nowhere else).

The connections cut a head out of the stream at its blank line, so limits hold across TCP segments, and the
parser never sees a body: bodies are measured by :mod:`proxy.http1.framing`. Each head gets a parser of its
own (0.6 us), because a parser that is reused carries state over: it refuses bytes behind
``Connection: close``, and waits for the body that it was never shown.
"""

import re
from functools import lru_cache

from httptools import (
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserUpgrade,
    HttpRequestParser,
    HttpResponseParser,
)

from proxy.http1.errors import BadMessage
from proxy.http1.fields import REQUEST_DROPS, RESPONSE_DROPS, drops, onward
from proxy.http1.head import Field, RequestHead, ResponseHead, value_of

MAX_HEAD = 64 * 1024
"""The largest head that is read, in bytes, its blank line included."""
MAX_LINE = 16 * 1024
"""The longest request line, in bytes."""
MAX_FIELDS = 200

STEERING = frozenset(
    (b"connection", b"content-length", b"expect", b"host", b"transfer-encoding", b"upgrade"),
)
_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ ")
_MINOR = {b"HTTP/1.0": 0, b"HTTP/1.1": 1}
# llhttp skips halves of empty lines and additional blanks, lets LF end a line of HTTP/0.9, speaks RTSP, and
# takes control bytes for a reason: a first line has to be one in our reading too, or there would be two.
_REQUEST_LINE = re.compile(rb"([A-Z-]+) ([\x21-\x7e]+) (HTTP/1\.[01])")
_STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-5][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")
# A name or an IPv4 address, or an IPv6 address in brackets; then a port (RFC 9110 section 7.2).
_AUTHORITY = re.compile(rb"(?:([A-Za-z0-9._~%!$&'()*+;=-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?)?")
_ABSOLUTE = re.compile(rb"https?://([^/?:][^/?]*)", re.IGNORECASE)


Fields = tuple[Field, ...]
Steering = dict[bytes, bytes]

LONGEST_REMEMBERED = 2048
"""Bytes. What was read lately is remembered, up to a size at which nobody can fill the memory with it."""


class _Heard:
    """What llhttp is asked for: whether it has seen a whole head."""

    __slots__ = ("complete",)

    def __init__(self) -> None:
        self.complete = False

    def on_headers_complete(self) -> None:
        self.complete = True


def head_end(data: bytes) -> int:
    """Return where the head at the beginning of these bytes ends; 0 while its blank line hasn't come.

    Raises:
        BadMessage: 414 or 431 when it is too long, 400 when it can't become a head any more.
    """
    end = data.find(b"\r\n\r\n") + 4
    if len(data) > MAX_LINE and data.find(b"\r\n", 0, MAX_LINE) < 0:
        raise BadMessage(414, f"a first line of more than {MAX_LINE} bytes")
    if 4 <= end <= MAX_HEAD:
        return end
    if len(data) > MAX_HEAD:
        raise BadMessage(431, f"a head of more than {MAX_HEAD} bytes")
    # LF without CR never ends a line (RFC 9112 section 2.2 lets a recipient be lenient; a proxy must not be).
    if data.count(b"\n") != data.count(b"\r\n"):
        raise BadMessage(400, "a line that doesn't end with CRLF")
    return 0


def read_request(block: bytes) -> RequestHead:
    """Read one request head from the bytes up to and including its blank line.

    Raises:
        BadMessage: 400 for what isn't HTTP/1.0 or 1.1, 431 for too many fields, 501 for an unknown method
            or transfer coding.
    """
    line, _, rest = block.partition(b"\r\n")
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        _check(HttpRequestParser, block)
        raise BadMessage(400, "a request line that isn't HTTP/1.0 or HTTP/1.1")
    method, target, version = match.groups()
    read = _request_fields if len(rest) <= LONGEST_REMEMBERED else _request_fields.__wrapped__
    fields, steering, forwarded, host = read(method, version, rest)
    minor = _MINOR[version]
    if method == b"CONNECT":
        raise BadMessage(501, "no tunnels are opened here")
    if target[:1] != b"/" or b"#" in target:
        target, authority = _origin_form(method, target)
        if authority:
            host = _host(authority, minor)
            steering = {**steering, b"host": authority}
    return RequestHead(method, target, minor, fields, host, steering, forwarded)


@lru_cache(512)
def _request_fields(method: bytes, version: bytes, rest: bytes) -> tuple[Fields, Steering, bytes, bytes]:
    """Read what follows the target: fields, those that steer, the lines to forward, and the host.

    A client says the same fields with request after request, and only its targets differ.
    """
    _check(HttpRequestParser, method + b" / " + version + b"\r\n", rest)
    fields, steering = _fields(rest)
    host = _host(steering.get(b"host"), _MINOR[version])
    dropped = drops(REQUEST_DROPS, steering.get(b"connection"))
    return fields, steering, onward(fields, dropped), host


def read_response(block: bytes) -> ResponseHead:
    """Read one response head from the bytes up to and including its blank line.

    Raises:
        BadMessage: for what isn't an HTTP/1.0 or 1.1 response with a status of 100 to 599.
    """
    return _response(block) if len(block) <= LONGEST_REMEMBERED else _response.__wrapped__(block)


@lru_cache(512)  # what is asked for often is often answered alike, Date and all, for a second at least
def _response(block: bytes) -> ResponseHead:
    _check(HttpResponseParser, block)
    line, _, rest = block.partition(b"\r\n")
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise BadMessage(400, "a status line that isn't HTTP/1.0 or HTTP/1.1")
    version, status, reason = match.groups(b"")
    fields, steering = _fields(rest)
    dropped = drops(RESPONSE_DROPS, steering.get(b"connection"))
    return ResponseHead(int(status), reason, _MINOR[version], fields, steering, onward(fields, dropped))


def _check(kind: type[HttpRequestParser | HttpResponseParser], *head: bytes) -> None:
    """Let llhttp look at a whole head, in one part or two.

    It checks every line, but isn't asked to hand them out one by one: a head that it accepts can be split at
    its CRLFs, at half the cost of a call for each field.
    """
    heard = _Heard()
    try:
        parser = kind(heard)
        for part in head:
            parser.feed_data(part)
    except HttpParserUpgrade:
        pass  # the head is whole; what becomes of an upgrade isn't the reader's question
    except HttpParserError as error:
        raise _refusal(heard, b"".join(head), error) from None
    if not heard.complete:
        raise BadMessage(400, "malformed head: it ended early")


def _fields(rest: bytes) -> tuple[Fields, Steering]:
    """Split what follows the first line of a head that llhttp has accepted; pick out what steers."""
    lines = rest[:-4].split(b"\r\n") if len(rest) > 2 else []
    if len(lines) > MAX_FIELDS:
        raise BadMessage(431, f"more than {MAX_FIELDS} fields")
    fields = [(line.partition(b":")[0].lower(), line) for line in lines]
    steering: dict[bytes, bytes] = {}
    for field in fields:
        name = field[0]
        if name in STEERING:
            value = value_of(field)
            # Joined, a repeated Host or Content-Length can no longer pass for a single one.
            steering[name] = steering[name] + b"," + value if name in steering else value
    return tuple(fields), steering


def _refusal(heard: _Heard, block: bytes, error: HttpParserError) -> BadMessage:
    if isinstance(error, HttpParserInvalidMethodError) and _METHOD.match(block):
        return BadMessage(501, "unknown method")
    if heard.complete:
        # The lines are sound; what llhttp refuses then is the length that they announce.
        _, steering = _fields(block.partition(b"\r\n")[2])
        coding = steering.get(b"transfer-encoding", b"chunked").lower()
        if b"content-length" not in steering and b"chunked" not in coding:
            return BadMessage(501, "a transfer coding other than chunked")
    return BadMessage(400, f"malformed head: {error}")


def _origin_form(method: bytes, target: bytes) -> tuple[bytes, bytes]:
    """Return the target in origin form and, if it was absolute, the authority that overrides Host (3.2.2)."""
    if b"#" in target:
        raise BadMessage(400, "a fragment in the request target")
    if target == b"*" and method == b"OPTIONS":
        return target, b""
    absolute = _ABSOLUTE.match(target)
    if absolute is None:
        raise BadMessage(400, "a request target that is neither a path nor an absolute URL")
    rest = target[absolute.end() :]
    return rest if rest.startswith(b"/") else b"/" + rest, absolute[1]


def _host(value: bytes | None, minor: int) -> bytes:
    """Return the host in lower case and without its port; exactly one valid Host is due (3.2)."""
    if value is None:
        if minor:
            raise BadMessage(400, "no Host")
        return b""
    match = _AUTHORITY.fullmatch(value)
    if match is None:
        raise BadMessage(400, "Host isn't one valid host")
    return (match[1] or b"").lower()
