"""A backend that was taken out of service, and which requests that concerns."""

from dataclasses import dataclass
from typing import Self

from proxy.routing.endpoint import Endpoint
from proxy.routing.table import Choice, RoutingTable, Service


@dataclass(frozen=True, slots=True)
class HaltedBackend:
    """One backend of one service that was taken out."""

    service: str
    backend: str
    endpoints: frozenset[Endpoint]
    """Its own. A release before this one may have had others under that name, which are stable's by now."""

    @classmethod
    def of(cls, service: Service, backend: str) -> Self:
        """Return the backend of this name as the service has it now."""
        every = (each.endpoints for each in service.backends if each.name == backend)
        return cls(service.name, backend, frozenset(endpoint for each in every for endpoint in each))

    def was_chosen(self, choice: Choice) -> bool:
        """Return whether a request was sent there."""
        return (
            choice.backend == self.backend
            and choice.service.name == self.service
            and choice.address is not None
            and choice.address.endpoint in self.endpoints
        )


def is_halted(choice: Choice, table: RoutingTable) -> bool:
    """Return whether a backend that was chosen has been halted since, by this table."""
    service = table.services.get(choice.service.name)
    if service is None or choice.backend not in service.halted:
        return False
    return HaltedBackend.of(service, choice.backend).was_chosen(choice)
