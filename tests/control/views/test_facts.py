import pytest

from proxy.analysis.policy import Policy, StepUp
from proxy.control.views.facts import NONE, Blast, Facts, assured


def test_nothing_is_known_at_first() -> None:
    assert Facts() == NONE
    assert NONE.blast.to_json() == {
        "met": 0, "harmed": 0, "gave_up": 0, "rescued": 0, "exposed_users": None, "since": None,
    }  # fmt: skip


def test_a_radius_as_the_api_shows_it() -> None:
    assert Blast(met=5, harmed=1, rescued=2, exposed_users=4, since=0.0).to_json() == {
        "met": 5, "harmed": 1, "gave_up": 0, "rescued": 2, "exposed_users": 4,
        "since": "1970-01-01T00:00:00.000+00:00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "least", "most"),
    [
        (Policy(), 400, 450),  # JUDGING: 420 canary requests with no errors
        (Policy(step_up=StepUp(0.1, 0.95)), 200, 250),  # what latency takes,
        (Policy(step_up=None), 0, 0),
        (Policy(comparing=False), 0, 0),
    ],
)
def test_what_assurance_takes_at_the_best(policy: Policy, least: int, most: int) -> None:
    assert least <= assured(policy) <= most
