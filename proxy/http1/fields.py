"""Which fields stop here, and which are ours to add (RFC 9110 section 7.6)."""

from collections.abc import Iterable
from functools import lru_cache

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
"""Fields that are written afresh, or that a nomination in Connection can't strip."""

FORWARDING = frozenset((b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded"))
"""What a client says of itself; replaced by what the socket says, because anybody can write them."""

REQUEST_DROPS = HOP_BY_HOP | FRAMING | FORWARDING
RESPONSE_DROPS = HOP_BY_HOP | frozenset((b"content-length",))


LONGEST_REMEMBERED = 64
"""Bytes. Nearly every Connection field is one of a handful of short ones, so what they mean is remembered; of
the long ones a client could make us remember a gigabyte."""


def tokens(value: bytes) -> frozenset[bytes]:
    """Return the members of a comma-separated list, in lower case."""
    return _tokens(value) if len(value) <= LONGEST_REMEMBERED else _tokens.__wrapped__(value)


@lru_cache(256)
def _tokens(value: bytes) -> frozenset[bytes]:
    return frozenset(part.strip(b" \t").lower() for part in value.split(b",")) - {b""}


def persistent(head: RequestHead | ResponseHead) -> bool:
    """Tell whether the sender keeps its connection open behind this message (RFC 9112 section 9.3)."""
    connection = head.steering.get(b"connection")
    if connection is None:
        return head.minor == 1
    options = tokens(connection)
    return b"close" not in options and (head.minor == 1 or b"keep-alive" in options)


def drops(always: frozenset[bytes], connection: bytes | None) -> frozenset[bytes]:
    """Return the names to leave out: those that always go and those that Connection nominates."""
    if connection is None:
        return always
    return always | (tokens(connection) - FRAMING)


def onward(fields: Iterable[Field], dropped: frozenset[bytes]) -> bytes:
    """Return the lines to forward, each with its CRLF: order, multiplicity and spelling as received."""
    lines = [line for name, line in fields if name not in dropped]
    lines.append(b"")
    return b"\r\n".join(lines)
