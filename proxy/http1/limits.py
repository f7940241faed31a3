"""How large a message's lines and heads may be, on either side."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one message. They hold over TCP segments, for requests, responses and trailers alike."""

    line: int = 16 * 1024
    """The longest first line, chunk line or trailer, in bytes."""
    head: int = 64 * 1024
    """The largest head, its blank line included, and the most trailers, in bytes: no less than `line`."""
    fields: int = 200
    """The most fields of a head, and the most trailers."""


DEFAULT = Limits()
