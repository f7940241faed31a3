import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.rollout.plan import AT_ONCE, Gate, Plan, Step
from tests.rollout.rollouts import PLAN

ONLY = Step(10_000, 0.0, 0)


@pytest.mark.parametrize(
    ("entered", "weight"), [(0, 0), (1, 100), (2, 500), (3, 500), (4, 2500), (5, 10_000), (6, 10_000)]
)
def test_the_weight_is_that_of_the_last_step_and_a_gate_leaves_it(entered: int, weight: int) -> None:
    assert PLAN.weight(entered) == weight


def test_a_gate_before_the_first_step_leaves_nothing() -> None:
    assert Plan((Gate("go?"), ONLY), None).weight(1) == 0


def test_which_step_it_is_in_and_which_comes_next() -> None:
    assert [PLAN.at(n) for n in range(6)] == [None, *PLAN.steps]
    assert [PLAN.after(n) for n in range(6)] == [*PLAN.steps, None]


@pytest.mark.parametrize(
    "weights",
    [
        (),
        (100,),
        (100, 9_999),
        (0, 10_000),
        (-5, 10_000),
        (500, 100, 10_000),
        (100, 100, 10_000),
        (10_000, 10_000),
        (100, 10_001),
    ],
)
def test_weights_that_do_not_rise_from_more_than_0_to_all_are_no_plan(weights: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"rise from more than 0 to 10000 parts, not \["):
        Plan(tuple(Step(weight, 0.0, 0) for weight in weights), None)


def test_gates_alone_are_no_plan() -> None:
    with pytest.raises(ValueError, match="rise"):
        Plan((Gate("go?"),), None)


def test_the_finest_steps_and_gates_anywhere_are_legal() -> None:
    Plan((Gate("a"), Step(1, 0.0, 0), Step(2, 0.0, 0), Gate("b"), ONLY, Gate("c")), 60.0)


def test_at_once_is_all_of_it() -> None:
    assert Plan((ONLY,), None) == AT_ONCE


def test_json_is_plain_and_short() -> None:
    plan = Plan((Step(100, 60.0, 50), Gate("go?"), ONLY), 3600.0)
    assert plan.to_json() == {"steps": [[100, 60.0, 50], "go?", [10_000, 0.0, 0]], "deadline": 3600.0}


steps = st.builds(
    lambda weights, hold, need: tuple(Step(weight, hold, need) for weight in (*sorted(weights), 10_000)),
    st.sets(st.integers(1, 9_999), max_size=5),
    st.floats(0, 1e6),
    st.integers(0, 10_000),
)
plans = st.builds(
    lambda steps, text, place, deadline: Plan((*steps[:place], Gate(text), *steps[place:]), deadline),
    steps,
    st.text(),
    st.integers(0, 6),
    st.none() | st.floats(0, 1e6),
)


@given(plans)
def test_json_round_trip(plan: Plan) -> None:
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@given(plans)
def test_no_step_lowers_the_weight(plan: Plan) -> None:
    weights = [plan.weight(entered) for entered in range(len(plan.steps) + 1)]
    assert weights == sorted(weights)
    assert (weights[0], weights[-1]) == (0, 10_000)
