"""Bets where the coin is tossed for users: their bad events count once in a round, and rounds run abreast.

A user who fails again and again, as retries do, is one piece of evidence and not many. But counted once in a
whole release, every user would be used up after an hour, and a canary that dies later would never be seen. So
rounds of several lengths run at the same time, each with users and capital of its own, and each is followed
by the next. Round r of the k-th length fails at 2 ** (k + 1) * r * (r + 1) times the bar: a union bound, so
that all of them together have one chance of a false alarm, however they depend on each other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from proxy.analysis.bets import Events
from proxy.analysis.comparison import ERROR_LIMIT, ERRORS, Comparison
from proxy.analysis.policy import Policy
from proxy.telemetry.outcome import QUANTILES
from proxy.telemetry.tally import Counts
from proxy.telemetry.users import FAILED, SLOW

LENGTHS = tuple(300.0 * 4**k for k in range(5))
"""Seconds: five minutes to a day."""
MOST_USERS = 100_000
"""Users with bad events remembered of each kind. When there are more, all rounds begin anew."""
BLOCK = 1_000
"""Draws after which the share seen of a revision is taken anew; two blocks are looked at."""

KINDS: Mapping[str, int] = {ERRORS: FAILED, **dict(zip(QUANTILES, SLOW, strict=True))}
"""The bit of each check in the events of users."""


@dataclass(slots=True)
class Round:
    """One round: `number` counts from 1 among those of its length."""

    place: int
    """Of its length among LENGTHS."""
    number: int
    first: int
    """The number of the first tally that it took."""
    until: float
    """When it is over, monotonic seconds."""
    bets: Comparison

    @property
    def height(self) -> float:
        """How many times higher the bar is for this round."""
        return float(2 ** (self.place + 1) * self.number * (self.number + 1))


class Rounds:
    """The rounds of one canary."""

    def __init__(self, policy: Policy) -> None:
        # Without cash: a late stake would meet users of stable who are used up.
        self._anew = Comparison.begin(policy, held_back=0.0)
        self._rounds: list[Round] = []
        self._users: dict[str, dict[int, int]] = {check: {} for check in KINDS}
        """By check: the number of the last tally in which a user had such an event."""
        self._tally = 0

    def __repr__(self) -> str:
        return f"<Rounds {', '.join(str(each.number) for each in self._rounds) or 'not begun'}>"

    def begin_anew(self) -> None:
        """End the rounds that run, and begin the next at the next tally: the weight is another one."""
        for users in self._users.values():
            users.clear()
        for each in self._rounds:
            each.until = float("-inf")

    def apply(self, canary: Counts, stable: Counts, odds: float, now: float) -> None:
        """Take one tally whole. Of one with a gap nothing counts: what is missing may be one side's only."""
        self._tally += 1
        if canary.users.gap or stable.users.gap or any(len(u) > MOST_USERS for u in self._users.values()):
            self.begin_anew()
            return
        self._turn(now)
        firsts = self._firsts(canary, stable)
        answered = canary.drawn.get("success", 0) + canary.drawn.get("failure", 0)
        for place, each in enumerate(self._rounds):
            events = {check: Events(firsts[place, check, 0], 0, firsts[place, check, 1]) for check in KINDS}
            bad = events[ERRORS]
            # A draw without a living endpoint has no user to speak of. A failure that isn't a user's first
            # counts as an answer: that is the careful side.
            events[ERRORS] = events[ERROR_LIMIT] = Events(
                bad.canary_bad + canary.diverted,
                max(answered - bad.canary_bad, 0),
                bad.stable_bad + stable.diverted,
            )
            each.bets = each.bets.after(events, odds)

    def evidence(self, odds: float) -> float:
        """The odds against the canary: of the round in which they are highest, by its own bar."""
        return max((each.bets.evidence(odds) / each.height for each in self._rounds), default=1.0)

    def capital(self, check: str, odds: float) -> float:
        """What one check contributes to the evidence, in that round."""
        worst = max(self._rounds, key=lambda each: each.bets.evidence(odds) / each.height, default=None)
        return worst.bets.capital(check, odds) / worst.height if worst else self._anew.capital(check, odds)

    def to_json(self) -> list[int]:
        """How many rounds of each length there were: plain JSON values."""
        return [each.number for each in self._rounds]

    def resume(self, numbers: list[int]) -> None:
        """Go on counting rounds where `to_json` was called. Who was seen in them isn't known any more."""
        self._rounds = [
            Round(place, int(number), 0, float("-inf"), self._anew) for place, number in enumerate(numbers)
        ]

    def _turn(self, now: float) -> None:
        """Begin the rounds that are due."""
        if not self._rounds:
            self._rounds = [Round(place, 0, 0, float("-inf"), self._anew) for place in range(len(LENGTHS))]
        for each in self._rounds:
            if now >= each.until:
                each.number += 1
                each.first = self._tally
                each.until = now + LENGTHS[each.place]
                each.bets = self._anew

    def _firsts(self, canary: Counts, stable: Counts) -> dict[tuple[int, str, int], int]:
        """By place of the round, check and side (0: the canary): users whose first bad event this is."""
        begins = [each.first for each in self._rounds]
        latest = max(begins)
        firsts = {
            (place, check, side): 0 for place in range(len(begins)) for check in KINDS for side in (0, 1)
        }
        for side, check, user in _events(canary, stable):
            users = self._users[check]
            last = users.get(user, 0)
            users[user] = self._tally
            if last < latest:
                for place, begin in enumerate(begins):
                    if last < begin:
                        firsts[place, check, side] += 1
        return firsts


def _events(canary: Counts, stable: Counts) -> Iterator[tuple[int, str, int]]:
    """Side, check and user of each event."""
    for side, counts in enumerate((canary, stable)):
        for user, kinds in counts.users.events:
            for check, bit in KINDS.items():
                if kinds & bit:
                    yield side, check, user


class Share:
    """What part of a revision's draws the canary had lately: one heavy user makes it unlike the weight."""

    def __init__(self) -> None:
        self._blocks = [(0, 0), (0, 0)]

    def __repr__(self) -> str:
        return f"<Share {self.seen}>"

    def take(self, canary: int, stable: int) -> None:
        """Count draws."""
        older, (of_canary, of_all) = self._blocks
        newest = (of_canary + canary, of_all + canary + stable)
        self._blocks = [newest, (0, 0)] if newest[1] >= BLOCK else [older, newest]

    @property
    def seen(self) -> float:
        """The share (0..1); 0 before there was a whole block."""
        (of_canary, of_all), (more, more_all) = self._blocks
        return (of_canary + more) / (of_all + more_all) if of_all else 0.0
