"""The canary beside stable: bets on errors and on latencies, and what they say together.

The capital of 1 is shared out among the checks, so that all of them together keep the one bound on false
alarms: at odds of 100:1 a good canary is called bad in one release of a hundred at most.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from proxy.analysis.bets import ON_A_RISE, Bet, Events
from proxy.analysis.policy import Policy
from proxy.telemetry.outcome import QUANTILES
from proxy.telemetry.tally import Counts

ERRORS = "errors"
ERROR_LIMIT = "error-limit"

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
    def begin(cls, policy: Policy, **terms: float) -> "Comparison":
        """Bets with a capital of 1 in all; `terms` as `Bet.begin` takes them."""
        latencies = QUANTILES if policy.slower else ()
        errors = 1 - OF_LATENCIES * len(latencies)
        bets = {ERRORS: Bet.begin(policy.extra_errors, 1.0, **terms)}
        bets |= {name: Bet.begin(0.0, 1.0, **terms) for name in latencies}
        shares = {ERRORS: errors} | dict.fromkeys(latencies, OF_LATENCIES)
        if policy.error_limit is not None:
            bets[ERROR_LIMIT] = Bet.begin(policy.error_limit, 0.0, **terms)
            shares |= {ERRORS: errors * (1 - OF_LIMIT), ERROR_LIMIT: errors * OF_LIMIT}
        return cls(shares, bets)

    def after(self, events: Mapping[str, Events], odds: float) -> "Comparison":
        """The bets after one report; checks without events stay as they are."""
        return replace(
            self,
            bets={
                name: bet.after(events[name], odds) if name in events else bet
                for name, bet in self.bets.items()
            },
        )

    def risen(self) -> "Comparison":
        """The bets at a higher weight: what is tried now wasn't before."""
        return replace(self, bets={name: bet.staked(ON_A_RISE) for name, bet in self.bets.items()})

    def capital(self, check: str, odds: float) -> float:
        """What one check contributes to the evidence, at the present odds."""
        if check == ERROR_LIMIT and odds < inf and self.bets[ERRORS].capital < LEANING:
            return 0.0
        return self.shares[check] * self.bets[check].capital

    def evidence(self, odds: float) -> float:
        """The odds against the canary."""
        return sum(self.capital(check, odds) for check in self.bets)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {name: bet.to_json() for name, bet in self.bets.items()}

    def resumed(self, data: Mapping[str, Any]) -> "Comparison":
        """These bets with the capital that `to_json` wrote. KeyError for checks that it didn't know."""
        return replace(self, bets={name: bet.resumed(data[name]) for name, bet in self.bets.items()})


def events(canary: Counts, stable: Counts) -> dict[str, Events]:
    """What each check sees in one report's differences of both sides."""
    failed, answered = canary.drawn.get("failure", 0), canary.drawn.get("success", 0)
    errors = Events(failed + canary.diverted, answered, stable.drawn.get("failure", 0) + stable.diverted)
    found = {ERRORS: errors, ERROR_LIMIT: errors}
    for number, name in enumerate(QUANTILES):
        found[name] = Events(canary.slow(number), canary.timely(number), stable.slow(number))
    return found
