"""Evidence goes to the judges; trips, steps and thresholds come out."""

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from proxy.control.broadcast import Broadcast
from proxy.control.managed_service import ManagedService
from proxy.control.transitions import Transitions
from proxy.control.trip_counts import TripCounts
from proxy.ledger.totals import Delta
from proxy.rollout.phases import UNDER_WAY
from proxy.telemetry.counts import Counts

log = logging.getLogger(__name__)


class Verdicts:
    """The judges of all services. `now` is monotonic seconds."""

    def __init__(
        self,
        managed_services: Mapping[str, ManagedService],
        transitions: Transitions,
        broadcast: Broadcast,
        trip_counts: TripCounts,
    ) -> None:
        self._managed = managed_services
        self._transitions = transitions
        self._broadcast = broadcast
        self._trip_counts = trip_counts

    def __repr__(self) -> str:
        return f"<Verdicts of {', '.join(self._managed)}>"

    def count(self, deltas: Iterable[Delta], now: float) -> None:
        """Count one report, and judge the services that it has news of.

        All that a report has of one service is one piece of evidence.
        """
        tallies: dict[str, list[tuple[int, str, Counts]]] = {}
        for (name, revision, backend), counts in deltas:
            tallies.setdefault(name, []).append((revision, backend, counts))
        for name, tally in tallies.items():
            managed = self._managed.get(name)
            if managed and managed.assessment.count(tally, now):
                self._send_thresholds(managed, now)
                if managed.rollout.has_canary and managed.assessment.judge.failing(now):
                    self._judge(managed, now)

    def reassess(self, managed: ManagedService, now: float) -> None:
        """Judge what time alone has changed, and let the rollout go on if it may."""
        rollout, counted = managed.rollout, managed.assessment.counted
        if counted:
            self._send_thresholds(managed, now)
        if rollout.has_canary and (counted or rollout.phase in UNDER_WAY):
            self._judge(managed, now)

    def evidence(self, names: Collection[str]) -> dict[str, Any]:
        """Return the evidence on these services for the ledger, as plain JSON values."""
        return {name: self._managed[name].assessment.to_json() for name in names if name in self._managed}

    def _judge(self, managed: ManagedService, now: float) -> None:
        verdict = managed.assessment.assess(now)
        if verdict.failing and not managed.file.enforce:
            self._record_would_trip(managed, verdict.failing[0].check)
        self._transitions.proceed(managed)

    def _record_would_trip(self, managed: ManagedService, check: str) -> None:
        if managed.assessment.record_would_trip(check):
            self._trip_counts.would_trip(managed.name, check)
            sentence = managed.assessment.verdict.sentence
            log.warning("%s: the canary would be taken out (enforce is off): %s", managed.name, sentence)

    def _send_thresholds(self, managed: ManagedService, now: float) -> None:
        if thresholds := managed.assessment.new_thresholds(now):
            self._broadcast.set_thresholds(managed.name, thresholds)
