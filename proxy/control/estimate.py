"""What it takes to say how long a plan will take."""

from proxy.analysis.assurance import Step
from proxy.analysis.policy import Policy


def assured(policy: Policy) -> int:
    """Canary requests that show it good enough for a larger weight, if none of them is bad."""
    if not (policy.comparing and policy.step_up):
        return 0
    latency = policy.slower is not None
    return Step(policy.step_up, latency=latency).assurance(1.0, latency=latency, rate=0.0).requests or 0
