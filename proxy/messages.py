"""What travels between a worker and control, over one unix socket for each worker.

A frame is four bytes of length, big endian, and that much JSON: an object whose `kind` names the message.
Down goes state and up go tallies, never deltas, so a frame that is lost or sent twice changes nothing: each
side may drop the connection at any moment and say everything again on the next one. That is why a frame that
can't be read is simply a ValueError, after which the connection is of no further use.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from proxy.routing.table import Service
from proxy.telemetry.tally import Counts, Key

LIMIT = 64 * 1024 * 1024
"""Bytes of JSON in one frame, at most; a longer length is a sign that the two sides have lost step."""

_PREFIX = 4


# From a worker to control ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message of a connection: who is here and what it holds.

    A control that died between a trip and its ledger entry learns of the trip from `halted`.
    """

    boot: str
    worker: int
    pid: int
    held: Mapping[str, int]
    """Revision of each service in the table that this worker uses."""
    halted: Mapping[str, tuple[str, ...]]
    """Halted backends of each service that has any."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        halted = {service: list(backends) for service, backends in self.halted.items()}
        return {
            "boot": self.boot,
            "worker": self.worker,
            "pid": self.pid,
            "held": dict(self.held),
            "halted": halted,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Hello":
        """The inverse of `to_json`."""
        return cls(
            boot=_text(data["boot"]),
            worker=_whole(data["worker"]),
            pid=_whole(data["pid"]),
            held={service: _whole(revision) for service, revision in data["held"].items()},
            halted={service: tuple(map(_text, names)) for service, names in data["halted"].items()},
        )


@dataclass(frozen=True, slots=True)
class Report:
    """Counts since the worker's boot, of those entries that changed. `number` rises by one per report."""

    boot: str
    number: int
    entries: Mapping[Key, Counts]
    held: int
    """Generation of the table that this worker uses."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        entries = [[*key, counts.to_json()] for key, counts in self.entries.items()]
        return {"boot": self.boot, "number": self.number, "held": self.held, "entries": entries}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Report":
        """The inverse of `to_json`."""
        entries = {_key(key): Counts.from_json(counts) for *key, counts in data["entries"]}
        return cls(_text(data["boot"]), _whole(data["number"]), entries, _whole(data["held"]))


@dataclass(frozen=True, slots=True)
class Ack:
    """New requests of this worker are routed by `generation` from now on."""

    generation: int

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"generation": self.generation}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Ack":
        """The inverse of `to_json`."""
        return cls(_whole(data["generation"]))


# From control to a worker ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Table:
    """The state of services under one generation.

    `complete`: these are all services there are, and `removed` is empty. Otherwise those not named stay
    as they are.
    """

    generation: int
    services: tuple[Service, ...]
    removed: tuple[str, ...]
    complete: bool

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "generation": self.generation,
            "services": [service.to_json() for service in self.services],
            "removed": list(self.removed),
            "complete": self.complete,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Table":
        """The inverse of `to_json`."""
        services = tuple(Service.from_json(service) for service in data["services"])
        removed = tuple(map(_text, data["removed"]))
        return cls(_whole(data["generation"]), services, removed, _flag(data["complete"]))


@dataclass(frozen=True, slots=True)
class Settings:
    """What a worker is told of the file beside the services."""

    header: float
    """Seconds in which a request head must have arrived."""
    idle: float
    """Seconds for which a connection without a request is kept."""
    access: str
    """Access log: off, json, combined or common."""
    line: int
    """Bytes of a first line, a chunk line or a trailer, at most."""
    head: int
    """Bytes of a head, and of all trailers, at most."""
    fields: int
    """Fields of a head, and trailers, at most."""
    connections: int | None
    """Connections of clients of one worker, at most; None: as many as it has file descriptors for."""
    pool_idle: float
    """Seconds for which an unused connection to an endpoint is kept."""
    max_idle: int
    """Unused connections that are kept per endpoint, at most."""
    trusted: tuple[str, ...]
    """Whose word on clients is taken: networks, and `unix` for every unix socket."""
    via: bool
    """Whether `Via` is added."""
    forwarded: bool
    """Whether `Forwarded` is added."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "trusted": list(self.trusted)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Settings":
        """The inverse of `to_json`."""
        connections = data["connections"]
        return cls(
            header=float(data["header"]),
            idle=float(data["idle"]),
            access=_text(data["access"]),
            line=_whole(data["line"]),
            head=_whole(data["head"]),
            fields=_whole(data["fields"]),
            connections=None if connections is None else _whole(connections),
            pool_idle=float(data["pool_idle"]),
            max_idle=_whole(data["max_idle"]),
            trusted=tuple(map(_text, data["trusted"])),
            via=_flag(data["via"]),
            forwarded=_flag(data["forwarded"]),
        )


@dataclass(frozen=True, slots=True)
class Counted:
    """Report `number` is durable: what it said of entries that are over may be forgotten."""

    number: int

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"number": self.number}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Counted":
        """The inverse of `to_json`."""
        return cls(_whole(data["number"]))


# Frames ---------------------------------------------------------------------------------------------------

Message = Hello | Report | Ack | Table | Settings | Counted

_READERS: Mapping[str, Callable[[dict[str, Any]], Message]] = {
    "hello": Hello.from_json,
    "report": Report.from_json,
    "ack": Ack.from_json,
    "table": Table.from_json,
    "settings": Settings.from_json,
    "counted": Counted.from_json,
}


def encode(message: Message) -> bytes:
    """One frame. ValueError when it would be longer than `LIMIT`, or holds a number that JSON can't write."""
    data = {"kind": type(message).__name__.lower(), **message.to_json()}
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).encode()
    if len(text) > LIMIT:
        raise ValueError(f"a {data['kind']} of {len(text)} bytes is over the limit of {LIMIT}")
    return len(text).to_bytes(_PREFIX, "big") + text


class Decoder:
    """Frames out of a stream that is cut anywhere. One for each connection, of no use after an error."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def __repr__(self) -> str:
        return f"<Decoder {len(self._buffer)} bytes waiting>"

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes, in order. ValueError on what `encode` never writes."""
        self._buffer += data
        messages = []
        while (frame := self._frame()) is not None:
            messages.append(_decode(frame))
        return messages

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
        return _READERS[data["kind"]](data)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"this is no message: {frame[:80]!r} ({error!r})") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _key(value: list[Any]) -> Key:
    service, revision, backend = value
    return _text(service), _whole(revision), _text(backend)
