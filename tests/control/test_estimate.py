import pytest

from proxy.analysis.policy import Policy, StepUp
from proxy.config.reading import read
from proxy.control.estimate import assured, rate
from proxy.control.release import side, template
from proxy.control.standing import Standing
from proxy.rollout.rollout import Rollout
from proxy.telemetry.counts import Counts

CONFIG = read("services: {shop: {stable: http://a, canary: http://b}}", "weir.yaml", {})
FILE = CONFIG.services["shop"]


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


def test_the_rate_is_that_of_the_last_30_seconds_on_both_sides():
    rollout = Rollout(revision=2, since=1, weight=500, stable=side(FILE.stable), canary=side(FILE.canary))
    standing = Standing(template("shop", FILE, CONFIG.timeouts, None), FILE, rollout)
    assert rate(standing, 5.0) == 0
    standing.count([(2, "stable", Counts(drawn={"success": 280, "excluded": 10}))], 5.0)
    standing.count([(2, "canary", Counts(drawn={"failure": 10}))], 5.0)
    assert rate(standing, 5.0) == 10
    assert rate(standing, 60.0) == 0
