"""The heads of messages: a request's and a response's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

Field = tuple[bytes, bytes]
"""A field: its name in lower case, and its line as received, without CRLF."""

SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE"))
"""Methods that ask for nothing to be changed (RFC 9110 section 9.2.1)."""
IDEMPOTENT = SAFE | {b"PUT", b"DELETE"}
"""Methods of which a second request changes nothing that the first hasn't (RFC 9110 section 9.2.2)."""


def value_of(field: Field) -> bytes:
    """Return a field's value, without the blanks around it."""
    name, line = field
    return line[len(name) + 1 :].strip(b" 	")


@dataclass(slots=True)
class RequestHead:
    """The head of one request. Never edited once read; not frozen only because that triples its cost."""

    method: bytes
    target: bytes
    """The request target in origin form (or `*`), byte for byte as received."""
    minor: int
    """The x of HTTP/1.x."""
    fields: Sequence[Field]
    host: bytes = b""
    """The host that was asked for: lower case, without port; empty when HTTP/1.0 named none."""
    steering: Mapping[bytes, bytes] = field(default_factory=dict)
    """The fields that steer connection and framing, by lower-case name; repeated lines joined by a comma."""
    onward: bytes = b""
    """The field lines that are forwarded as they are, each with its CRLF."""
    persistent: bool = True
    """Whether the sender keeps its connection open behind this message."""
    bodied: bool = True
    """Whether the head announces a body: only then its length has to be worked out."""

    @property
    def path(self) -> bytes:
        """The raw path: the target up to its `?`."""
        return self.target.partition(b"?")[0]

    @property
    def query(self) -> bytes:
        """The raw query: what follows the target's `?`; empty when there is none."""
        return self.target.partition(b"?")[2]

    def values(self, lower: bytes) -> list[bytes]:
        """Return the values of all lines of the field with this lower-case name, in the order received."""
        return [value_of(one) for one in self.fields if one[0] == lower]

    def without(self, lower: bytes) -> "RequestHead":
        """Return the head without the field of this lower-case name; itself when it doesn't have it.

        Applications that read fields as CGI has them take `_` for `-` (RFC 3875 section 4.1.18).
        """
        read = lower.replace(b"_", b"-")
        dropped = {line for name, line in self.fields if name.replace(b"_", b"-") == read}
        if not dropped:
            return self
        kept = [line for line in self.onward.split(b"\r\n") if line not in dropped]
        return replace(self, onward=b"\r\n".join(kept))


@dataclass(slots=True)
class ResponseHead:
    """The head of one response. Never edited once read."""

    status: int
    reason: bytes
    minor: int
    fields: Sequence[Field]
    steering: Mapping[bytes, bytes] = field(default_factory=dict)
    """As in `RequestHead`."""
    onward: bytes = b""
    """As in `RequestHead`."""
    persistent: bool = True
    """As in `RequestHead`."""
    length: int = 0
    """Of the body in bytes, CHUNKED or UNTIL_CLOSE; an answer to HEAD has none all the same."""
    line: bytes = b""
    """The status line that is forwarded, with its CRLF."""
    plain: bytes = b""
    """The head that a client gets when nothing of ours is added, and the body framed as it came."""
