"""Plans of rollouts: their forms, their order, and what is told of mistakes."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.config.reader import read
from proxy.config.rollout import Rollout, RolloutStep


def rollout(written: str) -> Rollout:
    text = f"services: {{a: {{stable: http://a, canary: http://b, rollout: {written}}}}}"
    found = read(text, "f", {}).services["a"].rollout
    assert found
    return found


def test_what_is_left_out() -> None:
    found = rollout("{steps: [100%]}")
    assert (found.start, found.hold, found.min_requests, found.deadline) == ("manual", 120.0, 200, 86_400.0)
    (step,) = found.steps
    assert (step.weight, step.hold, step.min_requests, step.pause) == (10_000, None, None, None)


def test_everything_written() -> None:
    found = rollout(
        "{start: on-change, hold: 0, min_requests: 0, deadline: none, steps: ["
        "{weight: 0.01%, hold: 90s, min_requests: 500}, {pause: ask the on-call}, "
        "25%, 100 %, {pause: 'really?'}]}"
    )
    assert (found.start, found.hold, found.min_requests, found.deadline) == ("on-change", 0.0, 0, None)
    assert found.steps == (
        RolloutStep(weight="0.01%", hold="90s", min_requests="500"),
        RolloutStep(pause="ask the on-call"),
        RolloutStep(weight="25%"),
        RolloutStep(weight="100%"),
        RolloutStep(pause="really?"),
    )
    assert [(step.weight, step.hold, step.min_requests) for step in found.steps] == [
        (1, 90.0, 500), (None, None, None), (2500, None, None), (10_000, None, None), (None, None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "says", "advises"),
    [
        ("{}", "`steps` is missing from `services.checkout.rollout`", "`steps: [1%, 10%, 50%, 100%]`"),
        ("{steps: []}", "this list is empty", "`[1%, 10%, 50%, 100%]`"),
        ("{steps: '1%,10%,100%'}", "the single value `1%,10%,100%` stands where a list", "`[1%, 10%"),
        ("[1%, 100%]", "a list stands where a mapping is expected", "the keys `start`, `steps`"),
        ("on-change", "stands where a mapping is expected", "write `rollout: {start: on-change, steps: ["),
        ("{steps: [0.5, 100%]}", "`0.5` is a number without its unit, not a percent", "write `0.5%`"),
        ("{steps: [0%, 100%]}", "`0%` is less than 0.01 %", "from `0.01%` to `100%`"),
        ("{steps: [0.001%, 100%]}", "finer than 0.01 %", "`0.01%`"),
        ("{steps: [101%]}", "more than 100 %", "to `100%`"),
        ("{steps: [10%, 5%, 100%]}", "`5%` is not more than the step before it, `10%`", "weights rise"),
        ("{steps: [10%, 10.0%, 100%]}", "`10.0%` is not more than the step before it", "weights rise"),
        ("{steps: [10%, {pause: a}, {weight: 10%}, 100%]}", "`10%` is not more than", "weights rise"),
        ("{steps: [100%, 50%]}", "`50%` is not more than the step before it, `100%`", "up to `100%`"),
        ("{steps: [1%, 50%, {pause: a}]}", "this plan ends at `50%`", "add `100%` as the last step"),
        ("{steps: [{pause: a}]}", "no step of this plan has a weight", "add `100%`"),
        ("{steps: [{pause: a}, {pause: b}, 100%]}", "a pause stands right behind a pause", "one pause"),
        ("{steps: [{}, 100%]}", "a step is incomplete", "one of `weight` or `pause`"),
        ("{steps: [{weight: 1%, pause: a}, 100%]}", "`pause` and `weight` cannot be written", "one of"),
        ("{steps: [{pause: a, hold: 1m}, 100%]}", "`hold` belongs to a weight", "remove the key"),
        ("{steps: [{pause: a, min_requests: 1}, 100%]}", "`min_requests` belongs to a weight", "remove"),
        ("{steps: [1%, pause, 100%]}", "this pause has no text", '`{pause: "ask the on-call"}`'),
        ("{steps: [{pause: 10m}, 100%]}", "`10m` is a duration, and a pause", "write `hold: 10m` beside"),
        ("{steps: [{pause: {duration: 1m}}, 100%]}", "a mapping stands where a text", "write a text"),
        ("{steps: [{pause: ''}, 100%]}", "an empty text cannot be a remark", "`ask the on-call`"),
        ("{steps: [{weight: 1%, hlod: 1m}, 100%]}", "`hlod` is not a key of", "did you mean `hold`?"),
        ("{steps: [{weight: 1%, hold: 10}, 100%]}", "`10` is a number without its unit", "write `10s`"),
        ("{steps: [[1%], 100%]}", "a list stands where a mapping is expected", "`weight`, `hold`"),
        ("{steps: [100%], hold: 721h}", "`721h` is too long", "to `720h`"),
        ("{steps: [100%], min_requests: few}", "`few` is not a whole number", "from 0 to 1000000000"),
        ("{steps: [100%], deadline: off}", "`off` is a word", "or `none`"),
        ("{steps: [100%], start: auto}", "`auto` is not a way to start", "`manual` or `on-change`"),
        ("{steps: [100%], deadline: 2m}", "held for 2m, and the deadline is `2m`", "`deadline: none`"),
        ("{steps: [1%, 100%], hold: 12h}", "held for 24h, and the deadline is `24h`", "a longer deadline"),
        ("{steps: [{weight: 1%, hold: 1h}, 100%], deadline: 1h}", "held for 62m", "shorter holds"),
    ],
)  # fmt: skip
def test_what_is_wrong(of_service: Callable[..., Any], written: str, says: str, advises: str) -> None:
    (problem,) = of_service(f"stable: http://a\ncanary: http://b\nrollout: {written}")
    assert says in problem.message
    assert any(advises in line for line in problem.advice)


@pytest.mark.parametrize(
    "written",
    [
        "{steps: [1%, 100%], hold: 11h}",
        "{steps: [{weight: 1%, hold: 30m}, {pause: a}, {weight: 100%, hold: 29m}], deadline: 1h}",
        "{steps: [{weight: 100%, hold: 30h}], deadline: none}",
    ],
)
def test_holds_that_fit_the_deadline(written: str) -> None:
    assert rollout(written)


@pytest.mark.parametrize(
    ("step", "column"), [("2%", 41), ("{weight: 2%}", 50)]
)  # fmt: skip
def test_the_weight_itself_is_underlined(of_service: Callable[..., Any], step: str, column: int) -> None:
    (problem,) = of_service(f"stable: http://a\nrollout: {{hold: 1m, steps: [3%, {step}, 100%]}}")
    assert (problem.span.line, problem.span.column, problem.span.width) == (4, column - 4, 2)


def test_the_key_that_makes_it_too_long_is_underlined(of_service: Callable[..., Any]) -> None:
    (problem,) = of_service("stable: http://a\nrollout:\n  deadline: 1m\n  steps: [100%]")
    assert (problem.span.line, problem.span.width) == (5, len("deadline"))
    (problem,) = of_service("stable: http://a\nrollout:\n  hold: 24h\n  steps: [100%]")
    assert (problem.span.line, problem.span.width) == (6, len("steps"))


def test_several_mistakes_are_told_at_once(of_service: Callable[..., Any]) -> None:
    found = of_service("stable: http://a\nrollout: {steps: [5%, 1%, on, {pause: a}, {pause: b}], start: now}")
    assert [problem.message.split(" ")[0] for problem in found] == ["`1%`", "`on`", "a", "`now`"]
