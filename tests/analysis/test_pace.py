"""Thresholds: which samples they need, how far they look back, and when they are renewed."""

import pytest
from made import times

from proxy.analysis.pace import Pace
from proxy.analysis.policy import Slower

FAST, SLOW = 0.02, 0.2


def pace(*added, slower=None):
    result = Pace(slower or Slower())
    for now, seconds, number in added:
        result.add(times(seconds, number), now)
    return result


@pytest.mark.parametrize(
    ("answers", "known"), [(0, 0), (19, 0), (20, 1), (49, 1), (50, 2), (99, 2), (100, 3)]
)
def test_each_quantile_needs_its_sample(answers, known):
    thresholds = pace((0.0, FAST, answers)).thresholds(0.0)
    assert {name: len(each) for name, each in thresholds.items()} == {"stable": known, "canary": known}


@pytest.mark.parametrize(
    ("seconds", "slower", "limit"),
    [
        (0.1, Slower(), 1.25),
        (0.002, Slower(), (0.002 + 0.005) / 0.002),
        (0.1, Slower(1.0, 0.005), 2.0),
        (0.1, Slower(0.0, 0.1), 2.0),
    ],
)
def test_what_the_canary_is_allowed(seconds, slower, limit):
    thresholds = pace((0.0, seconds, 1_000), slower=slower).thresholds(0.0)
    assert thresholds["stable"] == pytest.approx((seconds,) * 3, rel=0.09)
    for stable, canary in zip(thresholds["stable"], thresholds["canary"], strict=True):
        assert canary == pytest.approx(max(stable * (1 + slower.by), stable + slower.at_least))
    assert thresholds["canary"][1] / thresholds["stable"][1] == pytest.approx(limit, rel=0.2)


def test_they_are_the_quantiles():
    result = pace((0.0, 0.01, 60), (0.0, 0.1, 35), (0.0, 1.0, 5)).thresholds(0.0)["stable"]
    assert result == pytest.approx((0.01, 0.1, 1.0), rel=0.1)


@pytest.mark.parametrize(
    ("later", "seconds"),
    [(59.0, FAST), (60.0, FAST), (119.0, FAST), (120.0, SLOW), (180.0, SLOW)],
)
def test_the_last_one_to_two_minutes_count_where_they_are_many(later, seconds):
    both = pace((0.0, FAST, 1_000), (later, SLOW, 250))
    assert both.thresholds(later)["stable"][0] == pytest.approx(seconds, rel=0.09)


@pytest.mark.parametrize(
    ("recent", "later", "seconds"),
    [
        (199, 130.0, FAST),
        (200, 130.0, SLOW),
        (20, 3_599.0, FAST),
        (20, 3_600.0, SLOW),  # an hour is over
    ],
)
def test_older_ones_of_the_hour_help_out_up_to_200(recent, later, seconds):
    both = pace((0.0, FAST, 1_000), (later, SLOW, recent))
    assert both.thresholds(later)["stable"][0] == pytest.approx(seconds, rel=0.09)


def test_no_older_ones_than_it_takes():
    result = pace((0.0, FAST, 1_000), (60.0, SLOW, 150), (300.0, SLOW, 60))
    assert result.thresholds(300.0)["stable"][0] == pytest.approx(SLOW, rel=0.09)


def test_they_stay_as_they_are_for_ten_seconds():
    result = pace((0.0, FAST, 100))
    first = result.thresholds(0.0)
    result.add(times(SLOW, 1_000), 1.0)
    assert result.thresholds(9.9) == first
    assert result.thresholds(10.0)["stable"][0] == pytest.approx(SLOW, rel=0.09)


def test_one_that_becomes_known_is_there_at_once():
    result = pace()
    seen = []
    for number in range(10):
        result.add(times(FAST, 10), number / 10)
        seen.append(len(result.thresholds(number / 10)["stable"]))
    assert seen == [0, 1, 1, 1, 2, 2, 2, 2, 2, 3]


def test_after_an_hour_without_an_answer_there_are_none():
    result = pace((0.0, FAST, 1_000))
    assert len(result.thresholds(3_599.0)["stable"]) == 3
    assert result.thresholds(3_610.0) == {"stable": (), "canary": ()}
    assert result.answers == 0
