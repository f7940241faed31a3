"""How long a plan takes at the traffic that is seen, if all goes well."""

from proxy.analysis.assurance import Step as Assuring
from proxy.analysis.policy import Policy
from proxy.analysis.windows import SHOWN
from proxy.control.standing import Standing
from proxy.rollout.plan import Plan, Step
from proxy.routing.split import TOTAL


def expected(standing: Standing, now: float) -> float | None:
    """Seconds that what is left of the plan takes; None without a plan or traffic. `now` is monotonic."""
    rollout = standing.rollout
    if rollout.plan is None:
        return None
    seen = [standing.judge.shown(backend, now) for backend in standing.backends]
    rate = sum(each.requests + each.excluded for each in seen if each) / SHOWN
    return duration(rollout.plan, max(0, rollout.step - 1), standing.policy, rate)


def duration(plan: Plan, done: int, policy: Policy, rate: float) -> float | None:
    """Seconds for the steps behind the first `done`, at `rate` requests a second; None for no traffic.

    A step takes its hold, or the time in which its sample and the assurance come together, if no canary
    request fails; whatever is longer. Nobody knows how long people take at a gate.
    """
    steps = [step for step in plan.steps[done:] if isinstance(step, Step)]
    if rate <= 0:
        return None
    shown = assured(policy)
    return sum(max(step.hold, _sample(step, shown) / (rate * step.weight / TOTAL)) for step in steps)


def _sample(step: Step, shown: int) -> int:
    """Answers of the canary; where no coin is tossed, nothing is shown by it."""
    return max(step.min_requests, shown if step.weight < TOTAL else 0)


def assured(policy: Policy) -> int:
    """Good answers of the canary that show it good enough for a larger weight."""
    if not (policy.comparing and policy.step_up):
        return 0
    latency = policy.slower is not None
    return Assuring(policy.step_up, latency=latency).assurance(1.0, latency=latency, rate=0.0).requests or 0
