"""Thresholds: when they are there, what they rest on, and how often they follow."""

import pytest

from proxy.analysis.policy import Slower
from proxy.analysis.thresholds import LatencyThresholds, canary_limit
from proxy.telemetry.histogram import Histogram


def answers(count: int, seconds: float = 0.1) -> Histogram:
    made = Histogram()
    for _ in range(count):
        made.add(seconds)
    return made


def limits(*answers_at: tuple[int, float, float]) -> LatencyThresholds:
    made = LatencyThresholds(Slower())
    for count, seconds, now in answers_at:
        made.add(answers(count, seconds), now)
    return made


@pytest.mark.parametrize(("count", "known"), [(0, 0), (19, 0), (20, 1), (49, 1), (50, 2), (99, 2), (100, 3)])
def test_each_quantile_has_its_sample(count: int, known: int) -> None:
    assert len(limits((count, 0.1, 0.0)).thresholds(0.0)["stable"]) == known


def test_they_are_the_quantiles_and_the_canary_is_allowed_more() -> None:
    made = limits((50, 0.001, 0.0), (40, 0.1, 0.0), (9, 1.0, 0.0), (1, 4.0, 0.0))
    found = made.thresholds(0.0)
    assert found["stable"] == pytest.approx((0.001, 0.1, 1.0), rel=0.09)
    p50, p90, p99 = found["stable"]
    assert found["canary"] == (p50 + 0.005, p90 * 1.25, p99 * 1.25)


def test_the_first_come_at_once_and_then_every_ten_seconds() -> None:
    made = limits((99, 0.1, 0.0))
    assert len(made.thresholds(0.0)["stable"]) == 2
    made.add(answers(1, 0.1), 1.0)
    first = made.thresholds(1.0)
    assert len(first["stable"]) == 3
    made.add(answers(900, 1.0), 2.0)
    assert made.thresholds(10.9) == first
    assert made.thresholds(11.0)["stable"][0] == pytest.approx(1.0, rel=0.09)


def test_the_last_minute_or_two_suffice_when_there_are_enough() -> None:
    made = limits((900, 1.0, 0.0), (150, 0.1, 60.0), (50, 0.1, 120.0))
    assert made.thresholds(120.0)["stable"][2] < 0.2


def test_what_is_older_helps_out() -> None:
    made = limits((900, 1.0, 0.0), (150, 0.1, 60.0), (49, 0.1, 120.0))
    assert made.thresholds(120.0)["stable"][2] > 0.9


def test_the_newest_two_slots_are_all_looked_at() -> None:
    made = limits((900, 1.0, 60.0), (300, 0.1, 120.0))
    assert made.thresholds(120.0)["stable"][0] > 0.9


def test_nothing_is_older_than_an_hour() -> None:
    made = limits((900, 1.0, 59.0))
    assert len(made.thresholds(3_599.0)["stable"]) == 3
    assert made.thresholds(3_609.0)["stable"] == ()
    assert made.answers == 0


@pytest.mark.parametrize(("threshold", "limit"), [(0.004, 0.009), (0.02, 0.025), (1.0, 1.25)])
def test_the_canary_may_be_later_by_the_larger_of_share_and_seconds(threshold: float, limit: float) -> None:
    assert canary_limit(Slower(by=0.25, at_least=0.005), threshold) == pytest.approx(limit)
