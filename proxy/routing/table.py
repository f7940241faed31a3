"""The routing table: one immutable, numbered picture of all services."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from proxy.http1.head import RequestHead
from proxy.routing.choice import Choice, choose
from proxy.routing.endpoint import Live
from proxy.routing.routes import Routes
from proxy.routing.service import Backend, Service, Timeouts

__all__ = ["Backend", "Choice", "RoutingTable", "Service", "Timeouts"]


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """All services under one generation. A change makes another table; what did not change is shared."""

    generation: int
    services: Mapping[str, Service]
    _routes: Routes = field(repr=False, compare=False)

    @classmethod
    def build(cls, generation: int, services: Iterable[Service]) -> Self:
        """A table of these services. Where two match the same requests, the first by name gets them."""
        named = {service.name: service for service in services}
        return cls(generation, MappingProxyType(named), Routes(named[name] for name in sorted(named)))

    def replace(self, generation: int, changed: Iterable[Service], removed: Iterable[str] = ()) -> Self:
        """The table after a change: ``changed`` are new services or new revisions, ``removed`` names."""
        services = {**self.services, **{service.name: service for service in changed}}
        for name in removed:
            services.pop(name, None)
        return self.build(generation, services.values())

    def __repr__(self) -> str:
        return f"<RoutingTable {self.generation}: {len(self.services)} services>"

    def route(self, head: RequestHead) -> Service | None:
        """The service that a request is for: by host, then by the longest path; None when there is none."""
        return self._routes.find(head)

    def choose(self, head: RequestHead, client: str, draw: int, live: Live) -> Choice | None:
        """Who answers this request, and why; None when it is for no service.

        ``client`` is the client's address, ``draw`` 128 random bits, ``live`` what is known of the endpoints.
        """
        service = self._routes.find(head)
        return None if service is None else choose(service, head, client, draw, live)
