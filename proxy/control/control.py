"""The tick: reports and orders come in, states of services go out.

Here everything meets, and little happens: evidence is put where it belongs and judged at every report, what
the verdict or the order leads to is decided by the rollout and carried out by steering.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import proxy
from proxy.config.schema import Config
from proxy.control import view
from proxy.control.bookkeeping import Bookkeeping
from proxy.control.broadcast import Broadcast
from proxy.control.facts import Facts
from proxy.control.journal import Journal, Pause, a_second
from proxy.control.judging import Judging
from proxy.control.ledger import UNRECORDED, Ledger, Memory
from proxy.control.record import Record
from proxy.control.release import release, template
from proxy.control.roll import Roll
from proxy.control.settings import settings
from proxy.control.standing import Standing
from proxy.control.steering import Clock, Order, Steering
from proxy.control.totals import Totals
from proxy.messages import Hello, Report
from proxy.rollout.inputs import Held, Resume, SetWeight
from proxy.rollout.rollout import Rollout
from proxy.routing.split import CANARY
from proxy.routing.table import Service
from proxy.telemetry.exposition import Snapshot
from proxy.telemetry.outcome import REASONS, UNROUTED

log = logging.getLogger(__name__)

Json = dict[str, Any]
Hears = Callable[[Json], None]

AT_ONCE = 50
"""Services that the tick looks at before it lets others have the loop."""

CLOCK = Clock()


class Control:
    """All services in the charge of this process. `start` it before anything else.

    `memory` is what `ledger` recalled, `thread` the one that it lives on, `workers` how many are expected.
    `broken` is called when it can't go on.
    Orders raise what ``proxy.control.errors`` names: Conflict, StaleRevision, NotDurable; an unknown
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
    ) -> None:
        self._broken = broken
        self._workers = workers
        self._clock = clock
        self._pause = pause
        self._ledger = ledger
        self._standings = {
            name: Standing(
                template(name, service, config.timeouts, config.limits.body),
                service,
                memory.states.get(name, Rollout()),
                memory.kept.evidence.get(name),
            )
            for name, service in config.services.items()
        }
        self._hears: list[Hears] = []
        self._journal = Journal(ledger, thread, self._written, pause)
        self.broadcast = Broadcast(memory.last, settings(config), self._services, self)
        self._steering = Steering(self._journal, self.broadcast, clock)
        self._judging = Judging(self._standings, self._steering, self.broadcast)
        self._trips = dict.fromkeys(self._judging.checks(enforce=True), 0) | memory.trips
        totals, evidence = Totals(memory.kept), self._judging.evidence
        self._books = Bookkeeping(totals, self._journal, ledger, self.broadcast.counted, pause, evidence)
        self._roll = Roll(workers)
        self._in_use = False
        self._draining = False
        self._tasks: list[asyncio.Task[None]] = []

    def __repr__(self) -> str:
        state = "draining" if self._draining else "ready" if self.ready else "starting"
        return f"<Control {state}: {len(self._standings)} services, generation {self.generation}>"

    # Life.

    async def start(self) -> None:
        """Bring the ledger up to what the file says. NotDurable when a release can't be written down."""
        for standing in self._standings.values():
            await self._steering.release(standing, release(standing.file, secrets.token_hex(16)))
            if drift := view.drift(standing):
                said = "%s: the file says %g %%, %g %% is in force and stays; to apply the file's: %s"
                log.warning(said, standing.name, drift["file"], drift["in_force"], drift["apply"])
        self._roll.begin()
        self._tasks = [asyncio.create_task(self._books.run()), asyncio.create_task(self._tick_on())]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    def drain(self) -> None:
        """Be not ready from now on."""
        self._draining = True
        self._books.hurry()

    async def stop(self) -> None:
        """Keep what was counted, write what waits, and give the ledger back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._books.keep()
        await self._journal.close()

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
        standing = self._standings[name]
        durable, now = self._journal.durable(name), self._clock.monotonic()
        return view.view(standing, durable, now, self._facts(standing))

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
        totals = self._books.totals.sums(self.broadcast.boots)
        await (
            self._books.keep()
        )  # after they were summed: what is reported meanwhile is not in the ledger yet
        now = self._clock.monotonic()
        standings = self._standings.values()
        return Snapshot(
            totals={side: counts for side, counts in totals.items() if side[0] != UNROUTED},
            refused=dict.fromkeys(REASONS, 0)
            | {reason: counts.excluded for (name, reason), counts in totals.items() if name == UNROUTED},
            weights={side: ratio for each in standings for side, ratio in view.weights(each).items()},
            shares={side: ratio for each in standings for side, ratio in view.shares(each, now).items()},
            evidence={name: odds for each in standings for name, odds in view.odds(each).items()},
            would_trips=dict(self._judging.would_trips),
            exposed={name: users for each in standings for name, users in view.exposed(each).items()},
            halted={side: out for each in standings for side, out in view.halted(each).items()},
            checks=[sample for each in standings for sample in view.samples(each)],
            trips=dict(self._trips),
            version=proxy.__version__,
        )

    # What people order.

    async def set_weight(
        self, name: str, parts: int, *, reason: str, actor: str, if_match: int | None
    ) -> Json:
        """Put the canary's weight to ``parts`` and answer the new view."""
        return await self._order(name, Order(SetWeight(parts), reason, actor, if_match))

    async def resume(
        self, name: str, parts: int | None, *, reason: str, actor: str, if_match: int | None
    ) -> Json:
        """Let a tripped canary back in, at ``parts`` or (None) at its weight before the trip."""
        return await self._order(name, Order(Resume(parts), reason, actor, if_match))

    async def _order(self, name: str, order: Order) -> Json:
        await self._steering.order(self._standings[name], order, after=self._roll.called)
        return self.view(name)

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
        self._steering.acknowledged()
        self._in_use = self._in_use or self.broadcast.using() >= self._workers

    # Within.

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task without which nobody judges or keeps: better a new process than half of this one."""
        if not task.cancelled() and (error := task.exception()):
            log.error("control is broken and ends", exc_info=error)
            self._broken()

    def _facts(self, standing: Standing) -> Facts:
        """What the counts say of a release beside its verdict."""
        since, boots = standing.rollout.since, self.broadcast.boots
        lately = self._books.totals.lately(standing.name, since, boots)
        canary = lately.get(CANARY)
        return Facts(
            blast=view.blast(standing),
            failed=tuple(canary.failed.most()) if canary else (),
            overdue={backend: counts.overdue for backend, counts in lately.items()},
        )

    async def _tick_on(self) -> None:
        while True:
            await self._pause()
            await self._tick()

    async def _tick(self) -> None:
        """Look at what time alone has changed: windows that ran out, workers that are gone for good."""
        for number, standing in enumerate(self._standings.values()):
            self._judging.look(standing, self._clock.monotonic())
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        await self._books.forget_gone(self.broadcast.boots, self._clock.monotonic())

    def _services(self) -> Iterator[Service]:
        return (standing.service for standing in self._standings.values())

    def _written(self, number: int, record: Record) -> None:
        """An entry is durable: count its trip, and tell those who listen."""
        if record.entry.event == "trip":
            check = record.entry.finding.check if record.entry.finding else UNRECORDED
            self._trips[record.service, check] = self._trips.get((record.service, check), 0) + 1
        for hears in list(self._hears):
            hears(record.to_json(number))
