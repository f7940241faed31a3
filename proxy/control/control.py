"""The tick: reports and orders come in, states of services go out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proxy.telemetry.exposition import Snapshot

Json = dict[str, Any]


class Control:
    """All services in the charge of this process.

    Orders raise what ``proxy.control.errors`` names: Conflict, StaleRevision, NotDurable; an unknown
    service is a KeyError. Weights are parts of 10,000.
    """

    @property
    def ready(self) -> bool:
        """Whether start-up is done and nothing is draining."""
        raise NotImplementedError

    @property
    def generation(self) -> int:
        """The number of the routing table told last."""
        raise NotImplementedError

    def names(self) -> list[str]:
        """The services, in the order of the file."""
        raise NotImplementedError

    def view(self, name: str) -> Json:
        """Everything a person may want to know of one service (KeyError when there is none)."""
        raise NotImplementedError

    async def set_weight(
        self, name: str, parts: int, *, reason: str, actor: str, if_match: int | None
    ) -> Json:
        """Put the canary's weight to ``parts`` and answer the new view."""
        raise NotImplementedError

    async def resume(
        self, name: str, parts: int | None, *, reason: str, actor: str, if_match: int | None
    ) -> Json:
        """Let a tripped canary back in, at ``parts`` or (None) at its weight before the trip."""
        raise NotImplementedError

    async def history(self, name: str) -> list[Json]:
        """The ledger's entries of one service, newest last (KeyError when there is none)."""
        raise NotImplementedError

    async def entries_after(self, entry: int) -> list[Json]:
        """The entries of all services with an id above ``entry``, oldest first."""
        raise NotImplementedError

    def subscribe(self, callback: Callable[[Json], None]) -> Callable[[], None]:
        """Call back with every new entry; the answer ends that."""
        raise NotImplementedError

    async def snapshot(self) -> Snapshot:
        """What /metrics shows."""
        raise NotImplementedError
