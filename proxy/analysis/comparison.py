"""The canary beside stable: bets on errors and on latencies, and their sum.

The capital of 1 is shared out among the checks, so that all of them together keep the one bound on false
alarms: at odds of 100:1 a good canary is called bad in one release of a hundred at most.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from math import inf, log
from typing import Any

from proxy.analysis import wording
from proxy.analysis.bets import HELD_BACK, ON_A_RISE, Bet
from proxy.analysis.observations import Observations
from proxy.analysis.policy import Policy
from proxy.analysis.thresholds import SAMPLES, SHARES, LatencyThresholds
from proxy.analysis.verdict import ERROR_LIMIT, ERRORS, FAILING, HEALTHY, INCONCLUSIVE, Finding, VerdictState
from proxy.telemetry.histogram import Histogram
from proxy.telemetry.outcome import QUANTILES

OF_LATENCIES = 1 / 6
"""The share of the capital that each quantile has."""
OF_LIMIT = 1 / 10
"""What the absolute limit takes of the share of errors."""
LEANING = 10.0
"""Odds of the comparison from which on the absolute limit counts: an incident that both sides share would
break it, too."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All bets, by check, and what share of the capital each has."""

    shares: Mapping[str, float]
    bets: Mapping[str, Bet]

    @classmethod
    def begin(cls, policy: Policy, held_back: float = HELD_BACK) -> "Comparison":
        """Return bets with a capital of 1 in all; `held_back` (0..1) of each is cash."""
        latencies = QUANTILES if policy.slower else ()
        errors = 1 - OF_LATENCIES * len(latencies)
        bets = {ERRORS: Bet.begin(policy.extra_errors, 1.0, held_back)}
        bets |= {name: Bet.begin(0.0, 1.0, held_back) for name in latencies}
        shares = {ERRORS: errors} | dict.fromkeys(latencies, OF_LATENCIES)
        if policy.error_limit is not None:
            bets[ERROR_LIMIT] = Bet.begin(policy.error_limit, 0.0, held_back)
            shares |= {ERRORS: errors * (1 - OF_LIMIT), ERROR_LIMIT: errors * OF_LIMIT}
        return cls(shares, bets)

    def after(self, report: Sequence[tuple[Mapping[str, Observations], float]]) -> "Comparison":
        """Return the bets after one report: its events by check, and the odds of the coin that led to them.

        The whole of it counts with the stakes as they are; the cash moves behind it.
        """
        return Comparison(self.shares, {name: _after(name, bet, report) for name, bet in self.bets.items()})

    def risen(self) -> "Comparison":
        """Return the bets at a higher weight, with some cash staked on what wasn't tried before.

        But for those on latencies, which wait until the canary is warm.
        """
        return self._staked(self.bets.keys() - set(QUANTILES))

    def warm(self) -> "Comparison":
        """Return the bets once the canary is warm, with some cash staked by those on latencies."""
        return self._staked(self.bets.keys() & set(QUANTILES))

    def _staked(self, names: Set[str]) -> "Comparison":
        bets = {name: bet.staked(ON_A_RISE) if name in names else bet for name, bet in self.bets.items()}
        return replace(self, bets=bets)

    def alone(self) -> "Comparison":
        """Return the bets where no coin is tossed any more.

        The absolute limit begins anew: what it won before, in an incident that both sides shared, isn't held
        against the canary.
        """
        bets = dict(self.bets)
        if limit := bets.get(ERROR_LIMIT):
            bets[ERROR_LIMIT] = Bet.begin(limit.slack, limit.ratio)
        return replace(self, bets=bets)

    def capitals(self, odds: float, bound: float = 1.0) -> dict[str, float]:
        """Return what each check contributes to the odds against the canary, where the coin's are `odds`.

        `bound` is how many times the usual odds it takes, for bets that are some of many.
        """
        found = {name: self.shares[name] * bet.capital for name, bet in self.bets.items()}
        if ERROR_LIMIT in found and odds < inf and self.bets[ERRORS].capital < LEANING * bound:
            found[ERROR_LIMIT] = 0.0
        return found

    def reach(self, bar: float, odds: float, bound: float = 1.0) -> bool:
        """Return whether the evidence is as much as `bound` bars, mostly without summing it up."""
        if max([bet.most for bet in self.bets.values()]) < log(bar * bound):
            return False
        return sum(self.capitals(odds, bound).values()) >= bar * bound

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: bet.to_json() for name, bet in self.bets.items()}

    def resumed(self, data: Mapping[str, Any]) -> "Comparison":
        """Return these bets with the capital that `to_json` wrote.

        Raises:
            ValueError: It wrote no such `data`, or of other checks: the capital was shared out among those.
        """
        if set(data) != self.bets.keys():
            raise ValueError(f"evidence on {', '.join(data)} can't go on as one on {', '.join(self.bets)}")
        return replace(self, bets={name: bet.resumed(data[name]) for name, bet in self.bets.items()})


def _after(name: str, bet: Bet, report: Sequence[tuple[Mapping[str, Observations], float]]) -> Bet:
    for events, odds in report:
        bet = bet.after(events[name], odds)
    return bet.settled()


def findings(
    policy: Policy,
    seen: Mapping[str, Observations],
    capitals: Mapping[str, float],
    thresholds: LatencyThresholds | None,
    head: Histogram,
) -> Iterator[Finding]:
    """Yield one finding of each check.

    Where all of them together reach the bar, the check with the most capital fails.

    Args:
        policy: The terms of the bets.
        seen: All that each check saw since the evidence began.
        capitals: What each check contributes to the odds against the canary.
        thresholds: None where latency isn't compared.
        head: The times of the canary's latest answers.
    """
    most = max(capitals, key=capitals.__getitem__)
    failing = most if sum(capitals.values()) >= policy.bar else ""
    for name, capital in capitals.items():
        state = FAILING if name == failing else _state(seen[name], capital)
        if name in QUANTILES and thresholds is not None:
            yield _latency(name, state, seen[name], capital, policy, thresholds, head)
        elif name == ERROR_LIMIT:
            yield _limit(state, seen[name], capital, policy)
        else:
            yield _errors(state, seen[name], capital, policy)


def _state(seen: Observations, capital: float) -> VerdictState:
    """Return the state of a check that doesn't fail: healthy once it saw something and little of it bad."""
    return HEALTHY if seen.canary and capital < LEANING else INCONCLUSIVE


def _errors(state: VerdictState, seen: Observations, capital: float, policy: Policy) -> Finding:
    stable = seen.stable_share
    return Finding(
        check=ERRORS,
        state=state,
        value=seen.canary_share,
        limit=None if stable is None else min(stable + policy.extra_errors, 1.0),
        stable=stable,
        sample=seen.canary,
        unit="ratio",
        sentence=wording.errors(seen, capital, policy.bar),
        odds=capital,
    )


def _limit(state: VerdictState, seen: Observations, capital: float, policy: Policy) -> Finding:
    limit = policy.error_limit or 0.0
    return Finding(
        check=ERROR_LIMIT,
        state=state,
        value=seen.canary_share,
        limit=limit,
        stable=seen.stable_share,
        sample=seen.canary,
        unit="ratio",
        sentence=wording.limited(seen, limit, capital, policy.bar),
        odds=capital,
    )


def _latency(
    name: str,
    state: VerdictState,
    seen: Observations,
    capital: float,
    policy: Policy,
    thresholds: LatencyThresholds,
    head: Histogram,
) -> Finding:
    number = QUANTILES.index(name)
    value = head.quantile(SHARES[number])
    if number >= len(thresholds.stable):
        words, canary, stable = wording.no_threshold(name, thresholds.answers, SAMPLES[number]), None, None
    else:
        canary, stable = thresholds.canary[number], thresholds.stable[number]
        words = wording.slower(name, value, (canary, stable), seen, capital, policy.bar)
    return Finding(
        check=name,
        state=state,
        value=value,
        limit=canary,
        stable=stable,
        sample=seen.canary,
        unit="seconds",
        sentence=words,
        odds=capital,
    )
