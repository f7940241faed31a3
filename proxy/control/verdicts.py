"""Evidence to the judges, and what they say to whom it concerns."""

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from proxy.control.broadcast import Broadcast
from proxy.control.standing import Standing
from proxy.control.transitions import Transitions
from proxy.ledger.totals import Delta
from proxy.rollout.phases import UNDER_WAY
from proxy.telemetry.counts import Counts

log = logging.getLogger(__name__)

CheckKey = tuple[str, str]
"""Service, and the name of one of its checks."""


class Verdicts:
    """The judges of all services: what is counted goes in, trips and thresholds come out."""

    def __init__(
        self, standings: Mapping[str, Standing], transitions: Transitions, broadcast: Broadcast
    ) -> None:
        self._standings = standings
        self._transitions = transitions
        self._broadcast = broadcast
        self.would_trips = {
            (name, standing.would_trip): 1 for name, standing in standings.items() if standing.would_trip
        }
        """How often each check would have taken its canary out, where verdicts are only watched."""

    def __repr__(self) -> str:
        return f"<Verdicts of {', '.join(self._standings)}>"

    def count(self, deltas: Iterable[Delta], now: float) -> None:
        """Judge whom one report concerns: what it says of a service is one piece of evidence."""
        tallies: dict[str, list[tuple[int, str, Counts]]] = {}
        for (name, revision, backend), counts in deltas:
            tallies.setdefault(name, []).append((revision, backend, counts))
        for name, tally in tallies.items():
            standing = self._standings.get(name)
            if standing and standing.count(tally, now):
                self._measure(standing, now)
                if standing.rollout.has_canary and standing.judge.failing(now):
                    self._judge(standing, now)

    def look(self, standing: Standing, now: float) -> None:
        """See what time alone has changed, and whether the rollout may go on."""
        rollout = standing.rollout
        if standing.heard:
            self._measure(standing, now)
        if rollout.has_canary and (standing.heard or rollout.phase in UNDER_WAY):
            self._judge(standing, now)

    def evidence(self, names: Collection[str]) -> dict[str, Any]:
        """What the judges of these services made of all that was counted, for the ledger."""
        return {name: self._standings[name].to_json() for name in names if name in self._standings}

    def _judge(self, standing: Standing, now: float) -> None:
        verdict, enforce = standing.judged(now), standing.file.enforce
        if verdict.failing and not enforce and not standing.would_trip:
            standing.would_trip = verdict.failing[0].check
            side = standing.name, standing.would_trip
            self.would_trips[side] = self.would_trips.get(side, 0) + 1
            log.warning("%s: the canary would be taken out (enforce is off): %s", side[0], verdict.sentence)
        self._transitions.happened(standing, standing.look())

    def _measure(self, standing: Standing, now: float) -> None:
        """Tell the workers from when on requests are slow, when that has changed."""
        thresholds = standing.judge.thresholds(now)
        # After a restart of control they are gone for a moment, and the workers keep those that they have.
        if any(thresholds.values()) and thresholds != standing.thresholds:
            standing.thresholds = thresholds
            self._broadcast.measure(standing.name, thresholds)
