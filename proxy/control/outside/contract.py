"""Those outside whom control asks and tells: endpoints, hooks, receivers of notices."""

from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

from proxy.config import schema
from proxy.control.broadcast import Broadcast
from proxy.control.gates import Ways
from proxy.control.standing import Standing
from proxy.ledger.record import Record
from proxy.telemetry.operations import Operations


class Outside(Protocol):
    """What control needs of them. None of it waits."""

    @property
    def ways(self) -> Ways: ...

    def work(self, broadcast: Broadcast) -> Coroutine[Any, Any, None]:
        """What has to go on for as long as control does; the workers of `broadcast` are told who is dead."""

    def operations(self) -> Operations:
        """For /metrics."""

    def seen(self, name: str) -> Mapping[str, str]:
        """How the endpoints of a service do, in words by URL; empty where nobody probes them."""

    def watch(self, standing: Standing) -> None:
        """A service is in force as it is now: probe its endpoints."""

    def forget(self, name: str) -> None:
        """A service is gone."""

    def tell(self, standing: Standing, record: Record) -> None:
        """Something happened. The ledger may not have it yet, for a trip waits for no disk."""


class Alone:
    """Nobody is outside: whoever is asked agrees."""

    def __init__(self) -> None:
        self.ways = Ways(self._answers, self._agrees)

    def __repr__(self) -> str:
        return "<Alone>"

    async def _answers(self, _standing: Standing) -> str:
        return ""

    async def _agrees(self, _hook: schema.Hook, _question: dict[str, Any]) -> str:
        return ""

    async def work(self, broadcast: Broadcast) -> None:
        """There is nothing to do."""

    def operations(self) -> Operations:
        """There is nothing to count."""
        return Operations()

    def seen(self, name: str) -> Mapping[str, str]:
        """Nobody is probed."""
        return {}

    def watch(self, standing: Standing) -> None:
        """Nobody is probed."""

    def forget(self, name: str) -> None:
        """Nobody was probed."""

    def tell(self, standing: Standing, record: Record) -> None:
        """Nobody is told."""


ALONE = Alone()
