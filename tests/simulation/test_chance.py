"""Times drawn from a table."""

from math import exp
from statistics import mean

import pytest

from proxy.simulation.chance import TIMES, times


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 1.0), (0.9, exp(0.5 * 1.2816)), (0.99, exp(0.5 * 2.3263))]
)
def test_their_quantiles(share: float, value: float) -> None:
    assert times(0.5)[int(share * TIMES)] == pytest.approx(value, rel=0.01)


def test_their_mean() -> None:
    assert mean(times(0.5)) == pytest.approx(exp(0.5**2 / 2), rel=0.01)


def test_without_spread_all_are_alike() -> None:
    assert set(times(0.0)) == {1.0}
