"""A service: all that the data plane must know to carry its requests, as one numbered value."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self, TypeVar, cast

from proxy import defaults
from proxy.routing.address import Address, Located, all_addresses, host_name
from proxy.routing.endpoint import Endpoint
from proxy.routing.failures import Ejection, Failures, Rescue
from proxy.routing.match import RouteMatch
from proxy.routing.segment import NO_SEGMENTS, Segment, SegmentIndex
from proxy.routing.split import STABLE, Split
from proxy.routing.sticky import Sticky

Part = TypeVar("Part", bound=Hashable)


@lru_cache(1024)
def _equal(part: Hashable) -> Hashable:
    return part


def _shared(part: Part) -> Part:
    """Return the first value that was equal to this: services are much alike.

    With 1,000 of them a run of the garbage collector is three times as long when each has its own of all.
    """
    return cast(Part, _equal(part))


@dataclass(frozen=True, slots=True)
class Backend:
    """A named side of a service, and the endpoints that can answer for it."""

    name: str
    endpoints: tuple[Endpoint, ...]
    version: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "endpoints": [endpoint.to_json() for endpoint in self.endpoints],
            "version": self.version,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(value["name"], tuple(map(Endpoint.from_json, value["endpoints"])), value["version"])


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long an endpoint may take, in seconds."""

    connect: float = defaults.CONNECT_TIMEOUT
    response: float = defaults.RESPONSE_TIMEOUT
    """From the request's last byte to the response's head."""
    body: float = defaults.BODY_TIMEOUT
    """Without a byte, within a body, in either direction."""
    tunnel: float = defaults.TUNNEL_TIMEOUT
    """Without a byte, in either direction, after a change of protocol."""
    events: float = defaults.EVENTS_TIMEOUT
    """Without a byte, within an event stream (`text/event-stream`)."""

    def to_json(self) -> dict[str, float]:
        return {
            "connect": self.connect,
            "response": self.response,
            "body": self.body,
            "events": self.events,
            "tunnel": self.tunnel,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, float]) -> Self:
        return cls(value["connect"], value["response"], value["body"], value["tunnel"], value["events"])


@dataclass(frozen=True, slots=True)
class Service:
    """One service under one revision. Raises ValueError when it names a backend that it does not have."""

    name: str
    revision: int
    match: RouteMatch
    backends: tuple[Backend, ...]
    """`stable` first."""
    split: Split
    halted: frozenset[str] = frozenset()
    """Backends that get no requests, whatever else is set; never `stable`."""
    segments: tuple[Segment, ...] = ()
    sticky: Sticky = field(default_factory=Sticky.off)
    force: str = ""
    """The header, in lower case, by which a client chooses for itself; empty: none."""
    choice_header: str = ""
    """The response header with backend and reason; empty: none."""
    endpoint_header: str = ""
    """The request header with backend and reason, for the endpoint; empty: none."""
    timeouts: Timeouts = Timeouts()
    max_body: int | None = None
    """Bytes of a request's body, at most; None: any size."""
    upgrades: tuple[str, ...] = defaults.UPGRADES
    """The protocols that clients may change to, in lower case."""
    failures: Failures = field(default_factory=Failures)
    """Which answers, and ways of giving none, are held against a backend."""
    rescue: Rescue = field(default_factory=Rescue)
    drain: float | None = defaults.DRAIN
    """Seconds for which tunnels and answers of a halted backend may go on; None: to their end."""
    fallback: bool = False
    """Whether the canary answers for `stable` while that has no endpoint alive."""
    ejection: Ejection | None = None
    """When a worker leaves an endpoint alone that fails; None: never."""
    located: Located = field(default_factory=dict, hash=False)
    """The addresses of its endpoints' names, as far as they are known. No part of the numbered state."""
    dead: frozenset[tuple[str, str]] = frozenset()
    """Identity of the endpoint and IP of dead addresses, as far as known. No part of the numbered state."""

    names: frozenset[str] = field(init=False, repr=False, compare=False)
    """The hosts of its endpoints that have to be resolved."""
    in_service: Mapping[str, tuple[Address, ...]] = field(init=False, repr=False, compare=False)
    """Every backend's addresses but the dead ones; a halted one has none."""
    segment_index: SegmentIndex = field(init=False, repr=False, compare=False)
    force_field: bytes = field(init=False, repr=False, compare=False)
    pins: bool = field(init=False, repr=False, compare=False)
    """Whether a force header or segments can pin a request at all."""
    upgraded: frozenset[bytes] = field(init=False, repr=False, compare=False)
    """`upgrades`, as requests name them."""

    def __post_init__(self) -> None:
        self._check()
        object.__setattr__(self, "names", frozenset(map(host_name, self.endpoints)) - {""})
        in_service = {backend.name: self._in_service(backend) for backend in self.backends}
        object.__setattr__(self, "in_service", in_service)
        object.__setattr__(
            self, "segment_index", SegmentIndex(self.segments) if self.segments else NO_SEGMENTS
        )
        object.__setattr__(self, "force_field", self.force.lower().encode())
        object.__setattr__(self, "pins", bool(self.force or self.segments))
        object.__setattr__(self, "upgraded", frozenset(name.encode() for name in self.upgrades))

    def _in_service(self, backend: Backend) -> tuple[Address, ...]:
        if backend.name in self.halted:
            return ()
        return tuple(
            one
            for one in self.addresses(backend)
            if not self.dead or (one.endpoint.identity, one.ip) not in self.dead
        )

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints of all backends."""
        return tuple(endpoint for backend in self.backends for endpoint in backend.endpoints)

    def addresses(self, backend: Backend) -> tuple[Address, ...]:
        """Return all known addresses of a backend, dead or alive, halted or not."""
        return all_addresses(backend.endpoints, self.located)

    def _check(self) -> None:
        names = [backend.name for backend in self.backends]
        if names[:1] != [STABLE] or len(set(names)) < len(names) or STABLE in self.halted:
            raise ValueError(
                f"service `{self.name}`: {STABLE} comes first, each backend once, and {STABLE} never halts"
            )
        used = {name for name, _ in self.split.weights} | {segment.to for segment in self.segments}
        if unknown := used - set(names):
            raise ValueError(
                f"service `{self.name}` has no backend {', '.join(sorted(unknown))}, only {names}"
            )

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "revision": self.revision,
            "match": self.match.to_json(),
            "backends": [backend.to_json() for backend in self.backends],
            "split": self.split.to_json(),
            "halted": sorted(self.halted),
            "segments": [segment.to_json() for segment in self.segments],
            "sticky": self.sticky.to_json(),
            "force": self.force,
            "choice_header": self.choice_header,
            "endpoint_header": self.endpoint_header,
            "timeouts": self.timeouts.to_json(),
            "max_body": self.max_body,
            "upgrades": list(self.upgrades),
            "failures": self.failures.to_json(),
            "rescue": self.rescue.to_json(),
            "drain": self.drain,
            "fallback": self.fallback,
            "ejection": self.ejection and self.ejection.to_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return the service that `to_json` wrote.

        Raises:
            ValueError: `value` describes no service.
        """
        try:
            return cls(
                name=value["name"],
                revision=value["revision"],
                match=RouteMatch.from_json(value["match"]),
                backends=tuple(map(Backend.from_json, value["backends"])),
                split=_shared(Split.from_json(value["split"])),
                halted=_shared(frozenset(value["halted"])),
                segments=tuple(map(Segment.from_json, value["segments"])),
                sticky=_shared(Sticky.from_json(value["sticky"])),
                force=value["force"],
                choice_header=value["choice_header"],
                endpoint_header=value["endpoint_header"],
                timeouts=_shared(Timeouts.from_json(value["timeouts"])),
                max_body=value["max_body"],
                upgrades=tuple(value["upgrades"]),
                failures=_shared(Failures.from_json(value["failures"])),
                rescue=_shared(Rescue.from_json(value["rescue"])),
                drain=value["drain"],
                fallback=value["fallback"],
                ejection=value["ejection"] and _shared(Ejection.from_json(value["ejection"])),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this describes no service: {error!r}") from error
