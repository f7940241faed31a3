"""Checks: their limits, and that nonsense can't be one."""

import json

import pytest

from proxy.analysis.check import METRICS, QUANTILES, Check


def check(
    metric: str = "error-rate",
    maximum: float = 0.1,
    window: float = 30.0,
    min_requests: int = 20,
    times_stable: float = 0.0,
) -> Check:
    return Check(metric, maximum, window, min_requests, times_stable)


@pytest.mark.parametrize("metric", METRICS)
def test_its_name_is_its_metric_and_latencies_are_seconds(metric: str) -> None:
    assert check(metric).name == metric
    assert check(metric).unit == ("ratio" if metric == "error-rate" else "seconds")


def test_each_latency_looks_at_its_quantile() -> None:
    assert {f"latency-p{q}": q / 100 for q in (50, 90, 95, 99)} == QUANTILES


@pytest.mark.parametrize(
    ("rule", "stable", "limit"),
    [
        (check(), None, 0.1),
        (check(), 0.9, 0.1),
        (check(times_stable=3), None, 0.1),
        (check(times_stable=3), 0.0, 0.1),
        (check(times_stable=3), 0.03, 0.1),
        (check(times_stable=3), 0.25, 0.75),
        (check(times_stable=3), 0.5, 1.0),
        (check("latency-p99", 0.4), 0.9, 0.4),
        (check("latency-p99", 0.4, times_stable=2), 0.9, 1.8),
        (check("latency-p99", 0.4, times_stable=2), None, 0.4),
    ],
)
def test_the_limit_in_force_is_its_own_or_what_stable_allows(
    rule: Check, stable: float | None, limit: float
) -> None:
    assert rule.limit(stable) == limit


@pytest.mark.parametrize(
    "changes",
    [
        {"metric": "latency"},
        {"maximum": -0.1},
        {"maximum": 1.1},
        {"maximum": float("nan")},
        {"metric": "latency-p50", "maximum": float("inf")},
        {"window": 0},
        {"window": float("inf")},
        {"min_requests": 0},
        {"times_stable": -1},
        {"times_stable": float("nan")},
    ],
)
def test_nonsense_is_refused(changes: dict[str, float | str]) -> None:
    with pytest.raises(ValueError):
        check(**changes)


def test_a_latency_limit_may_be_above_one() -> None:
    assert check("latency-p99", 2.5).max == 2.5


@pytest.mark.parametrize("rule", [check("error-rate", 0.1, 30.0, 20), check("latency-p99", 0.4, 60.0, 50)])
def test_json_round_trip(rule: Check) -> None:
    assert Check.from_json(json.loads(json.dumps(rule.to_json()))) == rule
