"""The clients: strangers at random, or users who come again, are fast or slow, and try again."""

from collections.abc import Iterator
from heapq import heappop, heappush
from math import exp
from typing import NamedTuple

from proxy.routing.split import TOTAL
from proxy.simulation.chance import Chance
from proxy.simulation.scenario import Population, Scenario


class User(NamedTuple):
    """One who asks again and again."""

    hash: int
    """64 bits, as of a salted key; 0 for a stranger."""
    speed: float = 1.0
    """How many times longer his answers take."""

    @classmethod
    def one(cls, crowd: Population, chance: Chance) -> "User":
        """Return a user of the crowd."""
        return cls(int(chance.random() * 2**64), exp(chance.gauss(0, crowd.speeds)))

    def below(self, weight: float) -> bool:
        """Return whether a share (0..1) of the users includes this one."""
        return self.hash % TOTAL < weight * TOTAL


STRANGER = User(0)


class Ask(NamedTuple):
    """A request to be sent."""

    at: float
    """Seconds."""
    user: User
    attempt: int = 0
    """How often it failed before."""


class Clients:
    """All who ask."""

    def __init__(self, scenario: Scenario, chance: Chance) -> None:
        self._crowd = crowd = scenario.crowd
        self._chance = chance
        self._again: list[tuple[float, int, Ask]] = []
        self._asked = 0
        self._users = [User.one(crowd, chance) for _ in range(crowd.users)] if crowd else []

    def between(self, begin: float, end: float, rate: float) -> Iterator[Ask]:
        """Yield those who ask for the first time, at so many a second, then those who try again."""
        gap, users = self._chance.expovariate, self._users
        at = begin + gap(rate)
        while at < end:
            user = users[int(self._chance.random() * len(users))] if users else STRANGER
            yield Ask(at, user)
            at += gap(rate)
        while self._again and self._again[0][0] < end:
            yield heappop(self._again)[2]

    def failed(self, ask: Ask, now: float) -> None:
        """Take note that a request failed; its user may try again."""
        crowd = self._crowd
        if crowd and ask.attempt < crowd.retries:
            self._asked += 1
            again = Ask(now + crowd.pause, ask.user, ask.attempt + 1)
            heappush(self._again, (again.at, self._asked, again))

    def stuck(self, ask: Ask) -> bool:
        """Return whether trying again fails on account of the user and not of the backend."""
        return self._crowd is not None and ask.attempt > 0 and self._chance.random() < self._crowd.stubborn
