"""The tick: reports and orders come in, states of services go out.

Here everything meets, and little happens: evidence is put where it belongs and judged at every report, what
the verdict or the order leads to is decided by the rollout and carried out by steering.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from proxy.config.changes import Changes
from proxy.config.schema import Config
from proxy.control import snapshot, view
from proxy.control.bookkeeping import Bookkeeping
from proxy.control.broadcast import Broadcast
from proxy.control.completing import complete, planned
from proxy.control.configuring import Configuring, Services
from proxy.control.drift import drift
from proxy.control.facts import Facts
from proxy.control.gates import Gates
from proxy.control.gathering import gather
from proxy.control.journal import Journal, Pause, a_second
from proxy.control.judging import Judging
from proxy.control.ledger import Ledger, Memory
from proxy.control.outside import ALONE, Outside
from proxy.control.record import Record
from proxy.control.repeats import Repeats
from proxy.control.roll import Roll
from proxy.control.settings import settings
from proxy.control.standing import Standing
from proxy.control.steering import Clock, Order, Steering
from proxy.control.steps import Planned
from proxy.control.telling import Telling
from proxy.control.terms import Terms
from proxy.control.totals import Totals
from proxy.control.turns import in_turns
from proxy.messages import Hello, Report
from proxy.rollout.inputs import Held
from proxy.rollout.inputs import Order as Wants
from proxy.routing.split import CANARY
from proxy.routing.table import Service
from proxy.telemetry.exposition import Snapshot

log = logging.getLogger(__name__)

Json = dict[str, Any]
Hears = Callable[[Json], None]

CLOCK = Clock()


class Control:
    """All services in the charge of this process. `start` it before anything else.

    `memory` is what `ledger` recalled, `thread` the one that it lives on, `workers` how many are expected.
    `outside` are those who are asked and told. `broken` is called when it can't go on.
    Orders raise what `proxy.control.errors` names: Conflict, StaleRevision, KeyReused, NotDurable. An unknown
    service is a KeyError. Weights are parts of 10,000.
    """

    def __init__(
        self,
        config: Config,
        memory: Memory,
        ledger: Ledger,
        thread: ThreadPoolExecutor,
        *,
        workers: int,
        clock: Clock = CLOCK,
        pause: Pause = a_second,
        broken: Callable[[], None] = lambda: None,
        outside: Outside = ALONE,
    ) -> None:
        self._broken = broken
        self._workers = workers
        self._clock = clock
        self._pause = pause
        self._ledger = ledger
        self._outside = outside
        self._standings = Services(config, memory)
        self._hears: list[Hears] = []
        self._roll = Roll(workers)
        self._journal = Journal(ledger, thread, self._written, pause)
        self.broadcast = Broadcast(memory.last, settings(config), self._services, self)
        telling = self._telling = Telling(self._journal, self.broadcast, ledger.acknowledge, self._entered)
        steering = self._steering = Steering(self._journal, telling, clock, self._roll.called, self._spawn)
        self._configuring = Configuring(
            self._standings,
            self._journal,
            self.broadcast,
            telling,
            clock,
            self._settled,
            outside.forget,
        )
        self._gates = Gates(outside.ways, self._spawn, self._look, clock.monotonic)
        self._repeats = Repeats(memory.orders)
        self._judging = Judging(self._standings, steering, self.broadcast)
        self._trips = dict(memory.trips)
        totals, evidence = Totals(memory.kept), self._judging.evidence
        self._books = Bookkeeping(totals, self._journal, ledger, self.broadcast.counted, pause, evidence)
        self._in_use = False
        self._draining = False
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        state = "draining" if self._draining else "ready" if self.ready else "starting"
        return f"<Control {state}: {len(self._standings)} services, generation {self.generation}>"

    # Life.

    async def start(self) -> None:
        """Bring the ledger up to what the file says. NotDurable when a release can't be written down."""
        await self._configuring.begin()
        self._roll.begin()
        self._spawn(self._books.run())
        self._spawn(self._tick_on())
        self._spawn(self._outside.work(self.broadcast))

    def drain(self) -> None:
        """Be not ready from now on."""
        self._draining = True
        self._books.hurry()

    async def stop(self) -> None:
        """Keep what was counted, write what waits, and give the ledger back."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._books.keep()
        await self._journal.close()

    async def reload(self, config: Config) -> Changes:
        """Put another file in force, whole, and say what changed. NotDurable: nothing was changed."""
        return await self._configuring.reload(config)

    # What is shown.

    @property
    def ready(self) -> bool:
        """Whether every worker has once had a table, and nothing is draining."""
        return self._in_use and not self._draining

    @property
    def generation(self) -> int:
        """The number of the routing table told last."""
        return self.broadcast.generation

    def names(self) -> list[str]:
        """The services, in the order of the file."""
        return list(self._standings)

    def view(self, name: str) -> Json:
        """Everything a person may want to know of one service (KeyError when there is none)."""
        return self._shown(self._standings[name])

    def explain(self, name: str) -> Json:
        """What happened to a service's canary, in words (KeyError when there is none of that name)."""
        standing = self._standings[name]
        return view.explanation(standing, self._facts(standing))

    async def history(self, name: str) -> list[Json]:
        """The ledger's entries of one service, newest last (KeyError when there is none)."""
        return await self._journal.ask(self._ledger.entries, self._standings[name].name)

    async def entries_after(self, entry: int) -> list[Json]:
        """The entries of all services with an id above ``entry``, oldest first."""
        return await self._journal.ask(self._ledger.entries_after, entry)

    def subscribe(self, callback: Hears) -> Callable[[], None]:
        """Call back with every new entry once it is durable; the answer ends that."""
        self._hears.append(callback)
        return lambda: self._hears.remove(callback)

    async def snapshot(self) -> Snapshot:
        """What /metrics shows. The ledger has these counts, so none falls if this process dies now."""
        await self._roll.called()
        sums = self._books.totals.sums(self.broadcast.boots)
        totals = {side: counts async for side, counts in in_turns(sums)}
        # After they were summed: what is reported meanwhile is not in the ledger yet.
        await self._books.keep()
        now, would_trips = self._clock.monotonic(), self._judging.would_trips
        standings, outside = list(self._standings.values()), self._outside.operations()
        return await snapshot.taken(totals, standings, self._trips, would_trips, now, outside)

    # What people order.

    def planned(self, name: str) -> Planned:
        """What holds for a service's rollouts where an order says nothing (KeyError when there is none)."""
        return planned(self._standings[name])

    async def order(self, name: str, order: Wants, terms: Terms) -> Json:
        """Carry out an order, once for each key, and answer the new view."""
        standing = self._standings[name]
        if not self._repeats.knows(name, terms):
            with self._repeats.under_way(name, terms):
                made = await self._steering.order(standing, Order(complete(order, standing), terms))
            if terms.key and not made:
                at = self._clock.wall()
                self._journal.beside(self._ledger.remember, name, terms.key, terms.digest, at)
            self._look(standing)
        return self._shown(standing)

    # What workers say; called by the broadcast.

    def hello(self, hello: Hello) -> None:
        """What a worker holds may be news: a control that died may not have written what it told."""
        for name, revision in hello.held.items():
            if standing := self._standings.get(name):
                held = Held(revision, CANARY in hello.halted.get(name, ()))
                self._steering.happened(standing, held)

    def report(self, report: Report) -> None:
        """Count, and judge whom that concerns."""
        self._judging.count(self._books.take(report), self._clock.monotonic())
        self._roll.heard(report.boot)

    def acknowledged(self) -> None:
        """A rollback may be complete, and every worker may have had a table now."""
        self._telling.look(self._clock.monotonic())
        self._in_use = self._in_use or self.broadcast.using() >= self._workers

    # Within.

    def _entered(self, standing: Standing, record: Record) -> None:
        """An entry has come into force, whatever led to it: an order, the plan, the file."""
        if not standing.gone:
            self._attend(standing)
        self._outside.tell(standing, record)

    def _settled(self, standing: Standing) -> None:
        """The file's word on a service is in force."""
        self._attend(standing)
        if found := drift(standing):
            apply = f"; to apply the file's: {found.apply}" if found.apply else ""
            log.warning("%s: %s%s", standing.name, found.says, apply)

    def _attend(self, standing: Standing) -> None:
        """Who answers for a service may have changed: see to what follows from that."""
        # From 0 on: Prometheus can't see that a series rose when it begins at 1.
        counted = self._trips if standing.file.enforce else self._judging.would_trips
        for check in standing.policy.names:
            counted.setdefault((standing.name, check), 0)
        self._outside.watch(standing)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """A task that ends with control, and whose failure is a fault."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """Without a task nobody judges, keeps or goes on: better a new process than half of this one."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("control is broken and ends", exc_info=error)
            self._broken()

    def _shown(self, standing: Standing) -> Json:
        durable, now = self._journal.durable(standing.name), self._clock.monotonic()
        return view.view(standing, durable, now, self._facts(standing))

    def _facts(self, standing: Standing) -> Facts:
        """What is known of a service beside its state and its verdict."""
        wall, now = self._clock.wall(), self._clock.monotonic()
        probes = self._outside.seen(standing.name)
        return gather(standing, self._books.totals, self.broadcast.boots, probes, wall, now)

    async def _tick_on(self) -> None:
        while True:
            await self._pause()
            await self._tick()

    async def _tick(self) -> None:
        """Look at what time alone has changed: windows that ran out, workers that are gone for good."""
        async for standing in in_turns(list(self._standings.values())):
            self._look(standing)
        await self._books.forget_gone(self.broadcast.boots, self._clock.monotonic())

    def _look(self, standing: Standing) -> None:
        """Judge one service, and see whether its rollout may go on and who has to be asked."""
        self._judging.look(standing, self._clock.monotonic())
        self._gates.look(standing, self._clock.wall())

    def _services(self) -> Iterator[Service]:
        return (standing.service for standing in self._standings.values())

    def _written(self, number: int, record: Record) -> None:
        """An entry is durable: count its trip, and tell those who listen."""
        if record.entry.event == "trip":
            side = record.service, snapshot.check(record.entry)
            self._trips[side] = self._trips.get(side, 0) + 1
        for hears in list(self._hears):
            hears(record.to_json(number))
