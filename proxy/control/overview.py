"""What is shown of all services: their views, their explanations and the numbers of /metrics."""

from collections.abc import Mapping
from typing import Any

from proxy.control.broadcast import Broadcast
from proxy.control.gates import Gates
from proxy.control.outside.contract import Outside
from proxy.control.propagation import Propagation
from proxy.control.roll_call import RollCall
from proxy.control.schedule import Clock, in_turns
from proxy.control.standing import Standing
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
        standings: Mapping[str, Standing],
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
    ) -> None:
        self._standings = standings
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

    def __repr__(self) -> str:
        return f"<Overview of {len(self._standings)} services>"

    @property
    def generation(self) -> int:
        """The number of the routing table that was sent last."""
        return self._broadcast.generation

    def names(self) -> list[str]:
        """Return the services in the order of the file."""
        return list(self._standings)

    def view(self, name: str) -> dict[str, Any]:
        """Return everything that is shown of one service (KeyError when there is none)."""
        return self.show(self._standings[name])

    def show(self, standing: Standing) -> dict[str, Any]:
        """Return everything that is shown of a service, also of one that the file no longer has."""
        durable, now = self._journal.durable(standing.name), self._clock.monotonic()
        return view.view(standing, durable, now, self._facts(standing))

    def explain(self, name: str) -> dict[str, Any]:
        """Return what happened to a service's canary, in words (KeyError when there is none)."""
        standing, durable = self._standings[name], self._journal.durable(name)
        return view.explanation(standing, self._facts(standing), durable=durable)

    async def snapshot(self) -> Snapshot:
        """Return what /metrics shows. The ledger has these counts: none falls if this process dies now."""
        await self._roll_call.called()
        sums = self._checkpoints.totals.sums(self._broadcast.boots)
        totals = {side: counts async for side, counts in in_turns(sums)}
        # After they were summed: what is reported meanwhile is not in the ledger yet.
        await self._checkpoints.keep()
        return await snapshot.collect(
            totals=totals,
            standings=list(self._standings.values()),
            trips=self._trip_counts.trips,
            would_trips=self._trip_counts.would_trips,
            now=self._clock.monotonic(),
            operations=self._outside.operations(),
        )

    def _facts(self, standing: Standing) -> Facts:
        since, boots = standing.rollout.since, self._broadcast.boots
        return gather(
            standing,
            lately=self._checkpoints.totals.recent(standing.name, since, boots),
            rollout=self._rollout_facts(standing),
            probes=self._outside.conditions(standing.name),
            rollback_ms=self._propagation.rollback_ms(standing),
        )

    def _rollout_facts(self, standing: Standing) -> RolloutFacts:
        answers, assessment = self._gates.answers(standing), standing.assessment
        return RolloutFacts(
            at=self._clock.wall(),
            rate=assessment.traffic.rate(self._clock.monotonic()),
            assured=assured(assessment.policy),
            answers=assessment.answers,
            refused_at=answers.refused_at,
            refusal=answers.refusal,
            refusals=answers.refusals,
            stuck=self._transitions.stuck(standing),
        )
