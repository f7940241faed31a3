"""What travels between a worker and control, over one unix socket for each worker.

State goes down and tallies come up, never deltas: a frame that is lost or sent twice changes nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from proxy.routing.table import Service
from proxy.telemetry import counts_json
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import QUANTILES, Key, Thresholds

PART = 20
"""Services that one message has at most: reading one costs a worker 0.15 ms."""

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
        entries = [[*key, counts_json.to_json(counts)] for key, counts in self.entries.items()]
        return {"boot": self.boot, "number": self.number, "held": self.held, "entries": entries}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Report":
        """The inverse of `to_json`."""
        entries = {_key(key): counts_json.from_json(counts) for *key, counts in data["entries"]}
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
    as they are. `more`: the next message has more of them, and nothing is in force before the last.
    """

    generation: int
    services: tuple[Service, ...]
    removed: tuple[str, ...]
    complete: bool
    more: bool = False

    def parts(self) -> Iterator["Table"]:
        """The same in messages of which each keeps a worker from its traffic for 3 ms, about."""
        for at in range(0, len(self.services) or 1, PART):
            more = at + PART < len(self.services)
            yield replace(self, services=self.services[at : at + PART], more=more)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "generation": self.generation,
            "services": [service.to_json() for service in self.services],
            "removed": list(self.removed),
            "complete": self.complete,
            "more": self.more,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Table":
        """The inverse of `to_json`."""
        services = tuple(Service.from_json(service) for service in data["services"])
        removed = tuple(map(_text, data["removed"]))
        complete, more = _flag(data["complete"]), _flag(data["more"])
        return cls(_whole(data["generation"]), services, removed, complete, more)


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
class ThresholdUpdate:
    """Which times to the response head are slow, for requests that are sent from now on.

    Each service that is named is meant whole: backends of it that aren't have none. Others stay as they are.
    """

    services: Mapping[str, Mapping[str, Thresholds]]
    """By service and backend: seconds, rising, for p50, p90 and p99 in this order, those that are known."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "services": {
                service: {backend: list(each) for backend, each in backends.items()}
                for service, backends in self.services.items()
            }
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "ThresholdUpdate":
        """The inverse of `to_json`."""
        return cls(
            {
                service: {_text(backend): _rising(each) for backend, each in backends.items()}
                for service, backends in data["services"].items()
            }
        )


@dataclass(frozen=True, slots=True)
class Health:
    """Which endpoints are dead, as probes say.

    Each service that is named is meant whole: its endpoints that aren't here may get requests. Others stay
    as they are.
    """

    services: Mapping[str, Mapping[str, tuple[str, ...]]]
    """URLs by service and backend."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "services": {
                service: {backend: list(urls) for backend, urls in backends.items()}
                for service, backends in self.services.items()
            }
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Health":
        """The inverse of `to_json`."""
        return cls(
            {
                service: {_text(backend): tuple(map(_text, urls)) for backend, urls in backends.items()}
                for service, backends in data["services"].items()
            }
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


Message = Hello | Report | Ack | Table | Settings | ThresholdUpdate | Health | Counted


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


def _rising(value: list[Any]) -> Thresholds:
    """Thresholds, one for each quantile at most; ValueError unless they are positive and rise."""
    thresholds = tuple(map(float, value))
    if len(thresholds) > len(QUANTILES) or list(thresholds) != sorted(thresholds):
        raise ValueError(f"{value!r} are no thresholds of {', '.join(QUANTILES)}")
    return thresholds
