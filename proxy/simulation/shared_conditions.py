"""The weather that both sides share: how much traffic there is, how much fails, how slow all is."""

from dataclasses import dataclass
from math import pi, sin

from proxy.simulation.chance import Chance
from proxy.simulation.scenario import Incidents, Scenario


@dataclass(frozen=True, slots=True)
class Weather:
    """Factors of traffic, failures and times, and the share that fails in addition."""

    traffic: float = 1.0
    failures: float = 1.0
    times: float = 1.0
    incident: float = 0.0
    """The share (0..1) of requests that fail on account of an incident."""

    def failing(self, errors: float) -> float:
        """Return the share that fails now of a side that fails so much by itself."""
        return 1 - (1 - min(errors * self.failures, 1.0)) * (1 - self.incident)


class Climate:
    """The weather over a whole run: the swing of the day, and incidents where chance puts them."""

    def __init__(self, scenario: Scenario, chance: Chance) -> None:
        self._day = scenario.day
        self._incidents = scenario.incidents
        self._chance = chance
        self._begins = self._next(scenario.incidents, 0.0)

    def at(self, now: float) -> Weather:
        """Return the weather now, in seconds; `now` never falls."""
        swing = 1.0
        if self._day:
            swing += self._day.depth * sin(2 * pi * now / self._day.period)
        incidents = self._incidents
        while incidents and now >= self._begins + incidents.lasts:
            self._begins = self._next(incidents, self._begins + incidents.lasts)
        if incidents and now >= self._begins:
            return Weather(swing, swing, swing * incidents.slow, incidents.errors)
        return Weather(swing, swing, swing)

    def _next(self, incidents: Incidents | None, after: float) -> float:
        return after + self._chance.expovariate(1 / incidents.every) if incidents else 0.0
