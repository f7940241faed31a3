"""The network outside: names, endpoints that are probed, hooks that are asked, receivers of notices."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import aiohttp

from proxy.config import schema
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
from proxy.health.condition import together
from proxy.health.probe import Prober
from proxy.http1.limits import Limits
from proxy.ledger.record import Record
from proxy.resolution.lookup import Lookups
from proxy.resolution.names import Names
from proxy.routing.address import addresses, all_addresses, host_name
from proxy.routing.endpoint import Endpoint
from proxy.routing.split import CANARY
from proxy.telemetry.control_metrics import Operations

LOCATE_SECONDS = 2.0
"""For which a change waits for the addresses of its names: then it goes on without those that are missing."""


class OutsideNetwork:
    """Names, probes, hooks and notices, the latter two over one session. `close` it when control has stopped.

    Args:
        client: the session.
        servers: the name servers; none: those of the system.
    """

    def __init__(self, client: aiohttp.ClientSession, servers: Sequence[str] = ()) -> None:
        self._client = client
        self._lookups = Lookups(servers)
        self._names = Names(self._lookups, self._relocated)
        self._watched: dict[str, ManagedService] = {}
        poster = Poster(client)
        self._hooks = Hooks(poster)
        self._notices = Notices(poster)
        self._prober = Prober()
        self._probes = Probes(self._changed, self._prober)
        self._broadcast: Broadcast | None = None
        self.respondents = Respondents(self._ask_canary, self._hooks.ask)
        self._reloader: Reloader | None = None

    def __repr__(self) -> str:
        return f"<OutsideNetwork {self._probes!r}, {self._hooks!r}, {self._notices!r}>"

    @classmethod
    def begin(cls, servers: Sequence[str]) -> "OutsideNetwork":
        """Begin with a session of its own, in the running loop."""
        return cls(session(), servers)

    def run(self, broadcast: Broadcast) -> Coroutine[Any, Any, None]:
        """Resolve and probe until cancelled, and send what is found to the workers of `broadcast`."""
        self._broadcast = broadcast
        return self._run()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._names.run())
            group.create_task(self._probes.run())

    async def locate(self, endpoints: Iterable[Endpoint], servers: Sequence[str] | None = None) -> None:
        """Wait until the names of endpoints are resolved, or aren't after a moment.

        `servers`: ask these from now on, and ask them anew; None: what is known will do.
        """
        if servers is not None:
            self._lookups.renew(servers)
        names = {host_name(endpoint) for endpoint in endpoints} - {""}
        await self._names.known(names, LOCATE_SECONDS, anew=servers is not None)

    def limit(self, limits: schema.Limits) -> None:
        """Read what endpoints answer to probes under these limits from now on."""
        self._prober.limit(Limits(limits.line, limits.head, limits.fields))

    def show_reloads(self, reloader: Reloader) -> None:
        """Show the reloads of the config among the operations."""
        self._reloader = reloader

    async def close(self) -> None:
        """Give the notices that still wait a moment, and end the session."""
        self._lookups.close()
        await self._notices.close()
        await self._client.close()

    def watch(self, managed: ManagedService) -> None:
        """Resolve and probe the endpoints that a service has now; count its hooks and receivers from 0."""
        self._watched[managed.name] = managed
        self._names.use(managed.name, managed.service.names)
        self._probe(managed)
        self._hooks.expect(managed.name, managed.file.hooks)
        if managed.file.notify or any(hook.at not in GATES for hook in managed.file.hooks):
            self._notices.expect(managed.name)

    def forget(self, name: str) -> None:
        """Resolve and probe the endpoints of a service no longer."""
        self._watched.pop(name, None)
        self._probes.forget(name)
        self._names.use(name, ())

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
        """Return the conditions of a service's endpoints, in words by their identity.

        Where they aren't probed, those only whose names aren't resolved.
        """
        probed = self._probes.conditions(name)
        found: dict[str, dict[str, str]] = {}
        for address, words in probed.items():
            found.setdefault(address.endpoint.identity, {})[address.socket] = words
        conditions = {identity: together(each) for identity, each in found.items()}
        for endpoint in self._endpoints(name):
            if (host := host_name(endpoint)) and host not in self._names.located:
                why = self._names.failure(host) or "no name server has answered yet"
                conditions[endpoint.identity] = f"dead: its name isn't resolved: {why}"
        return conditions

    def addresses(self, name: str) -> Mapping[str, Sequence[str]]:
        """Return the addresses of a service's endpoints whose hosts are names, by URL."""
        located = self._names.located
        return {
            endpoint.url: [one.socket for one in addresses(endpoint, located)]
            for endpoint in self._endpoints(name)
            if host_name(endpoint)
        }

    def _endpoints(self, name: str) -> tuple[Endpoint, ...]:
        managed = self._watched.get(name)
        return managed.service.endpoints if managed else ()

    def operations(self) -> Operations:
        """Return the counts for /metrics."""
        operations = Operations(dict(self._hooks.counts), dict(self._notices.counts))
        if self._reloader is None:
            return operations
        return replace(operations, reloaded=self._reloader.successful, reloaded_at=self._reloader.at)

    def _probe(self, managed: ManagedService) -> None:
        located = self._names.located
        backends = {
            backend.name: all_addresses(backend.endpoints, located) for backend in managed.service.backends
        }
        self._probes.watch(managed.name, backends, managed.file.health)

    def _relocated(self, names: Mapping[str, tuple[str, ...]]) -> None:
        if self._broadcast is not None:
            self._broadcast.locate(names)
        for managed in self._watched.values():
            if managed.file.health is not None and not names.keys().isdisjoint(managed.service.names):
                self._probe(managed)

    def _changed(self, service: str, dead: Dead) -> None:
        if self._broadcast is not None:
            self._broadcast.set_dead(service, dead)

    async def _ask_canary(self, managed: ManagedService) -> str:
        canary = next(side for side in managed.service.backends if side.name == CANARY)
        await self.locate(canary.endpoints)
        found = all_addresses(canary.endpoints, self._names.located)
        reason = await self._probes.check(found, managed.file.health) if found else "its name isn't resolved"
        return reason and f"the canary doesn't answer: {reason}"
