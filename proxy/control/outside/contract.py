"""What control needs of the network outside: names, endpoints, hooks, receivers of notices."""

from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol

from proxy.config import schema
from proxy.control.broadcast import Broadcast
from proxy.control.gates import Respondents
from proxy.control.managed_service import ManagedService
from proxy.ledger.record import Record
from proxy.routing.endpoint import Endpoint
from proxy.telemetry.control_metrics import Operations


class Outside(Protocol):
    """The network outside. None of its methods waits but `locate`."""

    @property
    def respondents(self) -> Respondents:
        """How to ask those who have to agree before a rollout goes on."""
        ...

    def run(self, broadcast: Broadcast) -> Coroutine[Any, Any, None]:
        """Return the work that lasts as long as control, and sends the workers what it finds of endpoints."""

    async def locate(self, endpoints: Iterable[Endpoint], servers: Sequence[str] | None = None) -> None:
        """Wait until the names of endpoints are resolved, or aren't after a moment.

        `servers`: ask these from now on, and ask them anew; None: what is known will do.
        """

    def limit(self, limits: schema.Limits) -> None:
        """Read what endpoints answer to probes under these limits from now on."""

    def operations(self) -> Operations:
        """Return the counts for /metrics."""

    def conditions(self, name: str) -> Mapping[str, str]:
        """Return the conditions of a service's endpoints, in words by identity, as far as they are known."""

    def addresses(self, name: str) -> Mapping[str, Sequence[str]]:
        """Return the addresses of a service's endpoints whose hosts are names, by URL."""

    def watch(self, managed: ManagedService) -> None:
        """Resolve and probe the endpoints that a service has now."""

    def forget(self, name: str) -> None:
        """Resolve and probe the endpoints of a service no longer."""

    def notify(self, managed: ManagedService, record: Record, rollback_ms: float | None) -> None:
        """Notify hooks and receivers of an entry. It may not be durable, for a trip waits for no disk.

        `rollback_ms`: milliseconds until every worker had taken the canary out; None: one has not.
        """


class Alone:
    """No network: every gate agrees, no endpoint is probed, no receiver is notified."""

    def __init__(self) -> None:
        self.respondents = Respondents(self._ask_canary, self._ask_hook)

    def __repr__(self) -> str:
        return "<Alone>"

    async def _ask_canary(self, _managed: ManagedService) -> str:
        return ""

    async def _ask_hook(self, _hook: schema.Hook, _question: dict[str, Any]) -> str:
        return ""

    async def run(self, broadcast: Broadcast) -> None:
        """Do nothing."""

    async def locate(self, endpoints: Iterable[Endpoint], servers: Sequence[str] | None = None) -> None:
        """Do nothing."""

    def limit(self, limits: schema.Limits) -> None:
        """Do nothing."""

    def operations(self) -> Operations:
        """Return no counts."""
        return Operations()

    def conditions(self, name: str) -> Mapping[str, str]:
        """Return no conditions."""
        return {}

    def addresses(self, name: str) -> Mapping[str, Sequence[str]]:
        """Return no addresses."""
        return {}

    def watch(self, managed: ManagedService) -> None:
        """Do nothing."""

    def forget(self, name: str) -> None:
        """Do nothing."""

    def notify(self, managed: ManagedService, record: Record, rollback_ms: float | None) -> None:
        """Do nothing."""


ALONE = Alone()
