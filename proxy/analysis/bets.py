"""One bet against a canary: that it goes bad more often than stable, beyond a tolerance.

A bet is made against the statement

    H0:   P(bad | canary)  <=  slack + ratio * P(bad | stable)        at every moment

and its capital is multiplied by a factor for every request whose backend the coin chose. With the canary's
share w, and o = w / (1 - w), a stake of size u gains or loses

    canary bad   1 + u (1 - slack)          stable bad   1 - u ratio o
    canary ok    1 - u slack                stable ok    1

which is on the average 1 at most while H0 holds, whatever the rates do over time, because it is our own coin
that sent the request to the one or the other. By Ville's inequality capital that began as 1 ever reaches N
with a probability of 1/N at most, however long the run and however often one looks. (Lindon & Malek 2022,
"Anytime-valid inference for multinomial count data"; Waudby-Smith et al. 2022, "Anytime-valid off-policy
inference"; Shin, Ramdas & Rinaldo 2024, "E-detectors".)

How much worse a canary may be is not known: four sizes are staked side by side. And part of the capital is
held back as cash and staked bit by bit, or a canary that turns bad after hours of good service would find all
of it lost to those hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp, inf, log, log1p
from typing import Any

from proxy.analysis.observations import Observations

SIZES = (0.5, 2.0, 8.0, 32.0)
"""What is staked per request, as a multiple of the stake's capital; each within `BOLDEST`."""
BOLDEST = 0.95
"""Of the size at which a single event would lose the whole stake."""
HELD_BACK = 0.5
"""The part of the capital that is cash at first."""
SLICE = 16
"""Canary requests after which some of the cash is staked."""
PATIENCE = 0.25
"""How fast the cash is staked: after the j-th slice (j / (j + 1)) ** PATIENCE of it is left."""
ON_A_RISE = 0.25
"""The part of the cash that is staked when the weight rises."""

LARGEST = 700.0
"""A power of e that is still a number."""
MOST = exp(LARGEST)
"""What capital is reported as when it is more."""


@dataclass(slots=True)
class Bet:
    """The capital of one bet: four stakes, and the cash.

    Never edited; not frozen only because that triples the cost of making one.
    """

    slack: float
    """How much (0..1) more of the canary's requests may be bad."""
    ratio: float
    """How many times stable's share may be bad as well; 0: stable doesn't matter."""
    cash: float
    stakes: tuple[float, ...]
    """The natural logarithm of each stake: capital spans more than numbers can."""
    seen: int = 0
    """Canary requests that it was made on."""
    slices: int = 0
    """How many full slices of them the cash was staked for."""

    @classmethod
    def begin(cls, slack: float, ratio: float, held_back: float = HELD_BACK) -> "Bet":
        """Return a bet with a capital of 1, of which `held_back` (0..1) is cash."""
        return cls(slack, ratio, held_back, (log((1 - held_back) / len(SIZES)),) * len(SIZES))

    @property
    def log_capital(self) -> float:
        """The natural logarithm of all of it."""
        return log_sum((*self.stakes, log(self.cash)) if self.cash else self.stakes)

    @property
    def capital(self) -> float:
        """All of it, e**700 at most."""
        stakes = [exp(stake if stake < LARGEST else LARGEST) for stake in self.stakes]
        return min(self.cash + sum(stakes), MOST)

    @property
    def most(self) -> float:
        """The natural logarithm of what its capital is at most; it is known sooner than the capital."""
        return max(*self.stakes, 0.0) + log(len(self.stakes) + 1)

    def after(self, events: Observations, odds: float) -> "Bet":
        """Return the bet after events that the coin of these `odds` (canary's share to stable's) led to.

        It is a product of factors, so that the order of the events doesn't matter. The cash stays where it
        is: were it staked among the events of one report, it would escape stable's failures and meet the
        canary's.
        """
        bad, ok, lost = events.canary_bad, events.canary_ok, events.stable_bad
        if not (bad or ok or lost):
            return self
        factors = _factors(self.slack, self.ratio, odds)
        if not factors:
            return self
        stakes = tuple(
            [
                stake + bad * on_bad + ok * on_ok + lost * on_lost
                for stake, (on_bad, on_ok, on_lost) in zip(self.stakes, factors, strict=True)
            ]
        )
        return Bet(self.slack, self.ratio, self.cash, stakes, self.seen + bad + ok, self.slices)

    def settled(self) -> "Bet":
        """Return the bet between two reports: some cash is staked for each full slice that was seen."""
        slices = self.seen // SLICE if self.cash else self.slices
        if slices == self.slices:
            return self
        left = ((self.slices + 1) / (slices + 1)) ** PATIENCE
        settled = self.staked(1 - left)
        return Bet(self.slack, self.ratio, settled.cash, settled.stakes, self.seen, slices)

    def staked(self, part: float) -> "Bet":
        """Return the bet with a `part` (between 0 and 1) of its cash staked."""
        if not self.cash:
            return self
        share = log(self.cash) + log(part / len(self.stakes))
        stakes = tuple([log_sum((stake, share)) for stake in self.stakes])
        return Bet(self.slack, self.ratio, self.cash * (1 - part), stakes, self.seen, self.slices)

    def to_json(self) -> list[Any]:
        """Return plain JSON values."""
        return [self.slack, self.ratio, self.cash, self.seen, self.slices, *self.stakes]

    def resumed(self, data: list[Any]) -> "Bet":
        """Return this bet with the capital that `to_json` wrote.

        Capital can't be carried over to a statement that it wasn't won against.

        Raises:
            ValueError: It wrote no such `data`, or of a bet on other terms.
        """
        slack, ratio, cash, seen, slices, *stakes = data
        if (slack, ratio, len(stakes)) != (self.slack, self.ratio, len(self.stakes)):
            raise ValueError(
                f"a bet on {slack} and {ratio} can't go on as one on {self.slack} and {self.ratio}"
            )
        return replace(self, cash=float(cash), seen=seen, slices=slices, stakes=tuple(map(float, stakes)))


def log_sum(logs: Sequence[float]) -> float:
    """Return the logarithm of a sum, of the logarithms of what is summed up."""
    largest = max(logs)
    return largest + log(sum([exp(each - largest) for each in logs]))


@lru_cache(maxsize=4096)
def _factors(slack: float, ratio: float, odds: float) -> tuple[tuple[float, float, float], ...]:
    """Return the logarithms of each stake's factors for a bad, a good canary request, a bad one of stable.

    There are none where no coin is tossed and the bet needs one.
    """
    loses = ratio * odds if ratio else 0.0
    if loses == inf:
        return ()
    boldest = BOLDEST * min(1 / slack if slack else inf, 1 / loses if loses else inf)
    return tuple(
        (log1p(size * (1 - slack)), log1p(-size * slack), log1p(-size * loses))
        for size in (min(size, boldest) for size in SIZES)
    )
