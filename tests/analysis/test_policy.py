"""What a policy allows, and which checks it has."""

import pytest

from proxy.analysis.check import Check
from proxy.analysis.policy import Caps, Policy, Slower, StepUp


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        (Policy(), ("errors", "p50", "p90", "p99", "guard")),
        (Policy(slower=None, error_limit=0.05), ("errors", "error-limit", "guard")),
        (Policy(comparing=False, error_limit=0.05, guard=False), ()),
        (
            Policy(
                slower=None, guard=False, caps=Caps(harmed=50), checks=(Check("latency-p99", 0.4, 30, 20),)
            ),
            ("errors", "harmed", "latency-p99"),
        ),
        (Policy(comparing=False, caps=Caps(1, 2)), ("guard", "harmed", "exposed-users")),
    ],
)
def test_its_checks_have_names(policy: Policy, names: tuple[str, ...]) -> None:
    assert policy.names == names


@pytest.mark.parametrize(("threshold", "limit"), [(0.004, 0.009), (0.02, 0.025), (1.0, 1.25)])
def test_the_canary_may_be_later_by_the_larger_of_share_and_seconds(threshold: float, limit: float) -> None:
    assert Slower(by=0.25, at_least=0.005).limit(threshold) == pytest.approx(limit)


def test_bars_are_one_over_what_may_be_wrong() -> None:
    assert Policy(false_rollbacks=0.01).bar == pytest.approx(100)
    assert StepUp(confidence=0.95).bar == pytest.approx(20)
