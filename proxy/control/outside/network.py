"""The network outside: endpoints that are probed, hooks that are asked, receivers that are notified."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

import aiohttp

from proxy.control.broadcast import Broadcast
from proxy.control.config_file import Reloader
from proxy.control.gates import Respondents
from proxy.control.managed_service import ManagedService
from proxy.control.outside.hooks import GATES, Hooks
from proxy.control.outside.notices import Notices
from proxy.control.outside.posting import Poster, session
from proxy.control.outside.probes import Dead, Probes
from proxy.control.views import view
from proxy.control.views.facts import Facts, blast
from proxy.ledger.record import Record
from proxy.routing.split import CANARY
from proxy.telemetry.control_metrics import Operations


class OutsideNetwork:
    """Probes, hooks and notices over one session. `close` it when control has stopped."""

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self._client = client
        poster = Poster(client)
        self._hooks = Hooks(poster)
        self._notices = Notices(poster)
        self._probes = Probes(self._changed)
        self._set_dead: Callable[[str, Dead], None] = lambda service, dead: None
        self.respondents = Respondents(self._ask_canary, self._hooks.ask)
        self._reloader: Reloader | None = None

    def __repr__(self) -> str:
        return f"<OutsideNetwork {self._probes!r}, {self._hooks!r}, {self._notices!r}>"

    @classmethod
    def begin(cls) -> "OutsideNetwork":
        """Begin with a session of its own, in the running loop."""
        return cls(session())

    def run(self, broadcast: Broadcast) -> Coroutine[Any, Any, None]:
        """Probe until cancelled, and send dead endpoints to the workers of `broadcast`."""
        self._set_dead = broadcast.set_dead
        return self._probes.run()

    def show_reloads(self, reloader: Reloader) -> None:
        """Show the reloads of the config among the operations."""
        self._reloader = reloader

    async def close(self) -> None:
        """Give the notices that still wait a moment, and end the session."""
        await self._notices.close()
        await self._client.close()

    def watch(self, managed: ManagedService) -> None:
        """Probe the endpoints that a service has now, and count its hooks and receivers from 0."""
        backends = {backend.name: backend.endpoints for backend in managed.service.backends}
        self._probes.watch(managed.name, backends, managed.file.health)
        self._hooks.expect(managed.name, managed.file.hooks)
        if managed.file.notify or any(hook.at not in GATES for hook in managed.file.hooks):
            self._notices.expect(managed.name)

    def forget(self, name: str) -> None:
        """Probe the endpoints of a service no longer."""
        self._probes.forget(name)

    def notify(self, managed: ManagedService, record: Record, rollback_ms: float | None) -> None:
        """Notify hooks and receivers of an entry; without any, no text is made."""
        if not managed.file.notify and not managed.file.hooks:
            return
        text = view.explanation(managed, Facts(blast=blast(managed), rollback_ms=rollback_ms))["text"]
        tripped = record.entry.event == "trip"  # the text has the finding
        event = f"{record.service}: {record.entry.event} by {record.actor}"
        reason = f" ({record.reason})" if record.reason and not tripped else ""
        self._notices.notify(managed.name, managed.file, record.news(), f"{event}{reason}. {text}")

    def conditions(self, name: str) -> Mapping[str, str]:
        """Return the conditions of a service's endpoints, in words by URL; {} where they aren't probed."""
        return self._probes.conditions(name)

    def operations(self) -> Operations:
        """Return the counts for /metrics."""
        operations = Operations(dict(self._hooks.counts), dict(self._notices.counts), self._probes.up())
        if self._reloader is None:
            return operations
        return replace(operations, reloaded=self._reloader.successful, reloaded_at=self._reloader.at)

    def _changed(self, service: str, dead: Dead) -> None:
        self._set_dead(service, dead)

    async def _ask_canary(self, managed: ManagedService) -> str:
        canary = next(side for side in managed.service.backends if side.name == CANARY)
        reason = await self._probes.check(canary.endpoints, managed.file.health)
        return reason and f"the canary doesn't answer: {reason}"
