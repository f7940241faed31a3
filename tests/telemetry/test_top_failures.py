"""The list of failed requests: bounded, and never without the frequent ones."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.telemetry.top_failures import KEPT, LONGEST, TopFailures, fold

# Short streams hardly ever have more different requests than are kept.
STREAMS = st.lists(st.integers(0, 60), max_size=400) | st.permutations([*range(61), *range(30), *range(9)])


def listed(stream: list[int]) -> TopFailures:
    it = TopFailures()
    for each in stream:
        it.add("GET", b"/" + b"x" * each, 500)
    return it


@pytest.mark.parametrize(
    ("route", "folded"),
    [
        (b"/", "/"),
        (b"", ""),
        (b"/order/17", "/order/#"),
        (b"/order/17/item/2x33", "/order/#/item/#x#"),
        (b"/caf\xc3\xa9/1", "/caf\\xc#\\xa#/#"),
    ],
)
def test_numbers_are_folded_and_what_is_not_ascii_is_escaped(route: bytes, folded: str) -> None:
    assert fold(route) == folded


def test_a_long_path_is_cut() -> None:
    assert fold(b"/" + b"a" * 10_000) == "/" + "a" * (LONGEST - 2) + "…"
    assert fold(b"a" * LONGEST) == "a" * LONGEST
    assert fold(b"/" + b"7" * 300) == "/#"


def test_method_and_status_tell_requests_apart() -> None:
    it = TopFailures()
    for method, status in (("GET", 500), ("GET", 502), ("POST", 500), ("GET", 500)):
        it.add(method, b"/a/1", status)
    assert it.most()[0] == (("GET", "/a/#", 500), 2)
    assert len(it.counts) == 3


@given(STREAMS)
def test_it_is_bounded_and_off_by_no_more_than_the_paper_says(stream: list[int]) -> None:
    it, truth = listed(stream), Counter(stream)
    assert len(it.counts) <= KEPT
    assert sum(it.counts.values()) == len(stream)
    for (_, route, _), count in it.counts.items():
        assert truth[len(route) - 1] <= count <= truth[len(route) - 1] + len(stream) / KEPT
    for each, count in truth.items():
        assert count <= len(stream) / KEPT or ("GET", "/" + "x" * each, 500) in it.counts


@given(STREAMS, STREAMS)
def test_lists_of_two_workers_add_up_and_stay_bounded(some: list[int], more: list[int]) -> None:
    both = listed(some)
    both.absorb(listed(more))
    assert len(both.counts) <= KEPT
    if len(set(some) | set(more)) <= KEPT:
        assert both.counts == listed(some + more).counts


def test_the_most_frequent_come_first() -> None:
    assert [count for _, count in listed([1, 2, 2, 3, 3, 3]).most()] == [3, 2, 1]


def test_a_copy_is_its_own() -> None:
    it = listed([1])
    it.copy().add("GET", b"/", 500)
    assert it == listed([1])


@given(STREAMS)
def test_json_round_trip(stream: list[int]) -> None:
    it = listed(stream)
    assert TopFailures.from_json(json.loads(json.dumps(it.to_json()))) == it


@pytest.mark.parametrize(
    "data", [[["GET", "/", 500]], [["GET", "/", "500", 1]], [[]], 7, [["GET", "/", 500, -1]]]
)
def test_what_is_no_list_is_an_error(data: int | list[list[int | str]]) -> None:
    with pytest.raises((ValueError, TypeError)):
        TopFailures.from_json(data)
