"""How large a message's lines and heads may be, on either side."""

from dataclasses import dataclass

from proxy import defaults


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one message. They hold over TCP segments, for requests, responses and trailers alike."""

    line: int = defaults.LINE_BYTES
    """The longest first line, chunk line or trailer, in bytes."""
    head: int = defaults.HEAD_BYTES
    """The largest head, its blank line included, and the most trailers, in bytes: no less than `line`."""
    fields: int = defaults.HEAD_FIELDS
    """The most fields of a head, and the most trailers."""


DEFAULT = Limits()
