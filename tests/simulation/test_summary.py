"""Many runs in a few numbers."""

import pytest

from proxy.simulation.run import RunResult
from proxy.simulation.summary import Spread, bound, summary


def done(requests: int, *, early: bool = False) -> RunResult:
    return RunResult(True, early, requests, requests / 10, ("errors",))


def never(requests: int = 900) -> RunResult:
    return RunResult(False, False, requests, 600.0)


def test_median_p95_and_largest() -> None:
    found = summary([done(number) for number in range(100, 0, -1)])
    assert found.requests == Spread(50, 95, 100)
    assert found.seconds == Spread(5.0, 9.5, 10.0)
    assert (found.runs, found.rolled_back, found.early, found.never) == (100, 100, 0, 0)
    assert found.met == 5050


def test_a_run_without_rollback_counts_as_endless() -> None:
    found = summary([done(5)] * 90 + [never()] * 10)
    assert found.requests == Spread(5, None, None)
    assert found.never == pytest.approx(0.1)


def test_early_ones_say_nothing_of_how_long_it_took() -> None:
    found = summary([done(1, early=True), done(7), done(9)])
    assert found.requests == Spread(7, 9, 9)
    assert (found.rolled_back, found.early) == (3, 1)
    assert summary([done(1, early=True)]).requests == Spread(None, None, None)


def test_checks_by_how_often_they_failed() -> None:
    slow = RunResult(True, False, 5, 0.5, ("p50",))
    assert summary([slow, done(1), done(2)]).checks == (("errors", 2), ("p50", 1))


def test_as_json() -> None:
    data = summary([done(5), never()]).to_json()
    assert data["requests"] == {"median": 5, "p95": None, "max": None}
    assert (data["checks"], data["never"]) == ({"errors": 1}, 0.5)


@pytest.mark.parametrize(
    ("struck", "runs", "share"), [(0, 100, 0.0295), (1, 100, 0.0466), (10, 2000, 0.0085), (5, 5, 1.0)]
)
def test_the_bound_of_clopper_and_pearson(struck: int, runs: int, share: float) -> None:
    assert bound(struck, runs) == pytest.approx(share, abs=1e-4)
