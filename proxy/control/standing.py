"""Where one service stands: what the file says of it, the state in force, and the evidence on its canary."""

import asyncio
from dataclasses import dataclass, replace

from proxy.analysis.verdict import Verdict
from proxy.config import schema
from proxy.control.evidence import Evidence
from proxy.control.release import checks, in_force
from proxy.rollout.rollout import Rollout
from proxy.routing.table import Service
from proxy.telemetry.tally import Counts


@dataclass(slots=True)
class Rollback:
    """A trip on its way to the workers: told under `generation`, decided at `began` (monotonic seconds)."""

    generation: int
    began: float
    acknowledged_ms: float | None = None
    """How long it took until every connected worker had it; None until then."""


class Standing:
    """One service in control's charge. `rollout` is in force; `numbered` is the highest number given away.

    `template` is what `file` says of it to the workers.
    """

    def __init__(self, template: Service, file: schema.Service, rollout: Rollout) -> None:
        self.name = template.name
        self.file = file
        self.checks = checks(file)
        self.evidence = Evidence(self.checks)
        self.verdict: Verdict = self.evidence.verdict(0.0)
        self.raising = asyncio.Lock()
        """Held by whoever raises the weight: one after the other. Lowering never waits for it."""
        self.lowered = 0
        """The revision that lowered the weight last, 0 when none did since control began."""
        self.rollback: Rollback | None = None
        self._template = template
        self.rollout = rollout
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

    def number(self, rollout: Rollout) -> None:
        """An entry that leads to `rollout` is on its way to the ledger."""
        self.numbered = max(self.numbered, rollout.revision)

    def enter(self, rollout: Rollout) -> Service:
        """Put a state in force; what the workers are to be told."""
        self.number(rollout)
        if rollout.since != self.rollout.since:
            self.evidence.clear()
            self.verdict = self.evidence.verdict(0.0)
            self.rollback = None
        self.rollout = rollout
        self.service = in_force(self._template, rollout)
        return self.service

    def count(self, revision: int, backend: str, delta: Counts, now: float) -> bool:
        """Take answers as evidence, unless they were routed before evidence on this canary began."""
        if revision < self.rollout.since:
            return False
        self.evidence.add(backend, delta, now)
        return True

    def judge(self, now: float) -> Verdict:
        """The verdict on the evidence of now."""
        self.verdict = self.evidence.verdict(now)
        return self.verdict
