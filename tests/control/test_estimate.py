import pytest

from proxy.analysis.policy import Policy, StepUp
from proxy.control.estimate import assured


@pytest.mark.parametrize(
    ("policy", "least", "most"),
    [
        (Policy(), 400, 450),  # JUDGING: 420 canary requests with no errors
        (Policy(step_up=StepUp(0.1, 0.95)), 200, 250),  # what latency takes,
        (Policy(step_up=None), 0, 0),
        (Policy(comparing=False), 0, 0),
    ],
)
def test_what_assurance_takes_at_the_best(policy, least, most):
    assert least <= assured(policy) <= most
