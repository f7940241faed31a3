import pytest

from proxy.analysis.policy import Policy
from proxy.control.estimate import assured, duration
from proxy.rollout.plan import Gate, Plan, Step

PLAN = Plan((Step(100, 60.0, 200), Gate("ask"), Step(5000, 60.0, 200), Step(10_000, 30.0, 9_000)))
UNASKED = Policy(step_up=None)


def test_what_assurance_takes_at_the_best():
    assert 400 < assured(Policy()) < 450, "JUDGING: 420 canary requests with no errors"
    assert assured(UNASKED) == assured(Policy(comparing=False)) == 0


@pytest.mark.parametrize(
    ("done", "policy", "rate", "seconds"),
    [
        (0, UNASKED, 100.0, 200.0 + 60.0 + 90.0),
        (1, UNASKED, 100.0, 60.0 + 90.0),
        (3, UNASKED, 100.0, 90.0),
        (0, UNASKED, 1000.0, 60.0 + 60.0 + 30.0),
        (0, UNASKED, 0.0, None),
    ],
)
def test_a_step_takes_its_hold_or_its_sample(done, policy, rate, seconds):
    assert duration(PLAN, done, policy, rate) == seconds


def test_assurance_is_waited_for_where_a_coin_is_tossed():
    shown = assured(Policy())
    assert duration(PLAN, 0, Policy(), 100.0) == shown / 1.0 + 60.0 + 90.0
