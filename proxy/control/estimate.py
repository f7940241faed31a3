"""What it takes to say how long a plan will take: the traffic seen, and what is to be shown by it."""

from proxy.analysis.assurance import Step
from proxy.analysis.policy import Policy
from proxy.analysis.windows import SHOWN
from proxy.control.standing import Standing


def rate(standing: Standing, now: float) -> float:
    """Requests a second to all backends lately. `now` is monotonic seconds."""
    seen = [standing.judge.shown(backend, now) for backend in standing.backends]
    return sum(each.requests + each.excluded for each in seen if each) / SHOWN


def assured(policy: Policy) -> int:
    """Canary requests that show it good enough for a larger weight, if none of them is bad."""
    if not (policy.comparing and policy.step_up):
        return 0
    latency = policy.slower is not None
    return Step(policy.step_up, latency=latency).assurance(1.0, latency=latency, rate=0.0).requests or 0
