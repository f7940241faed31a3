"""Which fields stop here, and which are ours to add (RFC 9110 section 7.6)."""

import re
from collections.abc import Iterable
from functools import lru_cache

from proxy.http1.errors import BadMessage
from proxy.http1.head import Field, RequestHead, ResponseHead

HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",  # trailers are dropped, so none may be announced
        b"transfer-encoding",
        b"upgrade",
    ),
)
"""Fields of one connection, never forwarded (RFC 9110 section 7.6.1)."""

FRAMING = frozenset((b"content-length", b"host"))
"""Fields that are written afresh."""

UNSTRIPPED = FRAMING | frozenset((b"expect", b"max-forwards"))
"""What a nomination in Connection can't strip: we act on these ourselves."""

OURS = frozenset(
    (
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"x-request-id",
    ),
)
"""What `proxy.http1.forwarded_fields` writes afresh, because any client can write them."""

REQUEST_DROPS = HOP_BY_HOP | FRAMING | OURS
EXPECTATION = frozenset((b"expect",))
"""Means nothing in HTTP/1.0 (RFC 9110 section 10.1.1), and the endpoint is asked in HTTP/1.1."""
RESPONSE_DROPS = HOP_BY_HOP | frozenset((b"content-length",))


TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""RFC 9110 section 5.6.2."""

LONGEST_LIST = 64
"""Bytes. Nearly every Connection field is one of a handful of short ones, so what they mean is remembered; of
the long ones a client could make us remember a gigabyte."""


def whole(value: bytes) -> int | None:
    """Return the number that these bytes are; None when they aren't one number."""
    # isdigit() on bytes knows ASCII digits only; 18 digits are an exabyte and still fit a machine word.
    return int(value) if value.isdigit() and len(value) <= 18 else None


def tokens(value: bytes) -> frozenset[bytes]:
    """Return the members of a comma-separated list, in lower case."""
    return _tokens(value) if len(value) <= LONGEST_LIST else _tokens.__wrapped__(value)


@lru_cache(256)
def _tokens(value: bytes) -> frozenset[bytes]:
    return frozenset(part.strip(b" \t").lower() for part in value.split(b",")) - {b""}


def persistent(head: RequestHead | ResponseHead) -> bool:
    """Return whether the sender keeps its connection open behind this message (RFC 9112 section 9.3)."""
    connection = head.steering.get(b"connection")
    if connection is None:
        return head.minor == 1
    options = tokens(connection)
    return b"close" not in options and (head.minor == 1 or b"keep-alive" in options)


def drops(always: frozenset[bytes], connection: bytes | None) -> frozenset[bytes]:
    """Return the names to leave out: those that always go and those that Connection nominates."""
    if connection is None:
        return always
    return always | (tokens(connection) - UNSTRIPPED)


def is_claim(name: bytes) -> bool:
    """Return whether a sender states in a field of this lower-case name where its request came from.

    Applications that read fields as CGI has them take `_` for `-` (RFC 3875 section 4.1.18). All such names
    but `forwarded` begin with an x.
    """
    name = name.replace(b"_", b"-")
    return name.startswith(b"x-forwarded-") or name in OURS


def onward(fields: Iterable[Field], dropped: frozenset[bytes]) -> bytes:
    """Return the lines to forward, each with its CRLF: order, multiplicity and spelling as received."""
    lines = [line for name, line in fields if name not in dropped]
    lines.append(b"")
    return b"\r\n".join(lines)


def expects(head: RequestHead) -> bool:
    """Return whether a client may await a 100 (Continue) before it sends the body (RFC 9110 section 10.1.1).

    Raises:
        BadMessage: 417 for another expectation.
    """
    value = head.steering.get(b"expect")
    if value is None or not head.minor:
        return False
    if value.lower() != b"100-continue":
        raise BadMessage(417, "expectation", "an expectation other than 100-continue")
    return True


def offered(head: RequestHead, allowed: frozenset[bytes]) -> bytes:
    """Return the protocols that a request may change to, of those it asks for; empty for none.

    RFC 9110 section 7.8: HTTP/1.0 can't ask, and Connection has to name the field.
    """
    asked = head.steering.get(b"upgrade")
    if asked is None or not head.minor or b"upgrade" not in tokens(head.steering.get(b"connection", b"")):
        return b""
    return b", ".join(one for part in asked.split(b",") if (one := part.strip(b" \t")).lower() in allowed)


def accepted(head: ResponseHead, offer: bytes) -> bytes:
    """Return the protocol that a 101 changes to, if it is one that was offered; empty otherwise."""
    named = head.steering.get(b"upgrade", b"")
    asks = b"upgrade" in tokens(head.steering.get(b"connection", b""))
    return named if asks and offer and named.lower() in tokens(offer) else b""
