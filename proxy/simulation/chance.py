"""The randomness that a simulation is given, and times drawn from it quickly."""

from functools import lru_cache
from math import exp
from statistics import NormalDist
from typing import Protocol


class Chance(Protocol):
    """As random.Random, seeded where the same run is wanted again."""

    def random(self) -> float:
        """Return a number, evenly from 0 up to 1."""

    def expovariate(self, lambd: float) -> float:
        """Return the time to the next of so many a second."""

    def gauss(self, mu: float, sigma: float) -> float:
        """Return a normally distributed number."""


TIMES = 4096
"""Values that times are drawn from: right within 1/4096 of their quantile, and drawn four times as fast as a
log-normal deviate.
"""


@lru_cache(maxsize=64)
def times(spread: float) -> tuple[float, ...]:
    """Return equally likely values of a log-normal deviate with a median of 1."""
    normal = NormalDist()
    return tuple(exp(spread * normal.inv_cdf((number + 0.5) / TIMES)) for number in range(TIMES))
