"""The assessment of one service's canary: its judge, the verdict, and the traffic that both rest on."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from proxy.analysis.blast_radius import BlastRadius
from proxy.analysis.judge import Judge
from proxy.analysis.outage import Outage
from proxy.analysis.policy import Policy
from proxy.analysis.verdict import HEALTHY, INCONCLUSIVE, NO_CANARY, Verdict
from proxy.config import schema
from proxy.control.traffic import Traffic
from proxy.rollout.rollout import Rollout
from proxy.routing.split import CANARY, STABLE
from proxy.settings.policy import UNJUDGED, policy
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import Thresholds

log = logging.getLogger(__name__)


class Assessment:
    """The judge of one canary, its last verdict, and its traffic. Times are monotonic seconds.

    Args:
        name: the service.
        file: the service's section of the config, which the policy is made from.
        rollout: the state in force.
        kept: what `to_json` gave to the ledger before a restart; None for nothing.
    """

    def __init__(
        self, name: str, file: schema.Service, rollout: Rollout, kept: dict[str, Any] | None = None
    ) -> None:
        self._name = name
        self._rollout = rollout
        self.policy = _policy(file, rollout)
        """The policy in force; `UNJUDGED` without a canary."""
        self.would_trip = ""
        """The check that would have taken the canary out if `enforce` were on; "" for none."""
        self.answers = 0
        """Answers of the canary since the step of the plan was entered."""
        self.judge = self._recalled(kept) if kept else Judge(self.policy)
        self.judge.weigh(rollout.revision, rollout.weight)
        self.verdict: Verdict = self._verdict(0.0)
        """The last verdict, for people."""
        self._judged = -1
        """The revision that was in force at the last verdict."""
        self.traffic = Traffic()
        self.outage = Outage()
        """What became of stable's latest requests, whatever release they met."""
        self.counted = False
        """Whether anything was counted since control began."""
        self._thresholds: dict[str, Thresholds] = {}
        """Those that the workers were sent last."""

    def __repr__(self) -> str:
        return f"<Assessment of {self._name}: {self.verdict.state}, {self.judge!r}>"

    @property
    def step_verdict(self) -> Verdict:
        """The last verdict as far as it holds for the state in force.

        A canary that was good enough for the state before isn't known to be for this one.
        """
        if self.verdict.state == HEALTHY and self._judged != self._rollout.revision:
            return replace(self.verdict, state=INCONCLUSIVE)
        return self.verdict

    def configure(self, file: schema.Service) -> None:
        """Judge by another section of the config. Under another policy the evidence begins anew."""
        wanted = _policy(file, self._rollout)
        if wanted == self.policy:
            return
        kept, self.policy = self.to_json(), wanted
        self.judge = self._recalled(kept)
        self.judge.weigh(self._rollout.revision, self._rollout.weight)
        self.verdict = self._verdict(0.0)

    def enter(self, file: schema.Service, rollout: Rollout) -> None:
        """Follow a state that has come into force."""
        before, self._rollout = self._rollout, rollout
        if rollout.stable != before.stable:
            self.outage = Outage()
        anew = rollout.since != before.since or rollout.has_canary != before.has_canary
        if anew:
            self._begin_anew(file, before)
        if rollout.step_revision != before.step_revision:
            self.answers = 0
        self.judge.weigh(rollout.revision, rollout.weight)
        if anew:
            self.verdict = self._verdict(0.0)

    def _begin_anew(self, file: schema.Service, before: Rollout) -> None:
        """Drop the evidence: the canary is another one, was resumed, or is gone."""
        wanted = _policy(file, self._rollout)
        if self._rollout.since == before.since:  # it was promoted: only its blast radius is still of interest
            kept, self.policy = self.judge.to_json(), wanted
            self.judge = self._with_radius(kept)
        elif self._rollout.salt != before.salt or wanted != self.policy:
            self.policy, self.judge = wanted, Judge(wanted)
        else:
            self.judge.afresh()
        self.would_trip = ""

    def count(self, tally: Sequence[tuple[int, str, Counts]], now: float) -> bool:
        """Take one report as evidence; return whether any of it counts.

        Requests that were routed before the evidence on this canary began don't.
        """
        self.traffic.add(sum(counts.requests + counts.excluded for _, _, counts in tally), now)
        for _, backend, counts in tally:
            if backend == STABLE:
                self.outage.add(counts, now)
        counted = [each for each in tally if each[0] >= self._rollout.since]
        if not counted:
            return False
        self.counted = True
        for revision, backend, counts in counted:
            if backend == CANARY and revision >= self._rollout.step_revision:
                self.answers += counts.requests
        self.judge.apply(counted, now)
        return True

    def assess(self, now: float) -> Verdict:
        """Return the verdict on the evidence of now, and keep it."""
        self.verdict, self._judged = self._verdict(now), self._rollout.revision
        return self.verdict

    def _verdict(self, now: float) -> Verdict:
        return self.judge.verdict(now) if self._rollout.has_canary else NO_CANARY

    def record_would_trip(self, check: str) -> bool:
        """Record the check that would have taken the canary out; return False if one is recorded already."""
        if self.would_trip:
            return False
        self.would_trip = check
        return True

    def new_thresholds(self, now: float) -> dict[str, Thresholds]:
        """Return the thresholds by backend if the workers don't have them yet, else {}."""
        thresholds = self.judge.thresholds(now)
        # After a restart of control there are none for a while, and the workers keep those that they have.
        if not any(thresholds.values()) or thresholds == self._thresholds:
            return {}
        self._thresholds = thresholds
        return thresholds

    def shares(self, backends: Sequence[str], now: float) -> dict[str, float] | None:
        """Return each backend's part (0..1) of all recent requests; None when there were none."""
        seen = {backend: self.judge.shown(backend, now) for backend in backends}
        counts = {name: each.requests + each.excluded if each else 0 for name, each in seen.items()}
        total = sum(counts.values())
        return {name: count / total for name, count in counts.items()} if total else None

    def to_json(self) -> dict[str, Any]:
        """Return the evidence, and which release and step it is about, as plain JSON values."""
        return {
            "salt": self._rollout.salt,
            "since": self._rollout.since,
            "judge": self.judge.to_json(),
            "would_trip": self.would_trip,
            "answers": [self._rollout.step_revision, self.answers],
        }

    def _recalled(self, kept: dict[str, Any]) -> Judge:
        """Return the judge that was kept if it judged this canary by this policy, else a new one."""
        if (kept["salt"], kept["since"]) == (self._rollout.salt, self._rollout.since):
            if not self._rollout.has_canary:
                return self._with_radius(kept["judge"])  # it was promoted
            try:
                judge = Judge.from_json(self.policy, kept["judge"])
                self.would_trip = str(kept["would_trip"])
                revision, answers = kept.get("answers", (0, 0))
                self.answers = int(answers) if revision == self._rollout.step_revision else 0
                if judge.revision <= self._rollout.revision:
                    return judge
                log.warning(
                    "%s: the evidence in the ledger is ahead of its state, it begins anew", self._name
                )
            except (KeyError, TypeError, ValueError) as error:
                message = "%s: the evidence in the ledger was gathered otherwise, it begins anew: %r"
                log.warning(message, self._name, error)
            return self._with_radius(kept["judge"])
        return Judge(self.policy)

    def _with_radius(self, kept: dict[str, Any]) -> Judge:
        """Return a judge without evidence that knows the blast radius of the release."""
        judge = Judge(self.policy)
        try:
            judge.blast_radius = BlastRadius.from_json(kept["radius"])
        except (KeyError, TypeError, ValueError) as error:
            log.warning("%s: the blast radius in the ledger can't be read: %r", self._name, error)
        return judge


def _policy(file: schema.Service, rollout: Rollout) -> Policy:
    return policy(file) if rollout.has_canary else UNJUDGED
