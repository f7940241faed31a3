"""The evidence against a canary: all bets, whether the coin is tossed for requests or for users."""

from collections.abc import Sequence
from typing import Any, Protocol

from proxy.analysis.comparison import Comparison
from proxy.analysis.observations import RevisionCounts
from proxy.analysis.policy import Policy
from proxy.analysis.user_rounds import Rounds, resumed_rounds
from proxy.analysis.weight_history import odds
from proxy.routing.split import TOTAL


class Evidence(Protocol):
    """What the judge asks of it."""

    def apply(self, report: Sequence[RevisionCounts], now: float) -> None:
        """Count one report, whole."""

    def warm(self) -> None:
        """Take note that the canary is warm: its latencies are compared by the usual limits from now on."""

    def weighed(self, change: int, parts: int) -> None:
        """Take note that the weight rose by so many parts of 10,000, or fell, to so many."""

    def capitals(self, parts: int) -> dict[str, float]:
        """Return what each check contributes to the odds against the canary, which has so many parts now."""

    def reach(self, bar: float, parts: int) -> bool:
        """Return whether all of that is as much as the bar."""

    def to_json(self) -> Any:
        """Return plain JSON values."""


class Lifelong:
    """One bet of each check for the whole release: the coin is tossed for every request."""

    def __init__(self, bets: Comparison) -> None:
        self._bets = bets

    def __repr__(self) -> str:
        return f"<Lifelong {self._bets.capitals(0.0)}>"

    def apply(self, report: Sequence[RevisionCounts], now: float) -> None:
        """Count one report, whole."""
        self._bets = self._bets.after([(part.observations, part.odds) for part in report])

    def warm(self) -> None:
        """Stake some cash on latencies, which were not compared as usual since the last rise."""
        self._bets = self._bets.warm()

    def weighed(self, change: int, parts: int) -> None:
        """Stake some cash on a higher weight: it tries what wasn't tried before."""
        if change > 0:
            self._bets = self._bets.risen()
        if parts == TOTAL:
            self._bets = self._bets.alone()

    def capitals(self, parts: int) -> dict[str, float]:
        """Return what each check contributes to the odds against the canary."""
        return self._bets.capitals(odds(parts))

    def reach(self, bar: float, parts: int) -> bool:
        """Return whether all of that is as much as the bar."""
        return self._bets.reach(bar, odds(parts))

    def to_json(self) -> Any:
        """Return plain JSON values."""
        return self._bets.to_json()


def begin(policy: Policy) -> Evidence:
    """Return evidence with nothing seen."""
    return Rounds(policy) if policy.sticky else Lifelong(Comparison.begin(policy))


def resume(policy: Policy, data: Any) -> Evidence:
    """Return evidence that goes on from what `to_json` wrote.

    Raises:
        ValueError, KeyError, TypeError: It wrote no such `data`, or on other terms than the policy's.
    """
    if policy.sticky != isinstance(data, list):
        raise ValueError("evidence on requests can't go on as evidence on users, nor the other way round")
    return resumed_rounds(policy, data) if policy.sticky else Lifelong(Comparison.begin(policy).resumed(data))
