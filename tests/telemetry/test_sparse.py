"""Sparse counts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.telemetry.sparse import by_word, merge, separate, whole_numbers

COUNTS = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 9))


@given(COUNTS, COUNTS)
def test_what_was_merged_can_be_separated_again(mine: dict[str, int], other: dict[str, int]) -> None:
    counts = dict(mine)
    merge(counts, other)
    assert counts == {key: mine.get(key, 0) + other.get(key, 0) for key in mine | other}
    separate(counts, other)
    assert counts == mine


@pytest.mark.parametrize("other", [{"a": 3}, {"b": 1}])
def test_no_more_can_be_taken_than_there_is(other: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="to be subtracted"):
        separate({"a": 2}, other)


def test_nothing_taken_from_nothing_leaves_no_trace() -> None:
    counts: dict[str, int] = {}
    separate(counts, {"a": 0})
    assert counts == {}


@pytest.mark.parametrize("data", [None, {}, "12", [1.0], [-1], [True], [None], ["1"]])
def test_whole_numbers_are_told_from_anything_else(
    data: dict[Any, Any] | list[float | str | None] | str | None,
) -> None:
    with pytest.raises(ValueError, match="expected"):
        whole_numbers(data)


@pytest.mark.parametrize("data", [None, [], {"c": 1}, {"a": -1}, {"a": 1.5}, {"a": True}])
def test_counts_by_word_are_told_from_anything_else(data: dict[str, float] | list[Any] | None) -> None:
    with pytest.raises(ValueError):
        by_word(data, ("a", "b"))


def test_counts_by_word_and_whole_numbers_come_back_as_they_are() -> None:
    assert by_word({"a": 1}, ("a", "b")) == {"a": 1}
    assert whole_numbers([0, 7]) == [0, 7]
