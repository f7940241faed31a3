"""Putting the file in force: at the start, and at every reload.

All services change together, each by an entry of its own and all by one table for the workers, or none does.
What lowers a weight meanwhile overtakes that, and then the definition of this service is put in force again.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from proxy.config import diff, schema
from proxy.config.diff import Changes
from proxy.config.schema import Config
from proxy.control.broadcast import Broadcast
from proxy.control.managed_service import ManagedService
from proxy.control.orders import fresh_salt
from proxy.control.propagation import Propagation
from proxy.control.schedule import Clock, in_turns
from proxy.ledger.journal import Journal
from proxy.ledger.ledger import Recalled
from proxy.ledger.record import ITSELF, Record
from proxy.rollout.actions import Raise, action
from proxy.rollout.advance import advance
from proxy.rollout.rollout import Refused, Rollout
from proxy.routing.endpoint import Endpoint
from proxy.routing.table import Service
from proxy.settings.service import release, side, template
from proxy.settings.worker import settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Definition:
    """What the file defines of a service from now on; `changed` are the keys that had other values before."""

    managed: ManagedService
    file: schema.Service
    template: Service
    changed: tuple[str, ...] = ()


class Services(dict[str, ManagedService]):
    """The services of the file by name, in its order.

    `recalled` has the last states of all ever known. None of them began after `now`, in unix seconds: a clock
    that says so was set back since, and a hold lasts no longer for that.
    """

    def __init__(self, config: Config, recalled: Recalled, now: float) -> None:
        super().__init__()
        self.config = config
        """The file that is in force."""
        evidence = recalled.kept.evidence
        self._left = {
            name: (state.begun_by(now), evidence.get(name)) for name, state in recalled.states.items()
        }
        """State and evidence of those that the file doesn't have, or no longer has."""
        self.replace(config, {name: self.recall(config, name) for name in config.services})

    def recall(self, config: Config, name: str) -> ManagedService:
        """Return a service of this file in the last state that is known of it."""
        state, evidence = self._left.get(name, (Rollout(), None))
        return ManagedService(shaped(config, name), config.services[name], state, evidence)

    def replace(self, config: Config, managed_services: Mapping[str, ManagedService]) -> None:
        """Replace the services by these. State and evidence of those that are gone are kept."""
        for name in self.keys() - managed_services.keys():
            self[name].leave()
            self._left[name] = self[name].rollout, self[name].assessment.to_json()
        for name in self._left.keys() & managed_services.keys():
            del self._left[name]
        self.config = config
        self.clear()
        self.update(managed_services)


def shaped(config: Config, name: str) -> Service:
    """Return what a file defines of a service for the workers."""
    return template(name, config.services[name], config.timeouts, config.limits.body)


def _endpoints(config: Config) -> Iterator[Endpoint]:
    """Yield the endpoints that the services of a file have."""
    for service in config.services.values():
        for written in (service.stable, service.canary):
            yield from side(written).endpoints


class Configuration:
    """Puts files in force: in the ledger, in the services, in the workers.

    Args:
        services: those in force.
        journal: writes the entries.
        broadcast: sends settings to the workers.
        propagation: puts the entries in force.
        clock: the time of the entries.
        locate: waits a moment until the names of endpoints are resolved, by these servers, asked anew.
        limit: sets the limits under which answers to probes are read.
        settled: called with each service whose definition is in force.
        gone: called with the name of each that the file no longer has.
    """

    def __init__(
        self,
        services: Services,
        journal: Journal,
        broadcast: Broadcast,
        propagation: Propagation,
        clock: Clock,
        *,
        locate: Callable[[Iterable[Endpoint], Sequence[str]], Awaitable[None]],
        limit: Callable[[schema.Limits], None],
        settled: Callable[[ManagedService], None],
        gone: Callable[[str], None],
    ) -> None:
        self._services = services
        self._journal = journal
        self._broadcast = broadcast
        self._propagation = propagation
        self._clock = clock
        self._locate = locate
        self._limit = limit
        self._settled = settled
        self._gone = gone

    def __repr__(self) -> str:
        return f"<Configuration {len(self._services)} services>"

    async def begin(self) -> None:
        """Bring the ledger up to the file. NotDurable when that can't be written."""
        definitions = [Definition(each, each.file, each.template) for each in self._services.values()]
        self._limit(self._services.config.limits)
        await self._put(definitions, (), lambda: None)

    async def reload(self, config: Config) -> Changes:
        """Put another file in force, whole; return what changed. NotDurable: nothing was changed.

        One at a time; `Reloader` sees to that.
        """
        before = self._services.config
        await self._locate(_endpoints(config), config.resolver.servers)
        found = diff.compare(before, config)
        managed_services = {
            name: self._services.get(name) or self._services.recall(config, name) for name in config.services
        }
        definitions = [self._definition(config, managed, found) for managed in managed_services.values()]
        definitions = [each for each in definitions if each.changed]
        fixed = diff.pinned(config, before)
        await self._put(definitions, found.removed, lambda: self._services.replace(fixed, managed_services))
        if settings(config) != settings(before):
            self._broadcast.configure(settings(config))
            self._limit(config.limits)
        for name in found.removed:
            self._gone(name)
        return found

    def _definition(self, config: Config, managed: ManagedService, found: Changes) -> Definition:
        """Return what a file defines of a service, and which of its keys are new."""
        name, shape = managed.name, shaped(config, managed.name)
        changed = found.services.get(name, ())
        if name in found.added:
            changed = ("services",)  # the workers have forgotten it, though the ledger may know it
        if not changed and shape != managed.template:
            changed = tuple(key for key in found.shared if key in ("timeouts", "limits"))
        return Definition(managed, config.services[name], shape, changed)

    async def _put(
        self, definitions: Sequence[Definition], removed: Sequence[str], written: Callable[[], None]
    ) -> None:
        """Put all of it in force. `written` is called once the ledger has it, before the workers do."""
        overtaken = await self._written(definitions, removed, written)
        while overtaken:
            overtaken = await self._written(overtaken, (), lambda: None)
        async for definition in in_turns(definitions):
            self._settled(definition.managed)

    async def _written(
        self, definitions: Sequence[Definition], removed: Sequence[str], written: Callable[[], None]
    ) -> list[Definition]:
        """Put in force what nothing overtook while it was written; return the rest."""
        began = self._clock.monotonic()
        records = await self._journal.append_now(lambda: list(filter(None, map(self._record, definitions))))
        written()
        made = {record.service: record for record in records}
        entries, overtaken = [], []
        for definition in definitions:
            managed, record = definition.managed, made.get(definition.managed.name)
            if record and managed.numbered != record.entry.revision:
                overtaken.append(definition)
                continue
            managed.configure(definition.file, definition.template)
            if record:
                entries.append((managed, record))
                log.info("%s: %s: %s", managed.name, record.entry.event, record.reason)
        if entries or removed:
            self._propagation.put_in_force(entries, began, removed)
        return overtaken

    def _record(self, definition: Definition) -> Record | None:
        """Return the entry that puts a definition in force; None when it changes nothing."""
        managed = definition.managed
        found = release(definition.file, fresh_salt(), definition.changed)
        advanced = advance(managed.basis, found, self._clock.steady())
        if isinstance(advanced, Refused):
            raise TypeError(f"{managed.name}: a release is legal in every phase: {advanced.reason}")
        decided = action(managed.basis, advanced)
        if not isinstance(decided, Raise):
            return None
        managed.number(decided.rollout)
        entry = decided.entry
        at = self._clock.wall()
        return Record(managed.name, at, ITSELF, reason=entry.why, entry=entry, rollout=decided.rollout)
