"""The plan of a rollout in the file, as the rollout takes it."""

from dataclasses import dataclass

from proxy import defaults
from proxy.config import schema
from proxy.rollout.plan import Gate, Plan, Step


@dataclass(frozen=True, slots=True)
class Planned:
    """What the file defines for a service's rollouts: the plan, and what holds for steps without it."""

    plan: Plan | None = None
    hold: float = defaults.STEP_HOLD
    """Seconds."""
    min_requests: int = defaults.STEP_REQUESTS
    deadline: float | None = defaults.ROLLOUT_DEADLINE
    """Seconds; None: none."""


def plan(service: schema.Service) -> Plan | None:
    """Return the steps, each with its hold and sample; None without a plan in the file."""
    rollout = service.rollout
    if rollout is None:
        return None
    return Plan(tuple(_step(rollout, step) for step in rollout.steps), rollout.deadline)


def _step(rollout: schema.Rollout, step: schema.RolloutStep) -> Step | Gate:
    if step.weight is None:
        return Gate(step.pause or "")
    hold = rollout.hold if step.hold is None else step.hold
    sample = rollout.min_requests if step.min_requests is None else step.min_requests
    return Step(step.weight, hold, sample)
