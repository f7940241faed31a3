"""Heads are read here, one whole block at a time, by llhttp (through httptools, imported nowhere else).

The connections cut a head out of the stream at its blank line, so limits hold across TCP segments, and the
parser never sees a body: bodies are measured by `proxy.http1.framing`. Each head gets a parser of its
own (0.6 us), because a parser that is reused carries state over: it refuses bytes behind
`Connection: close`, and waits for the body that it was never shown.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address

from httptools import (
    HttpParserError,
    HttpParserUpgrade,
    HttpRequestParser,
    HttpResponseParser,
)

from proxy.http1.errors import BadMessage, Reason
from proxy.http1.fields import (
    EXPECTATION,
    REQUEST_DROPS,
    RESPONSE_DROPS,
    TOKEN,
    drops,
    is_claim,
    onward,
    persistent,
)
from proxy.http1.framing import response_length
from proxy.http1.head import Field, RequestHead, ResponseHead, value_of
from proxy.http1.limits import DEFAULT, Limits
from proxy.http1.serializer import response_head, status_line

STEERING = frozenset(
    (
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"max-forwards",
        b"transfer-encoding",
        b"upgrade",
    ),
)
PROXY_2 = b"\0\r\nQUIT\n"
"""How a header of the PROXY protocol, version 2, goes on behind its empty lines."""
_MINOR = {b"HTTP/1.0": 0, b"HTTP/1.1": 1}
# First lines are ours to read: llhttp knows a list of methods and no others, skips halves of empty lines and
# additional blanks, lets LF end a line of HTTP/0.9, speaks RTSP, and takes control bytes for a reason.
_REQUEST_LINE = re.compile(rb"(" + TOKEN.pattern + rb") ([\x21-\x7e]+) (HTTP/[0-9]\.[0-9])")
_STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")
# A name or an IPv4 address, or an IPv6 address in brackets; then a port (RFC 9110 section 7.2).
_AUTHORITY = re.compile(
    rb"((?:[A-Za-z0-9._~!$&'()*+;=-]|%[0-9A-Fa-f]{2})+|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{0,5}))?"
)
_ABSOLUTE = re.compile(rb"https?://([^/?:][^/?]*)", re.IGNORECASE)


Fields = tuple[Field, ...]
SteeringFields = dict[bytes, bytes]

RequestFields = tuple[Fields, SteeringFields, bytes, bytes]
FieldsOf = Callable[[bytes, int], RequestFields]

LONGEST_HOST = 64
"""Bytes. A proxy is asked for few hosts, so what they mean is remembered; long ones could fill the memory."""


class _Heard:
    """What llhttp is asked for: whether it has seen a whole head."""

    __slots__ = ("complete",)

    def __init__(self) -> None:
        self.complete = False

    def on_headers_complete(self) -> None:
        self.complete = True


def head_end(data: bytes, limits: Limits) -> int:
    """Return where the head at the beginning of these bytes ends; 0 while its blank line hasn't come.

    Raises:
        BadMessage: 414 or 431 when it is too long, 400 when it can't become a head any more.
    """
    end = data.find(b"\r\n\r\n") + 4
    if 4 <= end <= limits.line:
        return end  # no longer than one line may be: nothing can be too long
    if len(data) > limits.line and data.find(b"\r\n", 0, limits.line) < 0:
        raise BadMessage(414, "line", f"a first line of more than {limits.line} bytes")
    if 4 <= end <= limits.head:
        return end
    if len(data) > limits.head:
        raise BadMessage(431, "head", f"a head of more than {limits.head} bytes")
    if data.startswith(PROXY_2):
        raise _no_request_line(data)
    # LF without CR never ends a line (RFC 9112 section 2.2 lets a recipient be lenient; a proxy must not be).
    if data.count(b"\n") != data.count(b"\r\n"):
        raise BadMessage(400, "malformed", "a line that doesn't end with CRLF")
    if TOKEN.match(data) is None and data not in (b"", b"\r"):
        # TLS spoken to a plain port, for one: it may never send the end of a line.
        raise BadMessage(400, "malformed", "bytes that aren't HTTP")
    return 0


def cut_request(data: bytes, limits: Limits) -> tuple[bytes, bytes]:
    """Cut the head off the beginning of these bytes; it is empty while its blank line hasn't come.

    Raises:
        BadMessage: as `head_end`.
    """
    at = 0
    while data.startswith(b"\r\n", at):
        # Some clients send an empty line behind a body (RFC 9112 section 2.2); cut off together, because
        # a copy for each makes a flood of them stop the worker.
        at += 2
    data = data[at:]
    end = head_end(data, limits)
    return data[:end], data[end:]


def read_request(block: bytes, limits: Limits = DEFAULT, fields_of: FieldsOf | None = None) -> RequestHead:
    """Read one request head from the bytes up to and including its blank line.

    `fields_of` may know already what `request_fields` reads.

    Raises:
        BadMessage: 400 for what isn't HTTP, 431 for too many fields, 501 for CONNECT and unknown transfer
            codings, 505 for another version than HTTP/1.0 and 1.1.
    """
    line, _, rest = block.partition(b"\r\n")
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise _no_request_line(block)
    method, target, version = match.groups()
    minor = _MINOR.get(version)
    if minor is None:
        raise BadMessage(505, "version", "a version other than HTTP/1.0 and HTTP/1.1")
    if method == b"CONNECT":
        raise BadMessage(501, "method", "no tunnels are opened here")
    _check_count(rest.count(b"\n") - 1, limits)
    fields, steering, forwarded, host = (fields_of or request_fields)(rest, minor)
    if target[:1] != b"/" or target.find(b"#") >= 0:  # `in` takes ten times as long
        target, authority = _origin_form(method, target)
        if authority:
            host = _host(authority, minor)
            steering = {**steering, b"host": authority}
    head = RequestHead(method, target, minor, fields, host, steering, forwarded)
    head.persistent = persistent(head)
    head.bodied = b"content-length" in steering or b"transfer-encoding" in steering
    return head


def _no_request_line(block: bytes) -> BadMessage:
    """Return what is wrong with a first line, so that the most frequent mistakes are recognised."""
    if block.startswith((b"PROXY ", PROXY_2)):
        return BadMessage(400, "proxy-protocol", "a header of the PROXY protocol, which is not expected here")
    if not block.partition(b"\r\n")[0].isascii():
        return BadMessage(400, "target", "a byte above 127 in the request line: it has to be percent-encoded")
    return BadMessage(400, "malformed", "a request line that isn't HTTP/1.0 or HTTP/1.1")


def request_fields(rest: bytes, minor: int) -> RequestFields:
    """Read what follows a request's first line: fields, those that steer, the lines to forward, and the host.

    Raises:
        BadMessage: 400 when it is malformed, 501 for an unknown transfer coding.
    """
    _check(HttpRequestParser, b"POST / HTTP/1.%d\r\n" % minor, rest)
    fields, steering = _fields(rest)
    host = _host(steering.get(b"host"), minor)
    always = REQUEST_DROPS if minor else REQUEST_DROPS | EXPECTATION
    for name, _ in fields:
        if name > b"x" and name not in always and is_claim(name):
            always |= {name}
    return fields, steering, onward(fields, drops(always, steering.get(b"connection"))), host


def read_response(block: bytes, limits: Limits = DEFAULT) -> ResponseHead:
    """Read one response head from the bytes up to and including its blank line.

    Raises:
        BadMessage: for what isn't HTTP/1.0 or 1.1 with a status of 100 to 999 (RFC 9110 section 15), has too
            many fields, or a body without one length.
    """
    _check_count(block.count(b"\n") - 2, limits)
    _check(HttpResponseParser, block)
    line, _, rest = block.partition(b"\r\n")
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise BadMessage(400, "malformed", "a status line that isn't HTTP/1.0 or HTTP/1.1")
    version, status, reason = match.groups(b"")
    fields, steering = _fields(rest)
    dropped = drops(RESPONSE_DROPS, steering.get(b"connection"))
    head = ResponseHead(int(status), reason, _MINOR[version], fields, steering, onward(fields, dropped))
    head.persistent, head.length = persistent(head), response_length(head)
    head.line = status_line(head)
    head.plain = response_head(head, head.length, b"")
    return head


def _check_count(fields: int, limits: Limits) -> None:
    # Counted before they are read: 64 KiB of them take 10 ms to read.
    if fields > limits.fields:
        raise BadMessage(431, "fields", f"more than {limits.fields} fields")


def _check(kind: type[HttpRequestParser | HttpResponseParser], *head: bytes) -> None:
    """Let llhttp look at a whole head, in one part or two.

    It checks every line, but isn't asked to hand them out one by one: a head that it accepts can be split at
    its CRLFs, at half the cost of a call for each field.
    """
    heard = _Heard()
    try:
        parser = kind(heard)
        for part in head:
            # A tab is as good a blank as a space (RFC 9110 section 5.6.3), but not to llhttp in every place.
            parser.feed_data(part.replace(b"\t", b" "))
    except HttpParserUpgrade:
        pass  # the head is whole; what becomes of an upgrade isn't the reader's question
    except HttpParserError as error:
        raise _refusal(heard, b"".join(head), error) from None
    if not heard.complete:
        raise BadMessage(400, "malformed", "malformed head: it ended early")


def _fields(rest: bytes) -> tuple[Fields, SteeringFields]:
    """Split what follows the first line of a head that llhttp has accepted; pick out what steers."""
    lines = rest[:-4].split(b"\r\n") if len(rest) > 2 else []
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
    if heard.complete:
        # The lines are sound; what llhttp refuses then is the length that they announce.
        _, steering = _fields(block.partition(b"\r\n")[2])
        coding = steering.get(b"transfer-encoding", b"chunked").lower()
        if b"content-length" not in steering and b"chunked" not in coding:
            return BadMessage(501, "coding", "a transfer coding other than chunked")
    text = str(error)
    reason: Reason = "length" if "Content-Length" in text or "Transfer-Encoding" in text else "malformed"
    return BadMessage(400, reason, f"malformed head: {text}")


def _origin_form(method: bytes, target: bytes) -> tuple[bytes, bytes]:
    """Return the target in origin form and, if it was absolute, the authority that overrides Host (3.2.2)."""
    if b"#" in target:
        raise BadMessage(400, "target", "a fragment in the request target")
    if target == b"*" and method == b"OPTIONS":
        return target, b""
    absolute = _ABSOLUTE.match(target)
    if absolute is None:
        raise BadMessage(400, "target", "a request target that is neither a path nor an absolute URL")
    rest = target[absolute.end() :]
    if not rest and method == b"OPTIONS":
        return b"*", absolute[1]  # asked of the server as a whole (RFC 9112 section 3.2.4)
    return rest if rest.startswith(b"/") else b"/" + rest, absolute[1]


def _host(value: bytes | None, minor: int) -> bytes:
    """Return the host in lower case and without its port; exactly one valid Host is due (3.2)."""
    if value is None:
        if minor:
            raise BadMessage(400, "host", "no Host")
        return b""
    return _authority(value) if len(value) <= LONGEST_HOST else _authority.__wrapped__(value)


@lru_cache(256)
def _authority(value: bytes) -> bytes:
    match = _AUTHORITY.fullmatch(value)
    if match is None or not _is_ipv6(match[2]) or int(match[3] or 0) > 65_535:
        raise BadMessage(400, "host", "Host isn't one valid host")
    # A dot at the end says that the name is whole, and names the same host (RFC 1034 section 3.1).
    return match[1].lower().removesuffix(b".")


def _is_ipv6(address: bytes | None) -> bool:
    if address is None:
        return True  # there is none to be wrong
    try:
        IPv6Address(address.decode())
    except ValueError:
        return False
    return True
