"""What a policy allows, and which checks it has."""

import pytest

from proxy.analysis.check import Check
from proxy.analysis.policy import Caps, Policy, StepUp


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


def test_bars_are_one_over_what_may_be_wrong() -> None:
    assert Policy(false_rollbacks=0.01).bar == pytest.approx(100)
    assert StepUp(confidence=0.95).bar == pytest.approx(20)
