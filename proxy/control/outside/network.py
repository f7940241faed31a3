"""The world outside control, over the network: endpoints to probe, hooks to ask, receivers to tell."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

import aiohttp

from proxy.control.broadcast import Broadcast
from proxy.control.config_file import Reloader
from proxy.control.gates import Ways
from proxy.control.outside.hooks import GATES, Hooks
from proxy.control.outside.notices import Notices
from proxy.control.outside.posting import session
from proxy.control.outside.probes import Probes
from proxy.control.standing import Standing
from proxy.control.views import view
from proxy.control.views.facts import Facts, blast
from proxy.ledger.record import Record
from proxy.routing.split import CANARY
from proxy.telemetry.operations import Operations


class Network:
    """All of it. `reach` the broadcast before anything is watched; `close` it when control has stopped."""

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self._client = client
        self._hooks = Hooks(client)
        self._notices = Notices(client)
        self._probes = Probes(self._found)
        self._unwell: Callable[[str, Any], None] = lambda service, dead: None
        self.ways = Ways(self._answers, self._hooks.ask)
        self.reloader: Reloader | None = None
        """What is shown of reloads, once there can be any."""

    def __repr__(self) -> str:
        return f"<Network {self._probes!r}, {self._hooks!r}, {self._notices!r}>"

    @classmethod
    def begin(cls) -> "Network":
        """With a session of its own, in the running loop."""
        return cls(session())

    def work(self, broadcast: Broadcast) -> Coroutine[Any, Any, None]:
        """Probe, and tell the workers of `broadcast` who is dead, until cancelled."""
        self._unwell = broadcast.unwell
        return self._probes.run()

    async def close(self) -> None:
        """Give those who are being told a moment."""
        await self._notices.close()
        await self._client.close()

    def watch(self, standing: Standing) -> None:
        """Probe the endpoints that a service has now, and begin to count for whom it names."""
        backends = {backend.name: backend.endpoints for backend in standing.service.backends}
        self._probes.watch(standing.name, backends, standing.file.health)
        self._hooks.expect(standing.name, standing.file.hooks)
        if standing.file.notify or any(hook.at not in GATES for hook in standing.file.hooks):
            self._notices.expect(standing.name)

    def forget(self, name: str) -> None:
        """Probe a service no longer."""
        self._probes.forget(name)

    def tell(self, standing: Standing, record: Record) -> None:
        """Tell all who want to know; nothing is put in words where there is nobody."""
        if not standing.file.notify and not standing.file.hooks:
            return
        text = view.explanation(standing, Facts(blast=blast(standing)))["text"]
        said = f"{record.service}: {record.entry.event} by {record.actor}"
        why = f" ({record.reason})" if record.reason else ""
        self._notices.tell(standing.name, standing.file, record.news(), f"{said}{why}. {text}")

    def seen(self, name: str) -> Mapping[str, str]:
        """How the endpoints of a service do, in words by URL; empty where nobody probes them."""
        return self._probes.seen(name)

    def operations(self) -> Operations:
        """For /metrics."""
        operations = Operations(dict(self._hooks.counts), dict(self._notices.counts), self._probes.up())
        if self.reloader is None:
            return operations
        return replace(operations, reloaded=self.reloader.successful, reloaded_at=self.reloader.at)

    def _found(self, service: str, dead: Any) -> None:
        self._unwell(service, dead)

    async def _answers(self, standing: Standing) -> str:
        canary = next(side for side in standing.service.backends if side.name == CANARY)
        said = await self._probes.check(canary.endpoints, standing.file.health)
        return said and f"the canary doesn't answer: {said}"
