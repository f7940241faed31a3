"""The routing table: one immutable, numbered picture of all services."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from proxy.http1.head import RequestHead
from proxy.routing.address import Live
from proxy.routing.choice import Choice, choose
from proxy.routing.routes import Routes
from proxy.routing.service import Backend, Service, Timeouts

__all__ = ["Backend", "Choice", "RoutingTable", "Service", "Timeouts"]


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """All services under one generation. A change makes another table; what did not change is shared."""

    generation: int
    services: MappingProxyType[str, Service]
    routes: Routes = field(repr=False, compare=False)

    @classmethod
    def build(cls, generation: int, services: Iterable[Service]) -> Self:
        """Return a table of these services; of two with the same match, the first by name gets requests."""
        named = {service.name: service for service in services}
        return cls(generation, MappingProxyType(named), Routes(named[name] for name in sorted(named)))

    def replace(self, generation: int, changed: Iterable[Service], removed: Iterable[str] = ()) -> Self:
        """Return the table after a change: `changed` are new services or new revisions, `removed` names.

        While no service's match changes, it takes over the index: 0.01 ms instead of 3 among 1,000 services.
        """
        before, changes = self.services, {service.name: service for service in changed}
        gone = set(removed)
        if not gone and all(
            name in before and before[name].match == each.match for name, each in changes.items()
        ):
            return type(self)(generation, MappingProxyType(before | changes), self.routes)
        services = {name: each for name, each in {**before, **changes}.items() if name not in gone}
        return self.build(generation, services.values())

    def __repr__(self) -> str:
        return f"<RoutingTable {self.generation}: {len(self.services)} services>"

    def route(self, head: RequestHead) -> Service | None:
        """Return the service that a request is for: by host, then by the longest path; None for none."""
        name = self.routes.find(head)
        return None if name is None else self.services[name]

    def choose(self, head: RequestHead, client: str, draw: int, live: Live) -> Choice | None:
        """Return who answers this request, and why; None when it is for no service.

        `client` is the client's address, `draw` 128 random bits, `live` what is known of the endpoints.
        """
        name = self.routes.find(head)
        return None if name is None else choose(self.services[name], head, client, draw, live)
