"""Messages as frames of a stream, whose data may arrive in any pieces.

A frame is a length of four bytes, big endian, and that many bytes of JSON: an object whose `kind` names the
message. A frame that can't be read is a ValueError, after which the connection has to be closed;
`proxy.link.messages` has why nothing is lost by that.
"""

import json
from collections.abc import Mapping

from proxy.link.messages import (
    Ack,
    DeadAddresses,
    Hello,
    Message,
    Report,
    ReportStored,
    ResolvedNames,
    Settings,
    Table,
    ThresholdUpdate,
)

LIMIT = 64 * 1024 * 1024
"""Bytes of JSON in one frame, at most; a longer length means that the stream is out of step."""

_PREFIX = 4

KINDS: Mapping[str, type[Message]] = {
    "hello": Hello,
    "report": Report,
    "ack": Ack,
    "table": Table,
    "settings": Settings,
    "thresholds": ThresholdUpdate,
    "names": ResolvedNames,
    "dead": DeadAddresses,
    "counted": ReportStored,
}
"""The messages by their `kind`, which no new name of a class may change.

Control can be restarted alone, from newer files than those of its workers.
"""

_KIND_OF = {message: kind for kind, message in KINDS.items()}


def encode(message: Message) -> bytes:
    """Return a message as one frame; raise ValueError if it is longer than `LIMIT` or has a NaN."""
    data = {"kind": _KIND_OF[type(message)], **message.to_json()}
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).encode()
    if len(text) > LIMIT:
        raise ValueError(f"a {data['kind']} of {len(text)} bytes is over the limit of {LIMIT}")
    return len(text).to_bytes(_PREFIX, "big") + text


class Decoder:
    """The reader of one connection's frames. It can't be used after an error."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def __repr__(self) -> str:
        return f"<Decoder {len(self._buffer)} bytes waiting>"

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that `data` completes, in order; raise ValueError on any other data."""
        self.put(data)
        messages = []
        while (message := self.next()) is not None:
            messages.append(message)
        return messages

    def put(self, data: bytes) -> None:
        """Add data of the stream, for `next`."""
        self._buffer += data

    def next(self) -> Message | None:
        """Return the next message, None while it isn't complete; raise ValueError as `feed` does."""
        frame = self._frame()
        return None if frame is None else _decode(frame)

    def _frame(self) -> bytes | None:
        if len(self._buffer) < _PREFIX:
            return None
        length = int.from_bytes(self._buffer[:_PREFIX], "big")
        if length > LIMIT:
            raise ValueError(f"a frame of {length} bytes is over the limit of {LIMIT}")
        end = _PREFIX + length
        if len(self._buffer) < end:
            return None
        frame = bytes(self._buffer[_PREFIX:end])
        del self._buffer[:end]
        return frame


def _decode(frame: bytes) -> Message:
    try:
        data = json.loads(frame, parse_constant=_refuse)
        return KINDS[data["kind"]].from_json(data)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"this is no message: {frame[:80]!r} ({error!r})") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
