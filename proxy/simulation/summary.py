"""The summary of many runs in a few numbers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from proxy.simulation.run import RunResult


@dataclass(frozen=True, slots=True)
class Spread:
    """Of some numbers; None when there are none, or when so many runs never had one."""

    median: float | None
    p95: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of all runs of one scenario."""

    runs: int
    rolled_back: int
    early: int
    """Rolled back while the canary was good."""
    requests: Spread
    """Canary requests from the onset until the rollback; a run without one counts as endless."""
    seconds: Spread
    """The same in time."""
    met: int
    """Canary requests of all runs."""
    checks: tuple[tuple[str, int], ...]
    """How often each check was failing at a rollback, the most frequent first."""

    @property
    def never(self) -> float:
        """The share (0..1) of the runs without a rollback."""
        return 1 - self.rolled_back / self.runs

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "checks": dict(self.checks), "never": self.never}


def summary(results: Sequence[RunResult]) -> Summary:
    """Return the summary of one result or more.

    Runs rolled back before the onset are no measure of how long it took.
    """
    late = [result for result in results if not result.early]
    done = [result for result in late if result.rolled_back]
    checks = Counter(check for result in results for check in result.checks)
    return Summary(
        runs=len(results),
        rolled_back=sum(result.rolled_back for result in results),
        early=sum(result.early for result in results),
        requests=_spread([float(result.requests) for result in done], len(late)),
        seconds=_spread([result.seconds for result in done], len(late)),
        met=sum(result.requests for result in results),
        checks=tuple(checks.most_common()),
    )


def _spread(known: list[float], of: int) -> Spread:
    """Return the spread of the numbers of `of` runs; those not known are larger than all that are."""
    ordered = sorted(known)

    def at(share: float) -> float | None:
        rank = ceil(share * of)
        return ordered[rank - 1] if 0 < rank <= len(ordered) else None

    return Spread(at(0.5), at(0.95), at(1.0))


def bound(struck: int, runs: int) -> float:
    """Return the largest share (0..1) that is still likely when so many of the runs were struck.

    One-sided, at 95 % (Clopper & Pearson 1934): by bisection of the binomial distribution.
    """
    if struck >= runs:
        return 1.0
    low, high = struck / runs, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(struck, runs, middle) > 0.05 else (low, middle)
    return high


def _at_most(struck: int, runs: int, share: float) -> float:
    """Return the probability of `struck` or fewer."""
    if share >= 1:
        return 0.0
    term = total = (1 - share) ** runs
    for number in range(1, struck + 1):
        term *= (runs - number + 1) / number * share / (1 - share)
        total += term
    return total
