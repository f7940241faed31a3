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

Nobody guesses how much worse a canary may be: four sizes are staked side by side. And part of the capital is
held back as cash and staked bit by bit, or a canary that turns bad after hours of good service would find all
of it lost to those hours.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp, inf, log, log1p
from typing import Any

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

_LARGEST = 700.0
"""The largest power of e that is a number."""


@dataclass(frozen=True, slots=True)
class Events:
    """What the requests of one report came to, of those that the coin sent: whole, or nothing of it."""

    canary_bad: int = 0
    canary_ok: int = 0
    stable_bad: int = 0


@dataclass(frozen=True, slots=True)
class Bet:
    """The capital of one bet: four stakes, and the cash."""

    slack: float
    """How much (0..1) more of the canary's requests may be bad."""
    ratio: float
    """How many times stable's share may be bad as well; 0: stable doesn't matter."""
    cash: float
    stakes: tuple[float, ...]
    """The natural logarithm of each stake: capital spans more than numbers can."""
    seen: int = 0
    """Canary requests that it was made on."""

    @classmethod
    def begin(cls, slack: float, ratio: float, held_back: float = HELD_BACK) -> "Bet":
        """A capital of 1."""
        return cls(slack, ratio, held_back, (log((1 - held_back) / len(SIZES)),) * len(SIZES))

    @property
    def log_capital(self) -> float:
        """The natural logarithm of all of it."""
        largest = max(self.stakes)
        return largest + log(
            sum(exp(stake - largest) for stake in self.stakes) + self.cash * exp(min(-largest, _LARGEST))
        )

    @property
    def capital(self) -> float:
        """All of it, e**700 at most."""
        return exp(min(self.log_capital, _LARGEST))

    def after(self, events: Events, odds: float) -> "Bet":
        """The bet after one report, with stakes and `odds` (canary's share to stable's) fixed before it.

        A product of factors, so that the order of the events doesn't matter. The cash moves behind them, by
        what has been counted: were it staked among them, it would escape stable's failures and meet the
        canary's.
        """
        factors = _factors(self.slack, self.ratio, odds)
        if not factors:
            return self
        bad, ok, lost = events.canary_bad, events.canary_ok, events.stable_bad
        stakes = tuple(
            stake + bad * on_bad + ok * on_ok + lost * on_lost
            for stake, (on_bad, on_ok, on_lost) in zip(self.stakes, factors, strict=True)
        )
        seen = self.seen + bad + ok
        moved = replace(self, stakes=stakes, seen=seen)
        slices, before = seen // SLICE, self.seen // SLICE
        if slices == before or not self.cash:
            return moved
        return moved.staked(1 - ((before + 1) / (slices + 1)) ** PATIENCE)

    def staked(self, part: float) -> "Bet":
        """The bet with a `part` (0..1) of its cash staked."""
        if not self.cash:
            return self
        share = log(self.cash * part / len(self.stakes))
        stakes = tuple(max(stake, share) + log1p(exp(-abs(stake - share))) for stake in self.stakes)
        return replace(self, cash=self.cash * (1 - part), stakes=stakes)

    def to_json(self) -> list[Any]:
        """Plain JSON values; what was agreed on isn't part of them."""
        return [self.cash, self.seen, *self.stakes]

    def resumed(self, data: list[Any]) -> "Bet":
        """This bet with the capital that `to_json` wrote. ValueError when it wrote no such `data`."""
        cash, seen, *stakes = data
        if len(stakes) != len(SIZES):
            raise ValueError(f"a bet has {len(SIZES)} stakes, not {len(stakes)}")
        return replace(self, cash=float(cash), seen=int(seen), stakes=tuple(map(float, stakes)))


def odds(parts: int, total: int = 10_000) -> float:
    """The canary's share to stable's, when `parts` of `total` are the canary's."""
    return parts / (total - parts) if parts < total else inf


@lru_cache(maxsize=4096)
def _factors(slack: float, ratio: float, odds: float) -> tuple[tuple[float, float, float], ...]:
    """The logarithms of what a bad canary request, a good one and a bad one of stable do to each stake.

    None where no coin is tossed and the bet needs one.
    """
    loses = ratio * odds if ratio else 0.0
    if loses == inf:
        return ()
    boldest = BOLDEST * min(1 / slack if slack else inf, 1 / loses if loses else inf)
    return tuple(
        (log1p(size * (1 - slack)), log1p(-size * slack), log1p(-size * loses))
        for size in (min(size, boldest) for size in SIZES)
    )
