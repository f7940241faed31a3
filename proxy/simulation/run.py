"""One run: traffic before the judge, until the canary is rolled back or the time is over.

A worker reports every 250 ms, and within 10 ms of a failure or of a request turning overdue; so time goes
in steps of 10 ms, and a report comes with the step after the failure: 10 to 20 ms, its way and the way of
the rollback to the workers included. While the canary is good it goes in steps of two seconds, or hours
would take minutes: each report is still applied whole, and cash moves behind it as ever, but the judge is
asked less often.
"""

from copy import deepcopy
from dataclasses import dataclass, replace

from proxy.analysis.judge import Judge
from proxy.analysis.policy import Policy
from proxy.analysis.verdict import FAILING, Verdict
from proxy.routing.split import TOTAL
from proxy.simulation.chance import Chance
from proxy.simulation.scenario import Canary, Scenario
from proxy.simulation.world import World

URGENT = 0.01
"""Seconds within which a worker reports a failure."""
REPORT = 0.25
"""Seconds between two reports otherwise."""
CALM = 2.0
"""Seconds that time goes on at once while the canary is good."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came of one run."""

    rolled_back: bool
    early: bool
    """It was rolled back while it was good."""
    requests: int
    """Requests meant for the canary that were sent from its onset until then; in all if it was good."""
    seconds: float
    """From the onset, or from the beginning if it was good."""
    checks: tuple[str, ...] = ()
    """The checks that failed."""


class Run:
    """A run under way."""

    def __init__(self, policy: Policy, scenario: Scenario, chance: Chance) -> None:
        self.scenario = scenario
        self.world = World(scenario, chance, sticky=policy.sticky)
        self.judge = Judge(policy)
        self._revision = 0
        self._reported = 0.0
        self._before = 0
        """Requests meant for the canary before its onset."""
        self._weigh(0.0 if scenario.alone else scenario.weight)

    def fork(self, canary: Canary, chance: Chance) -> "Run":
        """Return a run with the same past, and with another canary and chance from now on."""
        scenario = replace(self.scenario, canary=canary)
        run: Run = deepcopy(self, {id(self.world.chance): chance, id(self.scenario): scenario})
        return run

    def prelude(self) -> RunResult | None:
        """Run all that comes before the onset; return the result when the canary is rolled back within it."""
        scenario = self.scenario
        verdict = self._calm(scenario.alone)
        if scenario.alone:
            self._weigh(scenario.weight)
        verdict = verdict or self._calm(scenario.alone + scenario.onset)
        self._before = self.world.met
        return self._result(verdict, early=True) if verdict else None

    def rest(self) -> RunResult:
        """Run from the onset on."""
        scenario = self.scenario
        end = self.world.now + scenario.lasts
        if scenario.good:
            self._before = 0
            return self._result(self._calm(end), early=True)
        self.world.canary = scenario.canary.beside(scenario.stable)
        return self._result(self._closely(end), early=False)

    def _weigh(self, weight: float) -> None:
        self._revision += 1
        self.world.weight = weight
        self.judge.weigh(self._revision, round(weight * TOTAL))

    def _calm(self, end: float) -> Verdict | None:
        """Run in long steps; return the verdict when it is failing."""
        while self.world.now < end:
            self.world.pass_until(min(self.world.now + CALM, end))
            if verdict := self._report():
                return verdict
        return None

    def _closely(self, end: float) -> Verdict | None:
        """Run as workers report; return the verdict when it is failing."""
        world = self.world
        while world.now < end:
            urgent = world.urgent
            world.pass_until(world.now + URGENT)
            if (urgent or world.now - self._reported >= REPORT) and (verdict := self._report()):
                return verdict
        return None

    def _report(self) -> Verdict | None:
        world, judge = self.world, self.judge
        now = self._reported = world.now
        judge.apply([(self._revision, backend, counts) for backend, counts in world.report()], now)
        world.thresholds = judge.thresholds(now)
        verdict = judge.verdict(now)
        return verdict if verdict.state == FAILING else None

    def _result(self, verdict: Verdict | None, *, early: bool) -> RunResult:
        world, scenario = self.world, self.scenario
        begun = scenario.alone + (0.0 if scenario.good else scenario.onset)
        return RunResult(
            rolled_back=verdict is not None,
            early=early and verdict is not None,
            requests=world.met - self._before,
            seconds=world.now - begun,
            checks=tuple(finding.check for finding in verdict.failing) if verdict else (),
        )


def run(policy: Policy, scenario: Scenario, chance: Chance) -> RunResult:
    """Run from the beginning, and return what came of it."""
    begun = Run(policy, scenario, chance)
    return begun.prelude() or begun.rest()
