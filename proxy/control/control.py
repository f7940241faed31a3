"""Control as a whole: reports and orders come in, states of services go out.

The parts are put together here. Evidence is judged at every report; what the verdict or an order leads to is
decided by the rollout and carried out by transitions. Once a second everything is looked at that changes by
time alone.
"""

import logging
from collections.abc import Iterator, Mapping

from proxy.config.diff import Changes
from proxy.config.schema import Config
from proxy.control.broadcast import Broadcast
from proxy.control.command import OrderTerms
from proxy.control.configuration import Configuration, Services
from proxy.control.gates import Gates
from proxy.control.managed_service import ManagedService
from proxy.control.orders import IdempotencyKeys, Orders
from proxy.control.outages import Outages
from proxy.control.outside.contract import ALONE, Outside
from proxy.control.overview import Overview
from proxy.control.propagation import Propagation
from proxy.control.roll_call import RollCall
from proxy.control.schedule import Clock, Tasks, in_turns
from proxy.control.transitions import Transitions
from proxy.control.trip_counts import TripCounts
from proxy.control.verdicts import Verdicts
from proxy.control.views import endpoints
from proxy.control.views.drift import drift
from proxy.ledger.checkpoints import Checkpoints
from proxy.ledger.history import History
from proxy.ledger.journal import Journal, OpenLedger
from proxy.ledger.record import Record
from proxy.ledger.totals import Totals
from proxy.link.messages import Hello, Report
from proxy.rollout.inputs import Held
from proxy.routing.endpoint import Endpoint
from proxy.routing.split import CANARY
from proxy.routing.table import Service
from proxy.settings.worker import settings

log = logging.getLogger(__name__)

CLOCK = Clock()


class Control:
    """All services in the charge of this process. `start` it before anything else.

    Args:
        config: the file in force.
        opened: the ledger, with what it recalled.
        workers: how many are expected.
        tasks: everything that runs for it.
        clock: its time.
        outside: endpoints that are probed, hooks that are asked, receivers that are notified.
    """

    def __init__(
        self,
        config: Config,
        opened: OpenLedger,
        *,
        workers: int,
        tasks: Tasks,
        clock: Clock = CLOCK,
        outside: Outside = ALONE,
    ) -> None:
        recalled, ledger = opened.recalled, opened.ledger
        self._ledger = ledger
        self._clock = clock
        self._tasks = tasks
        self._outside = outside
        self._draining = False
        self._roll_call = RollCall(workers)
        self.services = Services(config, recalled, clock.steady())
        self._trip_counts = TripCounts(recalled.trips, self.services.values())
        self.journal = Journal(ledger, opened.thread, clock.pause, tasks.spawn)
        self.journal.subscribe(self._trip_counts.written)
        self.history = History(self.journal, ledger)
        self.broadcast = Broadcast(recalled.last, settings(config), self._in_force, self)
        self._propagation = Propagation(self.journal, self.broadcast, ledger.acknowledge, self._entered)
        self._gates = Gates(outside.respondents, tasks.spawn, self._reassess, clock.monotonic)
        self._transitions = self._make_transitions()
        self._outages = Outages(clock, self._conditions)
        self._verdicts = Verdicts(self.services, self._transitions, self.broadcast, self._trip_counts)
        self._configuration = self._make_configuration()
        self.checkpoints = self._make_checkpoints(Totals(recalled.kept))
        self.overview = self._make_overview()
        self.orders = Orders(
            self.services,
            self._transitions,
            IdempotencyKeys(recalled.orders),
            remember=self._remember,
            show=self.overview.show,
            changed=self._reassess,
        )

    def _make_transitions(self) -> Transitions:
        return Transitions(
            self.journal,
            self._propagation,
            self._clock,
            called=self._roll_call.called,
            locate=self._outside.locate,
            agreed=self._gates.agreed,
            spawn=self._tasks.spawn,
        )

    def _make_configuration(self) -> Configuration:
        return Configuration(
            self.services,
            self.journal,
            self.broadcast,
            self._propagation,
            self._clock,
            locate=self._outside.locate,
            limit=self._outside.limit,
            settled=self._settled,
            gone=self._gone,
        )

    def _make_checkpoints(self, totals: Totals) -> Checkpoints:
        return Checkpoints(
            totals,
            self.journal,
            self._ledger,
            confirm=self.broadcast.confirm,
            pause=self._clock.pause,
            evidence=self._verdicts.evidence,
        )

    def _make_overview(self) -> Overview:
        return Overview(
            self.services,
            self._clock,
            journal=self.journal,
            checkpoints=self.checkpoints,
            broadcast=self.broadcast,
            propagation=self._propagation,
            transitions=self._transitions,
            gates=self._gates,
            trip_counts=self._trip_counts,
            roll_call=self._roll_call,
            outside=self._outside,
            conditions=self._conditions,
            outages=self._outages,
        )

    def __repr__(self) -> str:
        state = "draining" if self._draining else "ready" if self.ready else "starting"
        return f"<Control {state}: {len(self.services)} services, generation {self.broadcast.generation}>"

    @property
    def ready(self) -> bool:
        """Whether every worker has had a table at one time, and nothing is draining."""
        return self._roll_call.served and not self._draining

    async def start(self) -> None:
        """Bring the ledger up to the file, and begin. NotDurable when a release can't be written."""
        await self._configuration.begin()
        self._roll_call.begin()
        self._tasks.spawn("keep counts", self.checkpoints.run())
        self._tasks.spawn("tick", self._tick_on())
        self._tasks.spawn("resolve and probe", self._outside.run(self.broadcast))
        # Before a worker has its table, or the first requests would find no address.
        await self._outside.locate(_endpoints(self._in_force()))

    async def reload(self, config: Config) -> Changes:
        """Put another file in force, whole; return what changed. NotDurable: nothing was changed."""
        return await self._configuration.reload(config)

    async def tick(self) -> None:
        """See what time alone has changed: windows that ran out, workers that are gone for good."""
        async for managed in in_turns(list(self.services.values())):
            self._reassess(managed)
            if not managed.gone:
                self._outages.look(managed)
        await self.checkpoints.forget_gone(self.broadcast.boots, self._clock.monotonic())

    def drain(self) -> None:
        """Report not ready from now on."""
        self._draining = True
        self.checkpoints.hurry()

    async def stop(self) -> None:
        """Keep what was counted, write what waits, and close the ledger."""
        await self._tasks.cancel()
        await self.checkpoints.keep()
        await self.journal.close()

    # What workers report; called by the broadcast.

    def hello(self, hello: Hello) -> None:
        """Adopt what a worker holds: a control that died may have sent what it never wrote."""
        for name, revision in hello.held.items():
            if managed := self.services.get(name):
                held = Held(revision, CANARY in hello.halted.get(name, ()))
                self._transitions.apply(managed, held)

    def report(self, report: Report) -> None:
        """Count a report, and judge the services that it has news of."""
        self._verdicts.count(self.checkpoints.take(report), self._clock.monotonic())
        self._roll_call.reported(report.boot)

    def acknowledged(self) -> None:
        """See which entries every worker has, and whether each worker has had a table."""
        self._propagation.acknowledge(self._clock.monotonic())
        self._roll_call.acknowledged(self.broadcast.serving)

    # What follows.

    def _entered(self, managed: ManagedService, record: Record) -> None:
        """See to what follows from an entry that has come into force, of an order, the plan or the file."""
        if not managed.gone:
            self._attend(managed)
        self._outside.notify(managed, record, self._propagation.rollback_ms(managed))

    def _settled(self, managed: ManagedService) -> None:
        """See to what follows from a service's section of the file that is in force."""
        self._attend(managed)
        if found := drift(managed):
            way = (
                f"; to apply the file's: {found.apply}"
                if found.apply
                else ": `weir get` prints the lines for it"
            )
            log.warning("%s: %s%s", managed.name, found.text, way)

    def _attend(self, managed: ManagedService) -> None:
        """Count a service's checks and probe its endpoints, which may be others than before."""
        self._trip_counts.expect(managed)
        self._outside.watch(managed)

    def _reassess(self, managed: ManagedService) -> None:
        """Judge one service, and see whether its rollout may go on and who has to be asked."""
        self._verdicts.reassess(managed, self._clock.monotonic())
        self._gates.check(managed, self._clock.steady())

    def _gone(self, name: str) -> None:
        """See to a service that the file no longer has."""
        self._outages.forget(name)
        self._outside.forget(name)

    def _conditions(self, managed: ManagedService) -> Mapping[str, str]:
        broadcast = self.broadcast
        probes, workers = self._outside.conditions(managed.name), len(broadcast.boots)
        return endpoints.conditions(managed, probes, broadcast.ejections, workers)

    def _remember(self, service: str, terms: OrderTerms) -> None:
        self.journal.call_later(self._ledger.remember, service, terms.key, terms.digest, self._clock.wall())

    def _in_force(self) -> Iterator[Service]:
        return (managed.service for managed in self.services.values())

    async def _tick_on(self) -> None:
        while True:
            await self._clock.pause()
            await self.tick()


def _endpoints(services: Iterator[Service]) -> Iterator[Endpoint]:
    return (endpoint for each in services for endpoint in each.endpoints)
