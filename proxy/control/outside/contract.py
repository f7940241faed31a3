"""What control needs of the network outside: endpoints, hooks, receivers of notices."""

from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

from proxy.config import schema
from proxy.control.broadcast import Broadcast
from proxy.control.gates import Respondents
from proxy.control.managed_service import ManagedService
from proxy.ledger.record import Record
from proxy.telemetry.control_metrics import Operations


class Outside(Protocol):
    """The network outside. None of its methods waits."""

    @property
    def respondents(self) -> Respondents:
        """How to ask those who have to agree before a rollout goes on."""
        ...

    def run(self, broadcast: Broadcast) -> Coroutine[Any, Any, None]:
        """Return the work that lasts as long as control; dead endpoints are sent to the workers."""

    def operations(self) -> Operations:
        """Return the counts for /metrics."""

    def conditions(self, name: str) -> Mapping[str, str]:
        """Return the conditions of a service's endpoints, in words by URL; {} where they aren't probed."""

    def watch(self, managed: ManagedService) -> None:
        """Probe the endpoints that a service has now."""

    def forget(self, name: str) -> None:
        """Probe the endpoints of a service no longer."""

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

    def operations(self) -> Operations:
        """Return no counts."""
        return Operations()

    def conditions(self, name: str) -> Mapping[str, str]:
        """Return no conditions."""
        return {}

    def watch(self, managed: ManagedService) -> None:
        """Do nothing."""

    def forget(self, name: str) -> None:
        """Do nothing."""

    def notify(self, managed: ManagedService, record: Record, rollback_ms: float | None) -> None:
        """Do nothing."""


ALONE = Alone()
