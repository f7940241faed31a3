"""A backend that is out, as those who are still on it are told of it."""

from dataclasses import dataclass
from typing import Self

from proxy.routing.endpoint import Endpoint
from proxy.routing.table import Choice, Service


@dataclass(frozen=True, slots=True)
class Halted:
    """One backend of one service that has been taken out."""

    service: str
    backend: str
    endpoints: frozenset[Endpoint]
    """Its own. A release before this one may have had others under that name, which are stable's by now."""

    @classmethod
    def of(cls, service: Service, backend: str) -> Self:
        """The backend of this name as the service has it now."""
        every = (each.endpoints for each in service.backends if each.name == backend)
        return cls(service.name, backend, frozenset(endpoint for each in every for endpoint in each))

    def was_chosen(self, choice: Choice) -> bool:
        """Tell whether a request was sent there."""
        return (
            choice.backend == self.backend
            and choice.service.name == self.service
            and choice.endpoint in self.endpoints
        )
