"""Plans as orders give them."""

from typing import Any

import pytest

from proxy.control.api import order_parser
from proxy.control.api.requests import Faults
from proxy.rollout.plan import Gate, Plan, Step
from proxy.settings.plan import Planned


def plan(**document: Any) -> Plan | None:
    """The plan in a body that has no fault."""
    faults = Faults()
    found = order_parser.plan(document, Planned(), faults)
    assert faults.found == []
    return found


def faults(**document: Any) -> dict[str, str]:
    """What is wrong with a body, by where."""
    found = Faults()
    assert order_parser.plan(document, Planned(), found) is None
    return dict(found.found)


def test_percents_get_the_files_hold_sample_and_deadline() -> None:
    assert plan(steps=[1, 100]) == Plan((Step(100, 120.0, 200), Step(10_000, 120.0, 200)), 86_400.0)
    planned = Planned(hold=600.0, min_requests=50, deadline=None)
    assert order_parser.plan({"steps": [100]}, planned, Faults()) == Plan((Step(10_000, 600.0, 50),), None)


def test_the_order_says_otherwise_for_all_steps_or_for_one() -> None:
    found = plan(
        steps=[{"weight": 1, "hold": 5}, {"pause": "ask"}, {"weight": 100, "min_requests": 0}],
        hold=60,
        min_requests=10,
        deadline=None,
    )
    assert found == Plan((Step(100, 5.0, 10), Gate("ask"), Step(10_000, 60.0, 0)), None)


@pytest.mark.parametrize("given", [None, {}, 5, "1,100", [], [1] * 101])
def test_what_is_no_list_of_steps(given: Any) -> None:
    assert "is no list of 1 to 100 steps" in faults(steps=given)["#/steps"]


@pytest.mark.parametrize(
    ("given", "where", "what"),
    [
        ([1, "5", 100], "#/steps/1", "is no weight"),
        ([{}, 100], "#/steps/0", "is no step; expected a percent"),
        ([{"weight": 101}, 100], "#/steps/0/weight", "is no weight"),
        ([{"weight": 1, "hold": "1m"}, 100], "#/steps/0/hold", "is no duration"),
        ([{"weight": 1, "min_requests": -1}, 100], "#/steps/0/min_requests", "is no number of answers"),
        ([{"weight": 1, "wait": 1}, 100], "#/steps/0/wait", "it is not a key here"),
        ([{"pause": "x", "weight": 1}, 100], "#/steps/0/weight", "it is not a key here; expected pause"),
        ([{"pause": " "}, 100], "#/steps/0/pause", "it is empty"),
        ([0, 100], "#/steps/0", "0 % is not more than 0 % before it"),
        ([5, {"pause": "x"}, 5, 100], "#/steps/2", "5 % is not more than 5 % before it"),
        ([10, 5, 100], "#/steps/1", "5 % is not more than 10 % before it"),
        ([1, 99.0], "#/steps/1", "is no weight"),  # a float: the reader of bodies makes decimals
        ([1, 99], "#/steps", "the last weight is not 100 %"),
        ([{"pause": "x"}], "#/steps", "the last weight is not 100 %"),
        ([1, {"pause": "x"}, {"pause": "y"}, 100], "#/steps/2", "it pauses right after a pause"),
    ],
)
def test_what_is_wrong_with_steps(
    given: list[dict[str, int | str] | float | str], where: str, what: str
) -> None:
    found = faults(steps=given)
    assert list(found) == [where]
    assert what in found[where]


def test_all_that_is_wrong_is_named() -> None:
    found = faults(steps=["1", {"weight": "x", "hold": -1}], hold="1m", min_requests="x", deadline=0)
    assert list(found) == [
        *("#/hold", "#/min_requests", "#/deadline", "#/steps/0", "#/steps/1/weight", "#/steps/1/hold"),
    ]


def test_what_is_read_is_a_plan_for_the_rollout() -> None:
    """Rising weights up to 100 % are what Plan insists on, so nothing is let through that it refuses."""
    for given in ([100], [{"pause": "first"}, 1, 50, 100], [1, 100, {"pause": "last"}]):
        assert isinstance(plan(steps=given), Plan)
