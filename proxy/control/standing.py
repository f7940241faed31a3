"""Where one service stands: what the file says of it, the state in force, and the judge of its canary."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from proxy.analysis.blast_radius import BlastRadius
from proxy.analysis.judge import Judge
from proxy.analysis.verdict import HEALTHY, INCONCLUSIVE, Verdict
from proxy.config import schema
from proxy.control.traffic import Traffic
from proxy.rollout.inputs import Look
from proxy.rollout.plan import Step
from proxy.rollout.rollout import Rollout
from proxy.routing.split import CANARY
from proxy.routing.table import Service
from proxy.settings.policy import UNJUDGED, policy
from proxy.settings.service import in_force, recalled
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import Thresholds

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking who has to agree before a rollout goes on from this revision."""

    revision: int = -1
    open: frozenset[str] = frozenset()
    """Whose questions were all answered with yes."""
    at: str = ""
    """Where it was refused last."""
    says: str = ""
    """Why not, as it was said last; "" when nobody refused."""
    tries: int = 0
    """How often somebody refused."""
    again: float = 0.0
    """When to ask once more, in monotonic seconds."""


@dataclass(slots=True)
class Rollback:
    """A trip on its way to the workers: told under `generation`, decided at `began` (monotonic seconds)."""

    generation: int
    began: float
    acknowledged_ms: float | None = None
    """How long it took until every connected worker had it; None until then."""


class Standing:
    """One service in control's charge. `rollout` is in force; `numbered` is the highest number given away.

    `template` is what `file` says of it to the workers, `kept` what `to_json` gave to the ledger.
    """

    def __init__(
        self, template: Service, file: schema.Service, rollout: Rollout, kept: dict[str, Any] | None = None
    ) -> None:
        self.name = template.name
        self.file = file
        self.rollout = rollout = recalled(rollout, file)
        self.policy = policy(file) if rollout.has_canary else UNJUDGED
        self.would_trip = ""
        """The check that would have taken the canary out, were verdicts not only watched; "" for none."""
        self.answers = 0
        """Of the canary, since the step of the plan was entered."""
        self.judge = self._recalled(kept) if kept else Judge(self.policy)
        self.judge.weigh(rollout.revision, rollout.weight)
        self.verdict: Verdict = self.judge.verdict(0.0)
        self._judged = -1
        """The revision that was in force at the last verdict."""
        self.traffic = Traffic()
        self.heard = False
        """Whether anything was counted since control began."""
        self.thresholds: dict[str, Thresholds] = {}
        """Those that the workers were told last."""
        self.gone = False
        """Whether the file names it no more: whatever is under way for it comes to nothing."""
        self.raising = asyncio.Lock()
        """Held by an order, or the plan, that raises the weight: one at a time. Lowering never waits."""
        self.lowered = 0
        """The revision that lowered the weight last, 0 when none did since control began."""
        self.rollback: Rollback | None = None
        self.asked = Asked()
        self.moving: asyncio.Task[None] | None = None
        """The rollout on its way to where its plan leads; None when it isn't."""
        self.stuck = ""
        """Why it could not go there the last time; "" when it could, or something else has come since."""
        self._template = template
        self.numbered = rollout.revision
        self.service: Service = in_force(self._template, rollout)

    def __repr__(self) -> str:
        state = self.rollout
        return f"<Standing of {self.name}: revision {state.revision}, {state.phase}, {state.weight} parts>"

    @property
    def backends(self) -> list[str]:
        """The names of its backends, stable first."""
        return [backend.name for backend in self.service.backends]

    @property
    def basis(self) -> Rollout:
        """The state in force, under the highest number given away: what the next entry counts on from.

        An entry that raises is numbered before it is in force, and a trip may overtake it meanwhile.
        """
        return replace(self.rollout, revision=max(self.numbered, self.rollout.revision))

    @property
    def template(self) -> Service:
        """What the file says of it to the workers."""
        return self._template

    def configure(self, file: schema.Service, template: Service) -> None:
        """Go by another word of the file. Evidence that was gathered on other terms begins anew."""
        self.file, self._template = file, template
        wanted = policy(file) if self.rollout.has_canary else UNJUDGED
        if wanted != self.policy:
            kept, self.policy = self.to_json(), wanted
            self.judge = self._recalled(kept)
            self.judge.weigh(self.rollout.revision, self.rollout.weight)
            self.verdict = self.judge.verdict(0.0)
        self.service = in_force(template, self.rollout)

    def number(self, rollout: Rollout) -> None:
        """An entry that leads to `rollout` is on its way to the ledger."""
        self.numbered = max(self.numbered, rollout.revision)

    def enter(self, rollout: Rollout) -> Service:
        """Put a state in force; what the workers are to be told."""
        self.number(rollout)
        self.stuck = ""
        before, self.rollout = self.rollout, rollout
        anew = rollout.since != before.since or rollout.has_canary != before.has_canary
        if anew:
            self._judge_anew(before)
        if rollout.step_revision != before.step_revision:
            self.answers = 0
        self.judge.weigh(rollout.revision, rollout.weight)
        if anew:
            self.verdict = self.judge.verdict(0.0)
        self.service = in_force(self._template, rollout)
        return self.service

    def _judge_anew(self, before: Rollout) -> None:
        """No evidence counts any more, against another canary, this one, or nobody."""
        wanted = policy(self.file) if self.rollout.has_canary else UNJUDGED
        if self.rollout.since == before.since:  # it was promoted: all that is left is how far it went
            kept, self.policy = self.judge.to_json(), wanted
            self.judge = self._anew(kept)
        elif self.rollout.salt != before.salt or wanted != self.policy:
            self.policy, self.judge = wanted, Judge(wanted)
        else:
            self.judge.afresh()
        self.rollback = None
        self.would_trip = ""

    def look(self) -> Look:
        """What the rollout has to know of here and now."""
        asked, verdict = self.asked, self.verdict
        agreed = asked.open if asked.revision == self.rollout.revision else frozenset()
        if verdict.state == HEALTHY and self._judged != self.rollout.revision:
            # It was good enough for the step before: that says nothing of this one.
            verdict = replace(verdict, state=INCONCLUSIVE)
        return Look(verdict, self.file.enforce, self.answers, agreed)

    def question(self, at: str) -> dict[str, Any]:
        """What a hook is asked before the rollout goes on."""
        rollout = self.rollout
        step = rollout.plan.after(rollout.step) if rollout.plan else None
        to = step.weight if isinstance(step, Step) else rollout.weight
        return {
            "at": at,
            "service": self.name,
            "revision": rollout.revision,
            "phase": rollout.phase,
            "version": rollout.canary.version,
            "endpoints": [endpoint.url for endpoint in rollout.canary.endpoints],
            "step": rollout.step,
            "of": len(rollout.plan.steps) if rollout.plan else 0,
            "from": rollout.weight / 100,
            "to": to / 100,
            "verdict": self.verdict.to_json(),
        }

    def count(self, tally: Sequence[tuple[int, str, Counts]], now: float) -> bool:
        """Take one report as evidence, but for what was routed before evidence on this canary began."""
        self.traffic.add(sum(counts.requests + counts.excluded for _, _, counts in tally), now)
        counted = [each for each in tally if each[0] >= self.rollout.since]
        if not counted:
            return False
        self.heard = True
        for revision, backend, counts in counted:
            if backend == CANARY and revision >= self.rollout.step_revision:
                self.answers += counts.requests
        self.judge.apply(counted, now)
        return True

    def judged(self, now: float) -> Verdict:
        """The verdict on the evidence of now."""
        self.verdict, self._judged = self.judge.verdict(now), self.rollout.revision
        return self.verdict

    def shares(self, now: float) -> dict[str, float] | None:
        """What part (0..1) of all recent requests each backend had; None without any."""
        seen = {backend: self.judge.shown(backend, now) for backend in self.backends}
        counts = {name: each.requests + each.excluded if each else 0 for name, each in seen.items()}
        total = sum(counts.values())
        return {name: count / total for name, count in counts.items()} if total else None

    def to_json(self) -> dict[str, Any]:
        """The evidence, and what it is on: plain JSON values for the ledger."""
        return {
            "salt": self.rollout.salt,
            "since": self.rollout.since,
            "judge": self.judge.to_json(),
            "would_trip": self.would_trip,
            "answers": [self.rollout.step_revision, self.answers],
        }

    def _recalled(self, kept: dict[str, Any]) -> Judge:
        """The judge that was kept, if it judged this canary by these checks; else a new one."""
        if (kept["salt"], kept["since"]) == (self.rollout.salt, self.rollout.since):
            if not self.rollout.has_canary:
                return self._anew(kept["judge"])  # it was promoted: all that is left is how far it went
            try:
                judge = Judge.from_json(self.policy, kept["judge"])
                self.would_trip = str(kept["would_trip"])
                revision, answers = kept.get("answers", (0, 0))
                self.answers = int(answers) if revision == self.rollout.step_revision else 0
                if judge.revision <= self.rollout.revision:
                    return judge
                log.warning("%s: the evidence in the ledger is ahead of its state, it begins anew", self.name)
            except (KeyError, TypeError, ValueError) as error:
                said = "%s: the evidence in the ledger was gathered otherwise, it begins anew: %r"
                log.warning(said, self.name, error)
            return self._anew(kept["judge"])
        return Judge(self.policy)

    def _anew(self, kept: dict[str, Any]) -> Judge:
        """A judge without evidence, but of the same release: how far its harm went is known."""
        judge = Judge(self.policy)
        try:
            judge.blast_radius = BlastRadius.from_json(kept["radius"])
        except (KeyError, TypeError, ValueError) as error:
            log.warning(
                "%s: the ledger can't tell how far the harm of the release went: %r", self.name, error
            )
        return judge
