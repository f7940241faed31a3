"""Bringing what is in force up to what the file says: at the start, and at every reload.

All services change together, each by an entry of its own and all by one table for the workers, or none does.
What lowers a weight meanwhile overtakes that, and then the file's word on this service is given once more.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from proxy.config import diff, schema
from proxy.config.diff import Changes
from proxy.config.schema import Config
from proxy.control.broadcast import Broadcast
from proxy.control.order_defaults import fresh
from proxy.control.propagation import Propagation
from proxy.control.standing import Standing
from proxy.control.transitions import Clock
from proxy.control.turns import in_turns
from proxy.ledger.journal import Journal
from proxy.ledger.ledger import Recalled
from proxy.ledger.record import ITSELF, Record
from proxy.rollout.actions import Raise, action
from proxy.rollout.advance import advance
from proxy.rollout.rollout import Refused, Rollout
from proxy.routing.table import Service
from proxy.settings.service import release, template
from proxy.settings.worker import settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Definition:
    """What the file says of a service from now on; `changed` are the keys that it said otherwise before."""

    standing: Standing
    file: schema.Service
    template: Service
    changed: tuple[str, ...] = ()


class Services(dict[str, Standing]):
    """Where the services stand that the file names, in its order; `memory` is what the ledger recalled."""

    def __init__(self, config: Config, memory: Recalled) -> None:
        super().__init__()
        self.config = config
        """The file that is in force."""
        evidence = memory.kept.evidence
        self._left = {name: (state, evidence.get(name)) for name, state in memory.states.items()}
        """State and evidence of those that the file doesn't name, or not any more."""
        self.become(config, {name: self.made(config, name) for name in config.services})

    def made(self, config: Config, name: str) -> Standing:
        """A service of this file, where it stood last."""
        state, evidence = self._left.get(name, (Rollout(), None))
        return Standing(shaped(config, name), config.services[name], state, evidence)

    def become(self, config: Config, standings: Mapping[str, Standing]) -> None:
        """These are the services now. Where the others stand is remembered."""
        for name in self.keys() - standings.keys():
            self[name].gone = True
            self._left[name] = self[name].rollout, self[name].to_json()
        for name in self._left.keys() & standings.keys():
            del self._left[name]
        self.config = config
        self.clear()
        self.update(standings)


def shaped(config: Config, name: str) -> Service:
    """What a file says of a service to the workers."""
    return template(name, config.services[name], config.timeouts, config.limits.body)


class Configuration:
    """Gives the file's word to ledger, services and workers.

    `settled` is told of each service for which it is in force, `gone` of those that the file doesn't name.
    """

    def __init__(
        self,
        services: Services,
        journal: Journal,
        broadcast: Broadcast,
        propagation: Propagation,
        clock: Clock,
        settled: Callable[[Standing], None],
        gone: Callable[[str], None],
    ) -> None:
        self._services = services
        self._journal = journal
        self._broadcast = broadcast
        self._propagation = propagation
        self._clock = clock
        self._settled = settled
        self._gone = gone

    def __repr__(self) -> str:
        return f"<Configuration {len(self._services)} services>"

    async def begin(self) -> None:
        """Bring the ledger up to the file. NotDurable when that can't be written down."""
        words = [Definition(each, each.file, each.template) for each in self._services.values()]
        await self._put(words, (), lambda: None)

    async def reload(self, config: Config) -> Changes:
        """Put another file in force, whole, and say what changed. NotDurable: nothing was changed.

        One at a time; `Reloader` sees to that.
        """
        before = self._services.config
        found = diff.compare(before, config)
        standings = {
            name: self._services.get(name) or self._services.made(config, name) for name in config.services
        }
        words = [self._word(config, standing, found) for standing in standings.values()]
        words = [word for word in words if word.changed]
        fixed = diff.pinned(config, before)
        await self._put(words, found.removed, lambda: self._services.become(fixed, standings))
        if settings(config) != settings(before):
            self._broadcast.settle(settings(config))
        for name in found.removed:
            self._gone(name)
        return found

    def _word(self, config: Config, standing: Standing, found: Changes) -> Definition:
        """What a file says of a service, and what of it is new."""
        name, shape = standing.name, shaped(config, standing.name)
        changed = found.services.get(name, ())
        if name in found.added:
            changed = ("services",)  # the workers know it no more, though the ledger may know it still
        if not changed and shape != standing.template:
            changed = tuple(key for key in found.shared if key in ("timeouts", "limits"))
        return Definition(standing, config.services[name], shape, changed)

    async def _put(
        self, words: Sequence[Definition], removed: Sequence[str], written: Callable[[], None]
    ) -> None:
        """Put all of it in force. `written` is called once the ledger has it, before anybody is told."""
        overtaken = await self._written(words, removed, written)
        while overtaken:
            overtaken = await self._written(overtaken, (), lambda: None)
        async for word in in_turns(words):
            self._settled(word.standing)

    async def _written(
        self, words: Sequence[Definition], removed: Sequence[str], written: Callable[[], None]
    ) -> list[Definition]:
        """Put in force what nothing overtook while it was written; the rest."""
        began = self._clock.monotonic()
        records = await self._journal.now(lambda: list(filter(None, map(self._record, words))))
        written()
        made = {record.service: record for record in records}
        told, overtaken = [], []
        for word in words:
            standing, record = word.standing, made.get(word.standing.name)
            if record and standing.numbered != record.entry.revision:
                overtaken.append(word)
                continue
            standing.configure(word.file, word.template)
            if record:
                told.append((standing, record))
                log.info("%s: %s: %s", standing.name, record.entry.event, record.reason)
        if told or removed:
            self._propagation.tell(told, began, removed)
        return overtaken

    def _record(self, word: Definition) -> Record | None:
        standing, at = word.standing, self._clock.wall()
        said = release(word.file, fresh(), word.changed)
        advanced = advance(standing.basis, said, at)
        if isinstance(advanced, Refused):
            raise TypeError(f"{standing.name}: the file's word is legal in every phase: {advanced.reason}")
        decided = action(standing.basis, advanced)
        if not isinstance(decided, Raise):
            return None
        standing.number(decided.rollout)
        return Record(standing.name, at, ITSELF, decided.entry.why, decided.entry, decided.rollout)
