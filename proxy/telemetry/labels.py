"""Labels of drawn requests: slow or timely, by the thresholds in force when they were sent.

One number holds it, or there would be six counters: 8 times how many thresholds were known, plus how many of
them were exceeded. They rise, so the ones exceeded are the first; a request that was not yet answered when it
exceeded the last one is slow for all of them, and has a number of its own for that.
"""

from bisect import bisect_left
from collections.abc import Mapping

from proxy.telemetry.outcome import QUANTILES, Thresholds

OVERDUE = len(QUANTILES) + 1
"""In the place of the number of exceeded thresholds: more than there are."""
STEP = 8
"""Between one number of known thresholds and the next."""

CODES = frozenset(
    {STEP * known + slow for known in range(1, len(QUANTILES) + 1) for slow in range(known + 1)}
    | {STEP * len(QUANTILES) + OVERDUE}
)
"""All labels that there are."""


def label(thresholds: Thresholds, seconds: float) -> int:
    """Return the label of an answer after this time. One that took as long as a threshold is timely."""
    return STEP * len(thresholds) + bisect_left(thresholds, seconds)


def overdue(thresholds: Thresholds) -> int:
    """Return the label of a request that is not yet answered."""
    return STEP * len(thresholds) + OVERDUE


def exceeded(code: int) -> int:
    """Return how many thresholds were exceeded by a request that was answered."""
    return code % STEP


def slow(labels: Mapping[int, int], quantile: int) -> int:
    """Return how many requests exceeded the threshold of a quantile, by its place in `QUANTILES`."""
    return sum(count for code, count in labels.items() if code >> 3 > quantile < code % STEP)


def timely(labels: Mapping[int, int], quantile: int) -> int:
    """Return how many requests were answered within the threshold of a quantile, by its place."""
    return sum(count for code, count in labels.items() if code >> 3 > quantile >= code % STEP)
