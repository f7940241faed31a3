"""The messages between a worker and control, over one unix socket for each worker.

Control sends state and workers send counts since their boot, never differences. So a message that is lost or
sent twice changes nothing: each side may close the connection at any moment and send everything again on the
next one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from proxy.routing.table import Service
from proxy.telemetry import counts_json
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import QUANTILES, Key, Thresholds

PART = 20
"""Services in one message, at most: reading one service takes a worker 0.15 ms."""

# From a worker to control ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message of a connection: which worker it is, and its state.

    `halted` reports a trip to a new control whose predecessor died before it wrote the trip to the ledger.
    """

    boot: str
    """A random name for this start of the worker, for which its counts are totals."""
    worker: int
    """The number of the worker, from 0."""
    pid: int
    held: Mapping[str, int]
    """The revision of each service in the worker's table."""
    halted: Mapping[str, tuple[str, ...]]
    """The halted backends of each service that has any."""

    def to_json(self) -> dict[str, Any]:
        """Return the message as JSON values."""
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
        """Return the message in JSON values, the inverse of `to_json`."""
        return cls(
            boot=_text(data["boot"]),
            worker=_whole(data["worker"]),
            pid=_whole(data["pid"]),
            held={service: _whole(revision) for service, revision in data["held"].items()},
            halted={service: tuple(map(_text, names)) for service, names in data["halted"].items()},
        )


@dataclass(frozen=True, slots=True)
class Report:
    """Counts since the worker's boot, of the entries that have changed since the last report."""

    boot: str
    number: int
    """Rises by one with each report."""
    entries: Mapping[Key, Counts]
    held: int
    """The generation of the worker's table."""
    ejected: tuple[str, ...] = ()
    """The URLs of the endpoints that the worker has ejected now, all that there are."""

    def to_json(self) -> dict[str, Any]:
        """Return the message as JSON values."""
        entries = [[*key, counts_json.to_json(counts)] for key, counts in self.entries.items()]
        report = {"boot": self.boot, "number": self.number, "held": self.held, "entries": entries}
        return report | {"ejected": list(self.ejected)} if self.ejected else report

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Report":
        """Return the message in JSON values, the inverse of `to_json`."""
        entries = {_key(key): counts_json.from_json(counts) for *key, counts in data["entries"]}
        ejected = tuple(map(_text, data.get("ejected", ())))
        return cls(_text(data["boot"]), _whole(data["number"]), entries, _whole(data["held"]), ejected)


@dataclass(frozen=True, slots=True)
class Ack:
    """An acknowledgement: the worker routes new requests by `generation` from now on."""

    generation: int

    def to_json(self) -> dict[str, Any]:
        """Return the message as JSON values."""
        return {"generation": self.generation}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Ack":
        """Return the message in JSON values, the inverse of `to_json`."""
        return cls(_whole(data["generation"]))


# From control to a worker ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Table:
    """The state of services under one generation, whole or in parts."""

    generation: int
    services: tuple[Service, ...]
    removed: tuple[str, ...]
    """The names of services to remove."""
    complete: bool
    """Whether `services` are all services; otherwise services that are not named stay as they are."""
    more: bool = False
    """Whether the next message has more of the table, which is in force with its last message."""

    def parts(self) -> Iterator["Table"]:
        """Yield the table in messages, each of which keeps a worker from its traffic for about 3 ms."""
        for at in range(0, len(self.services) or 1, PART):
            more = at + PART < len(self.services)
            yield replace(self, services=self.services[at : at + PART], more=more)

    def to_json(self) -> dict[str, Any]:
        """Return the message as JSON values."""
        return {
            "generation": self.generation,
            "services": [service.to_json() for service in self.services],
            "removed": list(self.removed),
            "complete": self.complete,
            "more": self.more,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Table":
        """Return the message in JSON values, the inverse of `to_json`."""
        services = tuple(Service.from_json(service) for service in data["services"])
        removed = tuple(map(_text, data["removed"]))
        complete, more = _flag(data["complete"]), _flag(data["more"])
        return cls(_whole(data["generation"]), services, removed, complete, more)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a worker needs of the config file beside the services."""

    header: float
    """Seconds in which a request head must have arrived."""
    idle: float
    """Seconds for which a client connection without a request is kept."""
    access: str
    """The format of the access log: off, json, combined or common."""
    line: int
    """Bytes of a first line, a chunk line or a trailer, at most."""
    head: int
    """Bytes of a head, and of all trailers, at most."""
    fields: int
    """Fields of a head, and trailers, at most."""
    connections: int | None
    """Client connections of one worker, at most; None: as many as its file descriptors allow."""
    pool_idle: float
    """Seconds for which an unused connection to an endpoint is kept."""
    max_idle: int
    """Unused connections that are kept per address of an endpoint, at most."""
    pool_age: float
    """Seconds for which a connection to an endpoint gets requests after it was made, about."""
    trusted: tuple[str, ...]
    """Networks of proxies whose `X-Forwarded-*` is trusted; `unix` stands for every unix socket."""
    via: bool
    """Whether `Via` is added."""
    forwarded: bool
    """Whether `Forwarded` is added."""

    def to_json(self) -> dict[str, Any]:
        """Return the message as JSON values."""
        return {**asdict(self), "trusted": list(self.trusted)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Settings":
        """Return the message in JSON values, the inverse of `to_json`."""
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
            pool_age=float(data["pool_age"]),
            trusted=tuple(map(_text, data["trusted"])),
            via=_flag(data["via"]),
            forwarded=_flag(data["forwarded"]),
        )


@dataclass(frozen=True, slots=True)
class ThresholdUpdate:
    """The times to the response head above which requests are slow, for requests sent from now on.

    A service that is named is replaced whole: its backends that aren't named have none. Other services stay
    as they are.
    """

    services: Mapping[str, Mapping[str, Thresholds]]
    """By service and backend: seconds for p50, p90 and p99 in this order, rising, as far as they are
    known."""

    def to_json(self) -> dict[str, Any]:
        """Return the message as JSON values."""
        return {
            "services": {
                service: {backend: list(each) for backend, each in backends.items()}
                for service, backends in self.services.items()
            }
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "ThresholdUpdate":
        """Return the message in JSON values, the inverse of `to_json`."""
        return cls(
            {
                service: {_text(backend): _rising(each) for backend, each in backends.items()}
                for service, backends in data["services"].items()
            }
        )


@dataclass(frozen=True, slots=True)
class ResolvedNames:
    """The addresses of names in the URLs of endpoints. Names that aren't named stay as they are."""

    names: Mapping[str, tuple[str, ...]]
    """IPv4 and IPv6 addresses by name; () for a name that no service has any more."""

    def to_json(self) -> dict[str, Any]:
        """Return the message as JSON values."""
        return {"names": {name: list(found) for name, found in self.names.items()}}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "ResolvedNames":
        """Return the message in JSON values, the inverse of `to_json`."""
        return cls({name: tuple(map(_text, found)) for name, found in data["names"].items()})


@dataclass(frozen=True, slots=True)
class DeadAddresses:
    """The addresses of endpoints that are dead by their probes.

    A service that is named is replaced whole: its addresses that aren't named may get requests. Other
    services stay as they are.
    """

    services: Mapping[str, frozenset[tuple[str, str]]]
    """Endpoint (by its identity) and IP address by service."""

    def to_json(self) -> dict[str, Any]:
        """Return the message as JSON values."""
        return {"services": {service: sorted(map(list, dead)) for service, dead in self.services.items()}}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "DeadAddresses":
        """Return the message in JSON values, the inverse of `to_json`."""
        return cls(
            {
                service: frozenset((_text(url), _text(ip)) for url, ip in dead)
                for service, dead in data["services"].items()
            }
        )


@dataclass(frozen=True, slots=True)
class ReportStored:
    """The news that a report is durable, so that the worker may drop its entries that have ended."""

    number: int
    """The number of the report."""

    def to_json(self) -> dict[str, Any]:
        """Return the message as JSON values."""
        return {"number": self.number}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "ReportStored":
        """Return the message in JSON values, the inverse of `to_json`."""
        return cls(_whole(data["number"]))


Message = (
    Hello | Report | Ack | Table | Settings | ThresholdUpdate | ResolvedNames | DeadAddresses | ReportStored
)


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
    """Return thresholds, one for each quantile at most; raise ValueError unless they rise."""
    thresholds = tuple(map(float, value))
    if len(thresholds) > len(QUANTILES) or list(thresholds) != sorted(thresholds):
        raise ValueError(f"{value!r} are no thresholds of {', '.join(QUANTILES)}")
    return thresholds
