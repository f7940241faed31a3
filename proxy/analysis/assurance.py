"""Good enough to step up: bets for the canary, that it is not worse than stable by a margin or more.

The same coin as in `bets`, and the other side of it: the capital is bet against

    H:   P(bad | canary)  >=  margin + P(bad | stable)

with a canary's good request 1 + v margin, its bad one 1 - v (1 - margin), and stable's bad one 1 + v o. At
odds of 1 / (1 - confidence) it is shown that the canary is better than that. It begins anew at every weight,
for more traffic is another question.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, exp, inf, log, log1p

from proxy.analysis.bets import Events

BOLDNESS = (0.15, 0.5, 0.95)
"""What is staked, side by side: v above."""
P99_MARGIN = 0.02
"""How much more of the canary's answers than of stable's may be over the last threshold."""

_LARGEST = 700.0


@dataclass(frozen=True, slots=True)
class Dual:
    """One bet for the canary, and what it was made on."""

    margin: float
    stakes: tuple[float, ...] = (-log(len(BOLDNESS)),) * len(BOLDNESS)
    """Natural logarithms."""
    bad: int = 0
    ok: int = 0
    stable_bad: int = 0

    @property
    def capital(self) -> float:
        """Odds that the canary is good enough, as N:1."""
        largest = max(self.stakes)
        return exp(min(largest + log(sum(exp(stake - largest) for stake in self.stakes)), _LARGEST))

    def after(self, events: Events, odds: float) -> "Dual":
        """The bet after one report, as `Bet.after`."""
        if odds == inf:
            return self
        bad, ok, stable_bad = events.canary_bad, events.canary_ok, events.stable_bad
        return replace(
            self,
            stakes=tuple(
                stake + ok * on_ok + bad * on_bad + stable_bad * on_stable
                for stake, (on_bad, on_ok, on_stable) in zip(
                    self.stakes, _factors(self.margin, odds), strict=True
                )
            ),
            bad=self.bad + bad,
            ok=self.ok + ok,
            stable_bad=self.stable_bad + stable_bad,
        )

    def to_json(self) -> list[float]:
        """Plain JSON values."""
        return [self.bad, self.ok, self.stable_bad, *self.stakes]

    def resumed(self, data: list[float]) -> "Dual":
        """This bet with the capital that `to_json` wrote. ValueError when it wrote no such `data`."""
        bad, ok, stable_bad, *stakes = data
        if len(stakes) != len(BOLDNESS):
            raise ValueError(f"an assurance has {len(BOLDNESS)} stakes, not {len(stakes)}")
        return Dual(self.margin, tuple(map(float, stakes)), int(bad), int(ok), int(stable_bad))

    def needs(self, bar: float, odds: float) -> int | None:
        """How many more canary requests until the capital is there, at the rates seen; None: it won't be.

        Without any yet, those of a canary and a stable that never fail are taken.
        """
        if self.capital >= bar:
            return 0
        if odds == inf:
            return None
        seen = self.bad + self.ok
        bad, stable_bad = (self.bad / seen, self.stable_bad / seen) if seen else (0.0, 0.0)
        waits = []
        for stake, (on_bad, on_ok, on_stable) in zip(self.stakes, _factors(self.margin, odds), strict=True):
            growth = bad * on_bad + (1 - bad) * on_ok + stable_bad * on_stable
            if growth > 0:
                waits.append((log(bar) - stake) / growth)
        return max(ceil(min(waits)), 1) if waits else None


@lru_cache(maxsize=4096)
def _factors(margin: float, odds: float) -> tuple[tuple[float, float, float], ...]:
    """The logarithms of what a bad canary request, a good one and a bad one of stable do to each stake."""
    return tuple((log1p(-v * (1 - margin)), log1p(v * margin), log1p(v * odds)) for v in BOLDNESS)
