"""How the types of keys take a value of the wrong shape."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.config.problems import Unfit
from proxy.config.units import percent
from proxy.config.values import attempt, kind, or_word, share, size


@pytest.mark.parametrize(
    ("keys", "says", "advises"),
    [
        ("weight: [5%]", "a list stands where a percent such as `5%` is expected", "write a percent"),
        (
            "stable: {endpoints: {a: b}}",
            "a mapping stands where a list is expected",
            "write a URL, or a list",
        ),
        (
            "segments: testers",
            "the single value `testers` stands where a list is expected",
            "list of segments",
        ),
        ("stable: []", "this list is empty", "write a URL"),
        ("halt: true", "the single value `true` stands where a mapping is expected", "the key `drain`"),
    ],
)
def test_wrong_shapes(of_service: Callable[..., Any], keys: str, says: str, advises: str) -> None:
    stable = "" if "stable" in keys else "stable: http://a\ncanary: http://b\n"
    (problem,) = of_service(stable + keys)
    assert says in problem.message
    assert advises in problem.advice[0]


def test_one_word_may_stand_for_no_value() -> None:
    may_be = or_word("none", size(1, 1024))
    assert (may_be.read("none"), may_be.read("1KiB")) == (None, 1024)
    with pytest.raises(Unfit) as caught:
        may_be.read("0")
    assert caught.value.advice == "write a size from `1B` to `1KiB`, or `none`"
    assert may_be.expected == "a size such as `16KiB`, or `none`"


def test_a_share_is_a_percent_within_bounds_read_as_a_ratio() -> None:
    read = share(1, 20_000).read
    assert [read(text) for text in ("0.01%", "25%", "200%")] == [0.0001, 0.25, 2.0]
    with pytest.raises(Unfit) as caught:
        read("200.01%")
    assert (caught.value.message, caught.value.advice) == (
        "`200.01%` is more than 200 %", "write a percent from `0.01%` to `200%`",
    )  # fmt: skip


def test_an_attempt_is_none_when_the_value_is_not_well_written() -> None:
    assert attempt(percent, "5%") == 500
    assert attempt(percent, "5") is None
    assert attempt(percent, ["5%"]) is None


def test_kinds_are_named() -> None:
    assert [kind(raw) for raw in ("x", [], {})] == ["the single value `x`", "a list", "a mapping"]
