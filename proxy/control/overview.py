"""What is shown of all services: their views, their explanations and the numbers of /metrics."""

from collections.abc import Callable, Mapping
from typing import Any

from proxy.control.broadcast import Broadcast
from proxy.control.gates import Gates
from proxy.control.managed_service import ManagedService
from proxy.control.outages import Outages
from proxy.control.outside.contract import Outside
from proxy.control.propagation import Propagation
from proxy.control.roll_call import RollCall
from proxy.control.schedule import Clock, in_turns
from proxy.control.transitions import Transitions
from proxy.control.trip_counts import TripCounts
from proxy.control.views import snapshot, view
from proxy.control.views.facts import Facts, RolloutFacts, assured, gather
from proxy.ledger.checkpoints import Checkpoints
from proxy.ledger.journal import Journal
from proxy.telemetry.exposition import Snapshot


class Overview:
    """Reads the state of services from those who own it, and makes what people and programs are shown."""

    def __init__(
        self,
        managed_services: Mapping[str, ManagedService],
        clock: Clock,
        *,
        journal: Journal,
        checkpoints: Checkpoints,
        broadcast: Broadcast,
        propagation: Propagation,
        transitions: Transitions,
        gates: Gates,
        trip_counts: TripCounts,
        roll_call: RollCall,
        outside: Outside,
        conditions: Callable[[ManagedService], Mapping[str, str]],
        outages: Outages,
    ) -> None:
        self._managed = managed_services
        self._clock = clock
        self._journal = journal
        self._checkpoints = checkpoints
        self._broadcast = broadcast
        self._propagation = propagation
        self._transitions = transitions
        self._gates = gates
        self._trip_counts = trip_counts
        self._roll_call = roll_call
        self._outside = outside
        self._conditions = conditions
        self._outages = outages

    def __repr__(self) -> str:
        return f"<Overview of {len(self._managed)} services>"

    @property
    def generation(self) -> int:
        """The number of the routing table that was sent last."""
        return self._broadcast.generation

    @property
    def failing(self) -> int:
        """How many services have a stable that is failing."""
        return len(self._outages)

    def names(self) -> list[str]:
        """Return the services in the order of the file."""
        return list(self._managed)

    def view(self, name: str) -> dict[str, Any]:
        """Return everything that is shown of one service (KeyError when there is none)."""
        return self.show(self._managed[name])

    def show(self, managed: ManagedService) -> dict[str, Any]:
        """Return everything that is shown of a service, also of one that the file no longer has."""
        durable, now = self._journal.durable(managed.name), self._clock.monotonic()
        return view.view(managed, durable, now, self._facts(managed))

    def explain(self, name: str) -> dict[str, Any]:
        """Return what happened to a service's canary, in words (KeyError when there is none)."""
        managed, durable = self._managed[name], self._journal.durable(name)
        return view.explanation(managed, self._facts(managed), durable=durable)

    async def snapshot(self) -> Snapshot:
        """Return what /metrics shows. The ledger has these counts: none falls if this process dies now."""
        await self._roll_call.called()
        sums = self._checkpoints.totals.sums(self._broadcast.boots)
        totals = {side: counts async for side, counts in in_turns(sums)}
        # After they were summed: what is reported meanwhile is not in the ledger yet.
        await self._checkpoints.keep()
        return await snapshot.collect(
            totals=totals,
            managed_services=list(self._managed.values()),
            trips=self._trip_counts.trips,
            would_trips=self._trip_counts.would_trips,
            now=self._clock.monotonic(),
            conditions=self._conditions,
            operations=self._outside.operations(),
        )

    def _facts(self, managed: ManagedService) -> Facts:
        since, boots = managed.rollout.since, self._broadcast.boots
        return gather(
            managed,
            lately=self._checkpoints.totals.recent(managed.name, since, boots),
            rollout=self._rollout_facts(managed),
            conditions=self._conditions(managed),
            outage=self._outages.of(managed.name),
            addresses=self._outside.addresses(managed.name),
            rollback_ms=self._propagation.rollback_ms(managed),
        )

    def _rollout_facts(self, managed: ManagedService) -> RolloutFacts:
        answers, assessment = self._gates.answers(managed), managed.assessment
        return RolloutFacts(
            at=self._clock.steady(),
            rate=assessment.traffic.rate(self._clock.monotonic()),
            assured=assured(assessment.policy),
            answers=assessment.answers,
            refused_at=answers.refused_at,
            refusal=answers.refusal,
            refusals=answers.refusals,
            stuck=self._transitions.stuck(managed),
        )
