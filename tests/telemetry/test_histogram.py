"""The histogram: buckets against their bounds, quantiles against sorted durations, sums to the nanosecond."""

import json
from itertools import pairwise
from math import ceil, nextafter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.telemetry.histogram import BOUNDS, OVERFLOW, Histogram, index

SHORTEST, LONGEST = 2.0**-14, 2.0**7
WIDTH = 2 ** (1 / 8)
SLACK = 1 + 1e-12

inside = st.floats(SHORTEST * 1.000001, LONGEST)
durations = st.lists(st.floats(0, 200), max_size=60)


def histogram(seconds: list[float]) -> Histogram:
    result = Histogram()
    for duration in seconds:
        result.add(duration)
    return result


def test_the_bounds_are_nine_percent_apart_from_61_us_to_128_s() -> None:
    assert BOUNDS[0] == SHORTEST
    assert BOUNDS[-1] == LONGEST
    assert len(BOUNDS) == OVERFLOW == 169
    assert all(high / low == pytest.approx(WIDTH) for low, high in pairwise(BOUNDS))
    assert BOUNDS[::8] == tuple(2.0**k for k in range(-14, 8))


@given(inside)
def test_a_duration_lies_within_its_bucket(seconds: float) -> None:
    bucket = index(seconds)
    assert seconds <= BOUNDS[bucket] * SLACK
    assert bucket == 0 or seconds > BOUNDS[bucket - 1] / SLACK


@pytest.mark.parametrize("power", range(-14, 8))
def test_a_power_of_two_closes_its_bucket_as_le_says(power: int) -> None:
    bound = 2.0**power
    assert BOUNDS[index(bound)] == bound
    assert index(bound * 1.000001) == index(bound) + 1


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [
        (0.0, 0),
        (1e-9, 0),
        (nextafter(SHORTEST, 0), 0),
        (nextafter(LONGEST, 999), 169),
        (1e9, 169),
        (float("inf"), 169),
    ],
)
def test_what_is_too_short_or_too_long_has_a_bucket_as_well(seconds: float, bucket: int) -> None:
    assert index(seconds) == bucket


@given(st.floats(0, 1000))
def test_adding_counts_in_the_bucket_of_index(seconds: float) -> None:
    assert histogram([seconds]).counts == {index(seconds): 1}


@given(st.lists(inside, min_size=1, max_size=80), st.sampled_from([0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 1.0]))
def test_a_quantile_is_right_within_one_bucket(seconds: list[float], q: float) -> None:
    value = histogram(seconds).quantile(q)
    true = sorted(seconds)[max(ceil(q * len(seconds)), 1) - 1]
    assert true / WIDTH / SLACK <= value <= true * WIDTH * SLACK


@given(durations)
def test_quantiles_rise_with_q(seconds: list[float]) -> None:
    values = [histogram(seconds).quantile(q / 20) for q in range(21)]
    assert values == sorted(values) if seconds else values == [None] * 21


def test_no_data_has_no_quantile() -> None:
    assert Histogram().quantile(0.5) is None


def test_longer_than_the_last_bound_is_told_as_the_last_bound() -> None:
    assert histogram([500.0]).quantile(0.5) == LONGEST


def test_within_a_bucket_durations_are_taken_as_evenly_spread() -> None:
    value = histogram([0.5] * 4)
    low = 0.5 / WIDTH
    assert value.quantile(0.25) == pytest.approx(low + (0.5 - low) / 4)
    assert value.quantile(1.0) == 0.5


@given(durations, durations)
def test_plus_is_counting_both_and_minus_takes_it_back(some: list[float], more: list[float]) -> None:
    both = histogram(some).plus(histogram(more))
    assert both == histogram(some + more)
    assert both.count == len(some) + len(more)
    assert both.minus(histogram(more)) == histogram(some)
    assert both.minus(both) == Histogram()


def test_plus_and_minus_leave_both_sides_alone() -> None:
    left, right = histogram([0.1]), histogram([0.1, 3.0])
    left.plus(right)
    right.minus(left)
    assert left == histogram([0.1])
    assert right == histogram([0.1, 3.0])


@pytest.mark.parametrize(
    ("have", "taken"),
    [([0.1], [0.2]), ([0.1], [0.1, 0.1]), ([], [1.0]), ([0.1], [nextafter(0.1, 0) + 1e-5])],
)
def test_minus_never_goes_below_nothing(have: list[float], taken: list[float]) -> None:
    with pytest.raises(ValueError, match="subtracted"):
        histogram(have).minus(histogram(taken))


@given(durations)
def test_the_sum_is_that_of_the_durations(seconds: list[float]) -> None:
    value = histogram(seconds)
    assert value.sum_seconds == pytest.approx(sum(seconds), abs=1e-9 * (len(seconds) + 1))
    assert value.nanoseconds == sum(int(duration * 1e9) for duration in seconds)


@given(durations)
def test_cumulative_counts_all_up_to_each_bucket(seconds: list[float]) -> None:
    value = histogram(seconds)
    buckets = (0, 16, 17, 80, 168, 169)
    naive = [sum(index(duration) <= bucket for duration in seconds) for bucket in buckets]
    assert list(value.cumulative(buckets)) == naive


@given(durations)
def test_json_round_trip(seconds: list[float]) -> None:
    value = histogram(seconds)
    assert Histogram.from_json(json.loads(json.dumps(value.to_json()))) == value


@pytest.mark.parametrize(
    "data", [None, {}, [], [1, 2], [0, 170, 1], [0, -1, 1], [0, 1, -1], [0.5], [0, 1, True], [0, "1", 1]]
)
def test_what_is_no_histogram_is_a_value_error(data: dict[Any, Any] | list[float | str] | None) -> None:
    with pytest.raises(ValueError):
        Histogram.from_json(data)
