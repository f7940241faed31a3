"""The tick: reports and orders come in, states of services go out.

Here everything meets, and little happens: evidence is put where it belongs and judged at every report, what
the verdict or the order leads to is decided by the rollout and carried out by transitions.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from proxy.config.diff import Changes
from proxy.config.schema import Config
from proxy.control.broadcast import Broadcast
from proxy.control.command import Command, Terms
from proxy.control.configuration import Configuration, Services
from proxy.control.gates import Gates
from proxy.control.idempotency import IdempotencyKeys
from proxy.control.order_defaults import complete, planned
from proxy.control.outside.contract import ALONE, Outside
from proxy.control.propagation import Propagation
from proxy.control.roll_call import RollCall
from proxy.control.standing import Standing
from proxy.control.transitions import Clock, Transitions
from proxy.control.turns import in_turns
from proxy.control.verdicts import Verdicts
from proxy.control.views import snapshot, view
from proxy.control.views.drift import drift
from proxy.control.views.facts import Facts, gather
from proxy.ledger.checkpoints import Checkpoints
from proxy.ledger.journal import Journal, Rest, a_second
from proxy.ledger.ledger import Ledger, Recalled
from proxy.ledger.record import Record
from proxy.ledger.totals import Totals
from proxy.link.messages import Hello, Report
from proxy.rollout.inputs import Held, Order
from proxy.routing.split import CANARY
from proxy.routing.table import Service
from proxy.settings.plan import Planned
from proxy.settings.worker import settings
from proxy.telemetry.exposition import Snapshot

log = logging.getLogger(__name__)

Hears = Callable[[dict[str, Any]], None]

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
        memory: Recalled,
        ledger: Ledger,
        thread: ThreadPoolExecutor,
        *,
        workers: int,
        clock: Clock = CLOCK,
        pause: Rest = a_second,
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
        self._roll_call = RollCall(workers)
        self._journal = Journal(ledger, thread, self._written, pause)
        self.broadcast = Broadcast(memory.last, settings(config), self._services, self)
        propagation = self._propagation = Propagation(
            self._journal, self.broadcast, ledger.acknowledge, self._entered
        )
        transitions = self._transitions = Transitions(
            self._journal, propagation, clock, self._roll_call.called, self._spawn
        )
        self._configuration = Configuration(
            self._standings,
            self._journal,
            self.broadcast,
            propagation,
            clock,
            self._settled,
            outside.forget,
        )
        self._gates = Gates(outside.ways, self._spawn, self._look, clock.monotonic)
        self._idempotency = IdempotencyKeys(memory.orders)
        self._verdicts = Verdicts(self._standings, transitions, self.broadcast)
        self._trips = dict(memory.trips)
        totals, evidence = Totals(memory.kept), self._verdicts.evidence
        self._checkpoints = Checkpoints(
            totals, self._journal, ledger, self.broadcast.counted, pause, evidence
        )
        self._in_use = False
        self._draining = False
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        state = "draining" if self._draining else "ready" if self.ready else "starting"
        return f"<Control {state}: {len(self._standings)} services, generation {self.generation}>"

    # Life.

    async def start(self) -> None:
        """Bring the ledger up to what the file says. NotDurable when a release can't be written down."""
        await self._configuration.begin()
        self._roll_call.begin()
        self._spawn(self._checkpoints.run())
        self._spawn(self._tick_on())
        self._spawn(self._outside.work(self.broadcast))

    def drain(self) -> None:
        """Be not ready from now on."""
        self._draining = True
        self._checkpoints.hurry()

    async def stop(self) -> None:
        """Keep what was counted, write what waits, and give the ledger back."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._checkpoints.keep()
        await self._journal.close()

    async def reload(self, config: Config) -> Changes:
        """Put another file in force, whole, and say what changed. NotDurable: nothing was changed."""
        return await self._configuration.reload(config)

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

    def view(self, name: str) -> dict[str, Any]:
        """Everything a person may want to know of one service (KeyError when there is none)."""
        return self._shown(self._standings[name])

    def explain(self, name: str) -> dict[str, Any]:
        """What happened to a service's canary, in words (KeyError when there is none of that name)."""
        standing, durable = self._standings[name], self._journal.durable(name)
        return view.explanation(standing, self._facts(standing), durable=durable)

    async def history(self, name: str) -> list[dict[str, Any]]:
        """The ledger's entries of one service, newest last (KeyError when there is none)."""
        return await self._journal.ask(self._ledger.entries, self._standings[name].name)

    async def entries_after(self, entry: int) -> list[dict[str, Any]]:
        """The entries of all services with an id above ``entry``, oldest first."""
        return await self._journal.ask(self._ledger.entries_after, entry)

    def subscribe(self, callback: Hears) -> Callable[[], None]:
        """Call back with every new entry once it is durable; the answer ends that."""
        self._hears.append(callback)
        return lambda: self._hears.remove(callback)

    async def snapshot(self) -> Snapshot:
        """What /metrics shows. The ledger has these counts, so none falls if this process dies now."""
        await self._roll_call.called()
        sums = self._checkpoints.totals.sums(self.broadcast.boots)
        totals = {side: counts async for side, counts in in_turns(sums)}
        # After they were summed: what is reported meanwhile is not in the ledger yet.
        await self._checkpoints.keep()
        now, would_trips = self._clock.monotonic(), self._verdicts.would_trips
        standings, outside = list(self._standings.values()), self._outside.operations()
        return await snapshot.collect(totals, standings, self._trips, would_trips, now, outside)

    # What people order.

    def planned(self, name: str) -> Planned:
        """What holds for a service's rollouts where an order says nothing (KeyError when there is none)."""
        return planned(self._standings[name])

    async def order(self, name: str, order: Order, terms: Terms) -> dict[str, Any]:
        """Carry out an order, once for each key, and answer the new view."""
        standing = self._standings[name]
        if not self._idempotency.knows(name, terms):
            with self._idempotency.under_way(name, terms):
                made = await self._transitions.order(standing, Command(complete(order, standing), terms))
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
                self._transitions.happened(standing, held)

    def report(self, report: Report) -> None:
        """Count, and judge whom that concerns."""
        self._verdicts.count(self._checkpoints.take(report), self._clock.monotonic())
        self._roll_call.heard(report.boot)

    def acknowledged(self) -> None:
        """A rollback may be complete, and every worker may have had a table now."""
        self._propagation.look(self._clock.monotonic())
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
            log.warning("%s: %s%s", standing.name, found.text, apply)

    def _attend(self, standing: Standing) -> None:
        """Who answers for a service may have changed: see to what follows from that."""
        # From 0 on: Prometheus can't see that a series rose when it begins at 1.
        counted = self._trips if standing.file.enforce else self._verdicts.would_trips
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

    def _shown(self, standing: Standing) -> dict[str, Any]:
        durable, now = self._journal.durable(standing.name), self._clock.monotonic()
        return view.view(standing, durable, now, self._facts(standing))

    def _facts(self, standing: Standing) -> Facts:
        """What is known of a service beside its state and its verdict."""
        wall, now = self._clock.wall(), self._clock.monotonic()
        probes = self._outside.seen(standing.name)
        return gather(standing, self._checkpoints.totals, self.broadcast.boots, probes, wall, now)

    async def _tick_on(self) -> None:
        while True:
            await self._pause()
            await self._tick()

    async def _tick(self) -> None:
        """Look at what time alone has changed: windows that ran out, workers that are gone for good."""
        async for standing in in_turns(list(self._standings.values())):
            self._look(standing)
        await self._checkpoints.forget_gone(self.broadcast.boots, self._clock.monotonic())

    def _look(self, standing: Standing) -> None:
        """Judge one service, and see whether its rollout may go on and who has to be asked."""
        self._verdicts.look(standing, self._clock.monotonic())
        self._gates.look(standing, self._clock.wall())

    def _services(self) -> Iterator[Service]:
        return (standing.service for standing in self._standings.values())

    def _written(self, number: int, record: Record) -> None:
        """An entry is durable: count its trip, and tell those who listen."""
        if record.entry.event == "trip":
            side = record.service, record.entry.check
            self._trips[side] = self._trips.get(side, 0) + 1
        for hears in list(self._hears):
            hears(record.to_json(number))
