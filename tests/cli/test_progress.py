"""Rollouts as text."""

import pytest

from proxy.cli import progress
from tests.cli.fake_admin import Make


def test_a_state(view: Make, rolling_view: Make, tripped_view: Make) -> None:
    assert progress.state(view()) == "idle"
    assert progress.state(rolling_view()) == "progressing, step 1 of 3"
    assert progress.state(rolling_view(phase="promoted")) == "promoted"
    assert progress.state(tripped_view()) == "rolled-back"
    assert progress.state(rolling_view(phase="rolled-back", step=2)) == "rolled-back, step 2 of 3"


def test_a_plan_marks_where_it_is(rolling_view: Make) -> None:
    assert list(progress.plan(rolling_view(step=2))) == [
        "  step 1  5 % for 10 min and 200 answers",
        "> step 2  pause: ask the on-call",
        "  step 3  100 %",
    ]


@pytest.mark.parametrize(
    ("hold", "answers", "text"),
    [
        (0, 0, "1 %"),
        (90, 0, "1 % for 90 s"),
        (0, 1500, "1 % for 1,500 answers"),
        (7200, 1, "1 % for 2.0 h and 1 answer"),
    ],
)
def test_the_terms_of_a_step(hold: int, answers: int, text: str) -> None:
    assert progress.step_text({"weight": 1.0, "hold": hold, "min_requests": answers}) == text


def test_how_long_it_may_take(rolling_view: Make) -> None:
    view = rolling_view()
    assert progress.expectation(view) == "about 42 min at 41 requests a second, and 1 pause"
    view["rollout"]["rate"] = 10.0
    assert "at 10 requests a second" in progress.expectation(view)
    view["rollout"]["step"] = 2
    assert progress.expectation(view).endswith("a second"), "the pause is here, or behind"
    view["rollout"]["step"] = 1
    view["rollout"]["rate"] = 2.5
    view["rollout"]["steps"][1:2] = []
    assert progress.expectation(view) == "about 42 min at 2.5 requests a second"
    view["rollout"] |= {"expected": None, "rate": 0.0}
    assert progress.expectation(view) == "no estimate yet of how long it takes, without traffic"


def test_what_a_step_takes_beside_its_time(rolling_view: Make) -> None:
    view = rolling_view()
    assert "about 434 good answers" in progress.proof(view)
    view["rollout"]["assured"] = 0
    assert progress.proof(view) == ""


@pytest.mark.parametrize(
    ("expected", "deadline", "late"),
    [(100, 200, False), (200, 200, False), (300, 200, True), (None, 200, False), (300, None, False)],
)
def test_a_plan_that_outlives_its_deadline(
    rolling_view: Make, expected: int | None, deadline: int | None, late: bool
) -> None:
    view = rolling_view()
    view["rollout"] |= {"expected": expected, "deadline": deadline}
    said = progress.lateness(view)
    assert bool(said) is late
    if late:
        assert "takes about 5 min" in said
        assert "the rollout is paused after its deadline of 3 min" in said


def test_where_it_is(view: Make, rolling_view: Make, paused_view: Make) -> None:
    assert list(progress.course(view())) == []
    first = rolling_view(step=0)
    assert next(progress.course(first)).startswith("before step 1 of 3: 31 of 200")
    assert next(progress.course(paused_view())) == ("step 2 of 3: paused: ask the on-call")
    first["rollout"] |= {"expected": None}
    assert len(list(progress.course(first))) == 1
    last = next(progress.course(rolling_view(step=3)))
    assert last.startswith("step 3 of 3 (100 %): 31 of 200")
    first["rollout"]["waiting"] = None
    assert list(progress.course(first)) == [], "it is not under way"


def test_what_stands_in_the_way(view: Make, rolling_view: Make, paused_view: Make) -> None:
    assert progress.obstacle(view()) == ""
    waits = rolling_view()
    assert progress.obstacle(waits) == ""
    waits["rollout"]["waiting"]["gate"] = {"at": "before-step", "says": "answered 503", "asked": 3}
    assert progress.obstacle(waits) == "before-step: answered 503"
    assert progress.obstacle(paused_view(), " -x") == (
        "paused: ask the on-call; to go on: weir promote checkout -x"
    )


@pytest.mark.parametrize(("step", "order"), [(2, "promote"), (1, "resume"), (0, "resume")])
def test_a_pause_of_the_plan_is_promoted_and_one_by_hand_resumed(
    paused_view: Make, step: int, order: str
) -> None:
    assert list(progress.advice(paused_view(step=step))) == [f"to go on: weir {order} checkout"]


def test_the_ways_back(tripped_view: Make, rolling_view: Make, view: Make) -> None:
    assert list(progress.advice(tripped_view())) == ["to let the canary back in at 20 %: weir resume pay"]
    planned = tripped_view(rollout=rolling_view()["rollout"], trip=None)
    assert list(progress.advice(planned)) == [
        "to let the canary back in: weir resume pay",
        "to begin again from the first step: weir retry pay",
    ]
    undo = {"endpoints": ["http://a", "http://b"], "version": "v1"}
    promoted = view(phase="promoted", undo=undo, orders=["start", "undo"])
    assert list(progress.advice(promoted)) == ["to go back to v1: weir undo checkout"]
    promoted["undo"]["version"] = ""
    assert list(progress.advice(promoted)) == ["to go back to http://a, http://b: weir undo checkout"]
    assert list(progress.advice(view(phase="promoted", orders=["start", "undo"]))) == []
    assert list(progress.advice(promoted | {"orders": []})) == []
