"""Bets where the coin is tossed for users: in rounds, in each of which a user's bad request counts once.

A user whose requests fail is likely to see the next one fail as well, and to try again at once: such
requests are no evidence of their own. (When every failure counted, bursts of retries led to false rollbacks
in every run.) So a user is bad once per check and round. If a user could be bad only once per release, all
users would be used up after some hours, and none left to fail by a dead canary. Hence rounds: of five
lengths, side by side, each beginning with no user known and a capital of 1, all of it staked. (Late stakes
would meet users of stable that are used up.)

The r-th round of the length number k is lost at odds of 2**(k+1) r (r+1) times the bar. One over that,
summed up over all rounds there can ever be, is one over the bar: a union bound, whatever the rounds have in
common.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any

from proxy.analysis.comparison import Comparison
from proxy.analysis.observations import Observations, RevisionCounts
from proxy.analysis.policy import Policy
from proxy.analysis.weight_history import odds
from proxy.routing.split import TOTAL
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import QUANTILES

LENGTHS = tuple(300.0 * 4**k for k in range(5))
"""Seconds: from five minutes to 21 hours."""
MOST_USERS = 20_000
"""Users remembered by a round. With more it begins anew, which costs it little: its bar rises as the square
of their number, and the evidence as a power."""

ENOUGH_DRAWS = 1_000
"""Draws from which on their shares are known; so many to twice as many are looked at."""

_STABLE = 4
"""Bits by which what is known of users of stable is apart from what is known of the canary's."""
_EACH = tuple(tuple(kind for kind in range(_STABLE) if bits >> kind & 1) for bits in range(1 << _STABLE))
"""The kinds of events (0: failed, then slow for each quantile) that are set in so many bits."""
_KINDS = dict(zip(QUANTILES, range(1, _STABLE), strict=True))


class Round:
    """One round of its length. `number` counts on from 1 with each that begins."""

    def __init__(self, policy: Policy, place: int, begun: int = 0) -> None:
        self._length = LENGTHS[place]
        self._factor = 2.0 ** (place + 1)
        self._fresh = Comparison.begin(policy, held_back=0.0)
        self.number = begun
        self._until = -inf
        self.bets = self._fresh
        """The capital of this round, by check."""
        self._met: dict[int, int] = {}
        """What is known of users, as bits."""

    def __repr__(self) -> str:
        return f"<Round {self.number} of {self._length:g} s: {len(self._met)} users>"

    def end(self) -> None:
        """Let the next report begin another one."""
        self._until = -inf

    def apply(self, report: Sequence[RevisionCounts], odds: float, now: float) -> None:
        """Count one report, whole."""
        if now >= self._until or len(self._met) > MOST_USERS:
            self.number += 1
            self._until = now + self._length
            self.bets = self._fresh
            self._met = {}
        self.bets = self.bets.after([(self._events(each.canary, each.stable), odds) for each in report])

    @property
    def bound(self) -> float:
        """How many times the bar of a whole release is its own."""
        number = max(self.number, 1)
        return self._factor * number * (number + 1)

    def capitals(self, odds: float) -> dict[str, float]:
        """Return what each check contributes to the evidence, as odds against the bar of a whole release."""
        bound = self.bound
        return {name: capital / bound for name, capital in self.bets.capitals(odds, bound).items()}

    def reach(self, bar: float, odds: float) -> bool:
        """Return whether that is as much as the bar."""
        return self.bets.reach(bar, odds, self.bound)

    def _events(self, canary: Counts, stable: Counts) -> dict[str, Observations]:
        """Return what the checks see; a bad request of a user who was bad before is taken for good.

        Good ones are no evidence to a check on latencies.
        """
        bad, lost = self._first(canary.users.events, 0), self._first(stable.users.events, _STABLE)
        errors = Observations(bad[0], max(canary.drawn_meant - bad[0], 0), lost[0])
        found = dict.fromkeys(self._fresh.bets, errors)
        for name, kind in _KINDS.items():
            if name in found:
                found[name] = Observations(bad[kind], 0, lost[kind])
        return found

    def _first(self, events: Iterable[tuple[int, int]], shift: int) -> list[int]:
        """Return how many users were bad for the first time, by kind."""
        found, met = [0] * _STABLE, self._met
        get = met.get
        for user, kinds in events:
            known = get(user, 0)
            new = (kinds << shift) & ~known
            if new:
                met[user] = known | new
                for kind in _EACH[new >> shift]:
                    found[kind] += 1
        return found


class Draws:
    """The last draws of a service, while its weight is the same.

    A few heavy users make the canary's share of the requests unlike its share of the users. What is bet on it
    must be careful on both sides.
    """

    __slots__ = ("_all", "_before", "_canary")

    def __init__(self) -> None:
        self._canary = self._all = 0
        self._before: tuple[int, int] | None = None

    def __repr__(self) -> str:
        return f"<Draws: {self.share} were the canary's>"

    @property
    def share(self) -> float | None:
        """The canary's share (0..1) of them; None while they are too few."""
        if self._before is None:
            return None
        canary, total = self._before
        return (canary + self._canary) / (total + self._all)

    def add(self, canary: int, total: int) -> None:
        """Count so many draws more, and how many of them were the canary's."""
        self._canary += canary
        self._all += total
        if self._all >= ENOUGH_DRAWS:
            self._before = (self._canary, self._all)
            self._canary = self._all = 0


class Rounds:
    """The rounds of all lengths. `begun` is how many of each there were."""

    def __init__(self, policy: Policy, begun: Sequence[int] = (0,) * len(LENGTHS)) -> None:
        self.rounds = [
            Round(policy, place, number) for place, number in zip(range(len(LENGTHS)), begun, strict=True)
        ]
        self._draws = Draws()

    def __repr__(self) -> str:
        return f"<Rounds {', '.join(str(each.number) for each in self.rounds)}>"

    def weighed(self, change: int, parts: int) -> None:
        """End all rounds: at another weight other users meet the canary."""
        self._draws = Draws()
        self._end()

    def warm(self) -> None:
        """Do nothing: rounds have no cash that could be staked."""

    def apply(self, report: Sequence[RevisionCounts], now: float) -> None:
        """Count one report, whole; what was routed by another weight isn't of these rounds."""
        report = [each for each in report if each.current]
        if not report:
            return
        if any(each.canary.users.gap or each.stable.users.gap for each in report):
            self._end()
            return
        odds = self._odds(report[0].parts)
        for each in self.rounds:
            each.apply(report, odds, now)
        for part in report:
            drawn = _drawn(part.canary)
            self._draws.add(drawn, drawn + _drawn(part.stable))

    def capitals(self, parts: int) -> dict[str, float]:
        """Return what each check contributes to the evidence of the round that has the most."""
        odds = self._odds(parts)
        return max((each.capitals(odds) for each in self.rounds), key=_total)

    def reach(self, bar: float, parts: int) -> bool:
        """Return whether the evidence of any round is as much as the bar."""
        odds = self._odds(parts)
        return any(each.reach(bar, odds) for each in self.rounds)

    def to_json(self) -> list[int]:
        """Return plain JSON values: rounds begin anew, but their numbers count on, or the bound was gone."""
        return [each.number for each in self.rounds]

    def _end(self) -> None:
        for each in self.rounds:
            each.end()

    def _odds(self, parts: int) -> float:
        return odds(max(parts, (self._draws.share or 0.0) * TOTAL))


def _drawn(counts: Counts) -> int:
    return sum(counts.drawn.values()) + counts.diverted


def _total(capitals: Mapping[str, float]) -> float:
    return sum(capitals.values())


def resumed_rounds(policy: Policy, data: Any) -> Rounds:
    """Return rounds whose numbers count on from what `to_json` wrote.

    Raises:
        ValueError: It wrote no such `data`.
    """
    if not all(type(number) is int and number >= 0 for number in data):
        raise ValueError(f"expected the numbers of rounds, not {data!r}")
    return Rounds(policy, data)
