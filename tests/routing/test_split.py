from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.split import TOTAL, Split, percent

NAMES = ("canary", "next", "nightly")


@st.composite
def splits(draw: st.DrawFn) -> Split:
    bounds = sorted(draw(st.lists(st.integers(0, TOTAL), min_size=0, max_size=len(NAMES))))
    parts = [high - low for low, high in zip([0, *bounds], bounds, strict=False)]
    return Split(tuple(zip(NAMES, parts, strict=False)))


@given(splits())
def test_every_backend_gets_exactly_its_parts(split: Split) -> None:
    seen = Counter(split.pick(n) for n in range(TOTAL))
    assert {name: seen[name] for name in (*NAMES, "stable")} == {
        name: split.part(name) for name in (*NAMES, "stable")
    }
    assert sum(seen.values()) == TOTAL


@given(st.integers(0, TOTAL), st.integers(0, TOTAL), st.integers(0, TOTAL - 1))
def test_raising_the_weight_takes_nobody_off_the_canary(one: int, other: int, n: int) -> None:
    low, high = Split((("canary", min(one, other)),)), Split((("canary", max(one, other)),))
    assert low.pick(n) == "stable" or high.pick(n) == "canary"


def test_without_a_weight_all_is_stables() -> None:
    assert Split().part("stable") == TOTAL
    assert Split().part("canary") == 0
    assert {Split((("canary", 0),)).pick(n) for n in range(TOTAL)} == {"stable"}
    assert {Split((("canary", TOTAL),)).pick(n) for n in range(TOTAL)} == {"canary"}


@pytest.mark.parametrize(
    "weights",
    [
        (("canary", -1),),
        (("canary", TOTAL + 1),),
        (("canary", 6000), ("next", 4001)),
        (("canary", 6000), ("next", -1)),
        (("stable", 1),),
        (("canary", 1), ("canary", 1)),
    ],
)
def test_refuses_parts_that_do_not_add_up(weights: tuple[tuple[str, int], ...]) -> None:
    with pytest.raises(ValueError, match="split"):
        Split(weights)


@given(splits())
def test_survives_json(split: Split) -> None:
    assert Split.from_json(split.to_json()) == split


@pytest.mark.parametrize(("parts", "shown"), [(0, 0.0), (1, 0.01), (2999, 29.99), (10_000, 100.0)])
def test_percent(parts: int, shown: float) -> None:
    assert percent(parts) == shown
