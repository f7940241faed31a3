"""The judge of one canary: reports go in, and a verdict comes out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Any

from proxy.analysis import comparison, evidence, rules
from proxy.analysis.assurance import AssuranceBets
from proxy.analysis.blast_radius import BlastRadius
from proxy.analysis.conclusion import Basis, conclude
from proxy.analysis.guard import Guard, share
from proxy.analysis.incident import Incident
from proxy.analysis.observations import Observations, RevisionCounts, by_revision
from proxy.analysis.policy import Policy, StepUp
from proxy.analysis.rules import ByWindow
from proxy.analysis.thresholds import LatencyThresholds
from proxy.analysis.verdict import ERROR_LIMIT, ERRORS, FAILING, Assurance, Finding, Verdict
from proxy.analysis.warm_up import WarmUp
from proxy.analysis.weight_history import WeightHistory, odds
from proxy.routing.split import CANARY, STABLE, TOTAL
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import QUANTILES, Thresholds
from proxy.telemetry.window import SHOWN, Windows

_NOTHING = Counts()


class Judge:
    """Judges one canary of one service by a policy. `now` is monotonic seconds and never falls.

    Counts come from reports, with the revision under which their requests were routed. The caller
    leaves out those of another release, and those that a person forgave.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._weights = WeightHistory()
        self._thresholds = LatencyThresholds(policy.late) if policy.late else None
        """Where latency isn't compared, they show what hangs."""
        self._incident = Incident()
        self.blast_radius = BlastRadius()
        """How far the canary's harm reaches, since the release began."""
        self._begin()

    def __repr__(self) -> str:
        return f"<Judge at {self._weights}: {self._evidence}, {self._assurance_bets}>"

    def _begin(self) -> None:
        """Begin without evidence of anything."""
        policy = self._policy
        latencies = QUANTILES if policy.slower else ()
        limit = () if policy.error_limit is None else (ERROR_LIMIT,)
        self._seen = dict.fromkeys((ERRORS, *latencies, *limit), Observations())
        self._evidence = evidence.begin(policy)
        self._assurance_bets = self._fresh_assurance_bets()
        self._sample = Observations()
        """Requests of the coin since the weight is what it is, also where it always falls the same."""
        self._guard = Guard()
        self._windows = Windows(check.window for check in policy.checks)
        self._warm_up: WarmUp | None = None
        """The time in which the canary is cold; None: it is warm."""
        self._heard = inf
        """When the first report came."""

    def _fresh_assurance_bets(self) -> AssuranceBets:
        return AssuranceBets(self._policy.step_up or StepUp(), latency=self._policy.slower is not None)

    @property
    def _compares_latency(self) -> bool:
        return self._policy.comparing and self._policy.slower is not None

    @property
    def revision(self) -> int:
        """The newest that was put in force; -1 before there is any."""
        return self._weights.revision

    def weigh(self, revision: int, parts: int) -> None:
        """Take note of a state in force, under which the canary has so many of 10,000 parts.

        The first call is the beginning. Another weight begins assurance anew, and the rounds of sticky
        services; a higher one stakes cash, and the canary is cold for a while. A known or older revision
        changes nothing.
        """
        first = self._weights.revision < 0
        change = self._weights.put(revision, parts)
        if change:
            self._evidence.weighed(change, parts)
            self._assurance_bets = self._fresh_assurance_bets()
            self._sample = Observations()
        if self._compares_latency and (change > 0 or (first and parts)):
            if self._policy.warm_up:
                self._warm_up = WarmUp(self._policy.warm_up)
            elif change:
                self._evidence.warm()

    def apply(self, tally: Sequence[tuple[int, str, Counts]], now: float) -> None:
        """Count one report, whole: revision, backend and what came since the last one, of this service.

        Requests of a revision that was never put in force, or too long ago, are no evidence for bets.
        """
        self._heard = min(self._heard, now)
        for _, backend, counts in tally:
            self._windows.add(backend, counts, now)
            if backend == CANARY:
                self.blast_radius.add(counts)
            elif backend == STABLE:
                self._incident.add(counts, now)
                if self._thresholds:
                    self._thresholds.add(counts.head, now)
        self._warm(now)
        if self._policy.comparing:
            self._compare(by_revision(self._seen, tally, self._weights), now)

    def _warm(self, now: float) -> bool:
        """Return whether the canary is warm. Once it is, latencies and assurance are looked at as usual."""
        if self._warm_up and self._warm_up.over(now):
            self._warm_up = None
            self._evidence.warm()
            self._assurance_bets = self._fresh_assurance_bets()
        return self._warm_up is None

    def _compare(self, report: Sequence[RevisionCounts], now: float) -> None:
        self._evidence.apply(report, now)
        for part in report:
            if self._warm_up and part.current:
                self._warm_up.add(part.canary.drawn_meant)
            self._seen = {name: seen.plus(part.observations[name]) for name, seen in self._seen.items()}
            if part.current:
                events = part.observations
                self._sample = self._sample.plus(events[ERRORS])
                if self._warm_up:
                    continue  # what is slow is said by wider limits, which assure nobody
                if self._policy.sticky:
                    events = self._assurance_bets.once(events, part.stable.users.events)
                self._assurance_bets.apply(events, part.odds)

    def verdict(self, now: float) -> Verdict:
        """Return the verdict on the canary now.

        It is failing when anything fails; the first failing finding is the one to name. It is healthy when
        the canary is good enough for what comes next, else inconclusive.
        """
        canary, stable = self._windows.counts(CANARY, now), self._windows.counts(STABLE, now)
        lately = canary.get(SHOWN, _NOTHING)
        return conclude(
            Basis(
                policy=self._policy,
                parts=self._weights.parts,
                compared=tuple(self._compared(lately)),
                watched=tuple(self._watched(canary, stable)),
                assurance=self._assurance(lately, now),
                lately=share(lately)[1],
                sample=self._sample.canary,
                bad=self._sample.canary_bad,
                incident=self._incident.share(now),
                cold_for=self.cold_for,
            )
        )

    def failing(self, now: float) -> bool:
        """Return whether the verdict would be that the canary is failing, without the reasons: cheaper."""
        policy = self._policy
        if policy.comparing and self._evidence.reach(policy.bar, self._weights.parts):
            return True
        canary, stable = self._windows.counts(CANARY, now), self._windows.counts(STABLE, now)
        return any(finding.state == FAILING for finding in self._watched(canary, stable))

    def _compared(self, lately: Counts) -> Iterable[Finding]:
        if not self._policy.comparing:
            return ()
        capitals = self._evidence.capitals(self._weights.parts)
        thresholds = self._thresholds if self._compares_latency else None
        return comparison.findings(self._policy, self._seen, capitals, thresholds, lately.head)

    def _watched(self, canary: ByWindow, stable: ByWindow) -> Iterator[Finding]:
        if self._policy.guard:
            lately, beside = canary.get(SHOWN, _NOTHING), stable.get(SHOWN, _NOTHING)
            finding = self._guard.look(self._weights.parts, lately, beside)
            if finding:
                yield finding
        yield from self.blast_radius.findings(self._policy.caps)
        yield from rules.findings(self._policy.checks, canary, stable)

    def _assurance(self, lately: Counts, now: float) -> Assurance | None:
        """Return None where no coin is tossed, or nothing is to be shown."""
        parts = self._weights.parts
        if not (self._policy.comparing and self._policy.step_up and 0 < parts < TOTAL):
            return None
        rate = lately.drawn_meant / min(max(now - self._heard, 1.0), SHOWN)
        known = self._thresholds.stable if self._thresholds and self._compares_latency else ()
        latency = len(known) == len(QUANTILES)
        return self._assurance_bets.assurance(odds(parts), latency=latency, rate=rate)

    def thresholds(self, now: float) -> dict[str, Thresholds]:
        """Return above how many seconds an answer is slow, by backend; {} when nothing judges.

        Where latency isn't compared, only the canary has any: above the last one its answer is overdue.

        They follow stable's answers every 10 s, and are there as soon as a sample is.
        """
        if self._thresholds is None:
            return {}
        found = self._thresholds.thresholds(now, cold=not self._warm(now))
        return found if self._compares_latency else {CANARY: found[CANARY]}

    @property
    def cold_for(self) -> float:
        """Seconds for which the canary is cold yet, fewer once it has had enough requests; 0: it is warm."""
        return self._warm_up.left if self._warm_up else 0.0

    def shown(self, backend: str, now: float) -> Counts | None:
        """Return what a backend answered within the last 30 s, for people; None when there was nothing."""
        counts = self._windows.shown(backend, now)
        return counts if counts.requests + counts.excluded else None

    def afresh(self) -> None:
        """Begin evidence, assurance and guard anew, as a person resumes after a rollback.

        They have a bound of their own. The blast radius goes on, and caps count what comes from now on.
        """
        self._weights = WeightHistory()  # or the weight that it comes back with would be a rise
        self._begin()
        self.blast_radius.forgive()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values: what must survive a restart of control.

        Windows, thresholds, the rounds of sticky services and their assurance aren't part of it and begin
        anew: they cover minutes, or know users by the thousand. That costs time and not the bound, as the
        numbers of rounds count on.
        """
        return {
            "weights": self._weights.to_json(),
            "case": self._evidence.to_json(),
            "step": None if self._policy.sticky else self._assurance_bets.to_json(),
            "sample": None if self._policy.sticky else self._sample.to_json(),
            "seen": {name: seen.to_json() for name, seen in self._seen.items()},
            "guard": self._guard.to_json(),
            "radius": self.blast_radius.to_json(),
            "warm_up": self._warm_up.to_json() if self._warm_up else None,
        }

    @classmethod
    def from_json(cls, policy: Policy, data: Mapping[str, Any]) -> "Judge":
        """Return a judge that goes on from what `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: It wrote no such `data`, or evidence on other terms than the
            policy's, which can't be carried over.
        """
        judge = cls(policy)
        judge._weights = WeightHistory.from_json(data["weights"])
        judge._evidence = evidence.resume(policy, data["case"])
        if data["step"] is not None:
            judge._assurance_bets.resume(data["step"])
            sample = data.get("sample")  # an older version had it in the assurance alone
            judge._sample = Observations(*sample) if sample else judge._assurance_bets.sample
        judge._seen = {name: Observations(*data["seen"][name]) for name in judge._seen}
        judge._guard = Guard.from_json(data["guard"])
        judge.blast_radius = BlastRadius.from_json(data["radius"])
        if (cold := data.get("warm_up")) is not None:
            judge._warm_up = WarmUp.from_json(policy.warm_up, cold)
        return judge
