"""The dual bet: that the canary is good enough for a larger weight.

It is made against "the canary is worse by the margin or more",

    P(bad | canary)  >=  margin + P(bad | stable)

and fair or losing while that holds, as the bets against the canary are while it is no worse:

    canary ok    1 + v margin               stable bad   1 + v o
    canary bad   1 - v (1 - margin)         stable ok    1

It begins anew with every weight, as a larger load may change what a canary is worth.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import ceil, exp, inf, log, log1p
from typing import Any

from proxy.analysis.bets import LARGEST, log_sum
from proxy.analysis.observations import Observations
from proxy.analysis.policy import StepUp
from proxy.analysis.verdict import ERRORS, Assurance
from proxy.telemetry.outcome import QUANTILES

P99 = QUANTILES[-1]
LATENCY_MARGIN = 0.02
"""How much more (0..1) of the canary's answers may be slower than the 99th percentile."""
SIZES = (0.15, 0.5, 0.95)
MOST_USERS = 20_000
"""Users of stable that are remembered; those beyond are no evidence."""


@dataclass(slots=True)
class DualBet:
    """Capital that grows while the canary is better than `margin` worse than stable.

    Never edited; not frozen only because that triples the cost of making one.
    """

    margin: float
    stakes: tuple[float, ...] = (-log(len(SIZES)),) * len(SIZES)
    """The natural logarithm of each stake."""
    seen: Observations = field(default_factory=Observations)
    """All that it was made on."""

    @property
    def capital(self) -> float:
        """All of it, e**700 at most."""
        return exp(min(log_sum(self.stakes), LARGEST))

    def after(self, events: Observations, odds: float) -> "DualBet":
        """Return the bet after these events, in any order, with the odds of their coin."""
        factors = _factors(self.margin, odds)
        if not factors:
            return self
        stakes = tuple(
            stake + _product(events, each) for stake, each in zip(self.stakes, factors, strict=True)
        )
        return DualBet(self.margin, stakes, self.seen.plus(events))

    def needed(self, bar: float, odds: float) -> float:
        """Return how many more canary requests it takes to win so much, if all goes on as it did.

        The answer is inf where it never does.
        """
        if self.capital >= bar:
            return 0.0
        requests = self.seen.canary
        grown = [_product(self.seen, each) for each in _factors(self.margin, odds)]
        if grown and not requests:  # at the best: only good ones to come
            requests, grown = 1, [log1p(size * self.margin) for size in SIZES]
        return min(
            (
                (log(bar) - stake) * requests / growth
                for stake, growth in zip(self.stakes, grown, strict=False)
                if growth > 0
            ),
            default=inf,
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"margin": self.margin, "stakes": [*self.stakes], "seen": self.seen.to_json()}

    def resumed(self, data: Mapping[str, Any]) -> "DualBet":
        """Return this bet with the capital that `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: It wrote no such `data`, or of a bet with another margin.
        """
        if data["margin"] != self.margin:
            raise ValueError(f"a bet with a margin of {data['margin']} can't go on with {self.margin}")
        return replace(self, stakes=tuple(data["stakes"]), seen=Observations(*data["seen"]))


class AssuranceBets:
    """The bets that the canary is good enough, since the weight is what it is, by `policy`."""

    def __init__(self, policy: StepUp, *, latency: bool) -> None:
        self.bar = policy.bar
        self._bets = {ERRORS: DualBet(policy.extra_errors_below)}
        if latency:
            self._bets[P99] = DualBet(LATENCY_MARGIN)
        self._met: dict[int, int] = {}
        """Kinds of events that users of stable met already."""

    def __repr__(self) -> str:
        return (
            f"<AssuranceBets: {', '.join(f'{name} {bet.capital:.3g}:1' for name, bet in self._bets.items())}>"
        )

    @property
    def sample(self) -> Observations:
        """The requests that it rests on."""
        return self._bets[ERRORS].seen

    def apply(self, events: Mapping[str, Observations], odds: float) -> None:
        """Count what the checks saw."""
        self._bets = {name: bet.after(events[name], odds) for name, bet in self._bets.items()}

    def once(
        self, events: Mapping[str, Observations], users: Iterable[tuple[int, int]]
    ) -> dict[str, Observations]:
        """Return these events with each of stable's `users` bad once only since the weight is what it is.

        The canary's count each time: both is the careful side here.
        """
        failed = slow = 0
        for user, kinds in users:
            known = self._met.get(user, 0)
            if kinds & ~known and (known or len(self._met) < MOST_USERS):
                self._met[user] = known | kinds
                failed += (kinds & ~known) & 1
                slow += (kinds & ~known) >> 3
        lost = {ERRORS: failed, P99: slow}
        return {name: replace(events[name], stable_bad=lost[name]) for name in self._bets}

    def assurance(self, odds: float, *, latency: bool, rate: float) -> Assurance:
        """Return how far it is shown that the canary is good enough.

        Args:
            odds: Of the coin, the canary's share to stable's.
            latency: Whether latencies must be shown, too; without it errors suffice.
            rate: The canary's requests a second.
        """
        asked = [bet for name, bet in self._bets.items() if name == ERRORS or latency]
        requests = max(bet.needed(self.bar, odds) for bet in asked)
        least = min(bet.capital for bet in asked)
        if requests == inf:
            return Assurance(least, self.bar, None, None)
        requests = ceil(requests)
        return Assurance(least, self.bar, requests, requests / rate if rate else (None if requests else 0.0))

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; users of stable aren't among them."""
        return {name: bet.to_json() for name, bet in self._bets.items()}

    def resume(self, data: Mapping[str, Any]) -> None:
        """Go on from what `to_json` wrote. ValueError, KeyError or TypeError when it wrote no such `data`."""
        self._bets = {name: bet.resumed(data[name]) for name, bet in self._bets.items()}


def _product(events: Observations, factors: tuple[float, float, float]) -> float:
    on_bad, on_ok, on_lost = factors
    return events.canary_bad * on_bad + events.canary_ok * on_ok + events.stable_bad * on_lost


@lru_cache(maxsize=256)
def _factors(margin: float, odds: float) -> tuple[tuple[float, float, float], ...]:
    """Return the logarithms of the factors of each stake; none where no coin is tossed."""
    if odds == inf:
        return ()
    return tuple((log1p(-v * (1 - margin)), log1p(v * margin), log1p(v * odds)) for v in SIZES)
