"""Evidence goes to the judges; trips, steps and thresholds come out."""

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from proxy.control.broadcast import Broadcast
from proxy.control.standing import Standing
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
        standings: Mapping[str, Standing],
        transitions: Transitions,
        broadcast: Broadcast,
        trip_counts: TripCounts,
    ) -> None:
        self._standings = standings
        self._transitions = transitions
        self._broadcast = broadcast
        self._trip_counts = trip_counts

    def __repr__(self) -> str:
        return f"<Verdicts of {', '.join(self._standings)}>"

    def count(self, deltas: Iterable[Delta], now: float) -> None:
        """Count one report, and judge the services that it has news of.

        All that a report has of one service is one piece of evidence.
        """
        tallies: dict[str, list[tuple[int, str, Counts]]] = {}
        for (name, revision, backend), counts in deltas:
            tallies.setdefault(name, []).append((revision, backend, counts))
        for name, tally in tallies.items():
            standing = self._standings.get(name)
            if standing and standing.assessment.count(tally, now):
                self._send_thresholds(standing, now)
                if standing.rollout.has_canary and standing.assessment.judge.failing(now):
                    self._judge(standing, now)

    def reassess(self, standing: Standing, now: float) -> None:
        """Judge what time alone has changed, and let the rollout go on if it may."""
        rollout, counted = standing.rollout, standing.assessment.counted
        if counted:
            self._send_thresholds(standing, now)
        if rollout.has_canary and (counted or rollout.phase in UNDER_WAY):
            self._judge(standing, now)

    def evidence(self, names: Collection[str]) -> dict[str, Any]:
        """Return the evidence on these services for the ledger, as plain JSON values."""
        return {name: self._standings[name].assessment.to_json() for name in names if name in self._standings}

    def _judge(self, standing: Standing, now: float) -> None:
        verdict = standing.assessment.assess(now)
        if verdict.failing and not standing.file.enforce:
            self._record_would_trip(standing, verdict.failing[0].check)
        self._transitions.proceed(standing)

    def _record_would_trip(self, standing: Standing, check: str) -> None:
        if standing.assessment.record_would_trip(check):
            self._trip_counts.would_trip(standing.name, check)
            sentence = standing.assessment.verdict.sentence
            log.warning("%s: the canary would be taken out (enforce is off): %s", standing.name, sentence)

    def _send_thresholds(self, standing: Standing, now: float) -> None:
        if thresholds := standing.assessment.new_thresholds(now):
            self._broadcast.set_thresholds(standing.name, thresholds)
