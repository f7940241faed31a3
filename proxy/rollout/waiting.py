"""The conditions that a rollout waits for before it goes on, and the hooks that have to be asked."""

from dataclasses import dataclass

from proxy.analysis.verdict import HEALTHY, INCONCLUSIVE, VerdictState
from proxy.rollout.inputs import Look
from proxy.rollout.phases import PROGRESSING, PROMOTING
from proxy.rollout.plan import Step
from proxy.rollout.rollout import Rollout

START = "before-start"
"""Asked before the first step: does the canary answer, do the hooks agree."""
STEP = "before-step"
"""Asked before each step."""
PROMOTION = "before-promotion"
"""Asked before the canary becomes stable."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is missing yet. Nothing of it: it is `due`, and only those that `asks` names are to be asked."""

    hold: float
    """Seconds for which the step has to last yet; 0.0: none."""
    have: int
    """Answers of the canary since the step was entered."""
    need: int
    verdict: VerdictState
    """HEALTHY where nothing depends on it."""
    asks: tuple[str, ...]

    @property
    def due(self) -> bool:
        """Whether the step has had what it needs."""
        return self.hold <= 0 and self.have >= self.need and self.verdict == HEALTHY


def asks(rollout: Rollout) -> tuple[str, ...]:
    """Return the hooks that are asked before the next move that the plan makes."""
    if rollout.phase == PROMOTING:
        return (PROMOTION,)
    if rollout.phase != PROGRESSING or rollout.plan is None:
        return ()
    first = () if rollout.step else (START,)
    return (*first, STEP) if isinstance(rollout.plan.after(rollout.step), Step) else first


def waiting(rollout: Rollout, look: Look, at: float) -> Waiting | None:
    """Return what there is to wait for at `at` (unix seconds); None unless the plan moves by itself."""
    if rollout.phase not in (PROGRESSING, PROMOTING) or rollout.plan is None:
        return None
    step = rollout.plan.at(rollout.step) if rollout.phase == PROGRESSING else None
    if not isinstance(step, Step):
        return Waiting(0.0, look.answers, 0, HEALTHY, asks(rollout))
    hold = max(0.0, rollout.entered + step.hold - at)
    verdict = HEALTHY if not look.enforce or _nothing_to_judge(step, look) else look.verdict.state
    return Waiting(hold, look.answers, step.min_requests, verdict, asks(rollout))


def _nothing_to_judge(step: Step, look: Look) -> bool:
    """Return whether the verdict waits for answers only, where a step needs none and shows nothing."""
    verdict = look.verdict
    wanted = step.min_requests or look.answers or verdict.assurance is not None
    return not wanted and verdict.state == INCONCLUSIVE and (verdict.odds or 0.0) <= 1.0
