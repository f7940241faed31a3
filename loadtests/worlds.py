"""How often an identical canary is rolled back for a bad moment of its own: the project's judge, simulated.

    python loadtests/worlds.py [--runs 100] [--seed 1] [--only cold]

Ten endpoints of stable and one of the canary, 100 requests a second, 50 ms at the median, 1 % failures. The
canary has 5, 20 and 50 % of the requests for ten minutes each. In the worlds that are `cold` its answers
take longer after each rise of its weight, less and less; in the others each endpoint of both sides pauses
now and then, and answers what came meanwhile behind that. Exit status 1 when more than 2 % of the runs of a
cold world end with a rollback; pauses are shown alone.
"""

import argparse
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

from proxy.analysis.judge import Judge
from proxy.analysis.policy import Policy
from proxy.routing.split import CANARY, STABLE, TOTAL
from proxy.simulation.clients import Ask
from proxy.simulation.scenario import BackendBehavior, Scenario
from proxy.simulation.shared_conditions import Weather
from proxy.simulation.world import SentRequest, World

ALONE = 120.0
STEPS = (0.05, 0.2, 0.5)
LASTS = 600.0
"""Seconds of stable alone, the canary's weights, and seconds of each."""
ENDPOINTS = {STABLE: 10, CANARY: 1}
LOOK, REPORT = 0.05, 0.25
"""Seconds that time goes on at once, and between two reports without anything urgent."""
MOST = 0.02


@dataclass(frozen=True)
class Moment:
    """The bad moment of a world."""

    times: float = 1.0
    """How many times longer the canary's answers take right after a rise; it falls to 1 evenly,"""
    seconds: float = 0.0
    """within so many seconds,"""
    requests: int = 0
    """or within so many requests of the canary."""
    pause: float = 0.0
    every: float = 0.0
    """Seconds that an endpoint pauses, and between two beginnings."""


WORLDS = {
    "no bad moment": Moment(),
    "cold: x2 falling off in 10 s": Moment(2.0, 10.0),
    "cold: x3 falling off in 20 s": Moment(3.0, 20.0),
    "cold: x3 falling off over 100 requests": Moment(3.0, requests=100),
    "pauses of 0.3 s every minute": Moment(pause=0.3, every=60.0),
    "pauses of 1 s every 5 min": Moment(pause=1.0, every=300.0),
}


class MomentaryWorld(World):
    """A world with that moment."""

    def __init__(self, moment: Moment, chance: random.Random) -> None:
        super().__init__(Scenario(stable=BackendBehavior(errors=0.01)), chance)
        self._moment = moment
        self._random = chance
        self._rose, self._met_before = 0.0, 0
        self._phases = {
            side: [chance.uniform(0, moment.every) for _ in range(number)]
            for side, number in ENDPOINTS.items()
        }

    def rise(self, weight: float) -> None:
        """Give the canary another weight."""
        self.weight = weight
        self._rose, self._met_before = self.now, self.met

    def _fate(
        self, ask: Ask, backend: str, side: BackendBehavior, weather: Weather, *, drawn: bool
    ) -> SentRequest:
        if backend == CANARY:
            side = replace(side, median=side.median * self._times(ask.at))
        request = super()._fate(ask, backend, side, weather, drawn=drawn)
        request.seconds += self._held(backend, ask.at)
        return request

    def _times(self, now: float) -> float:
        moment = self._moment
        if moment.seconds:
            passed = (now - self._rose) / moment.seconds
        else:
            passed = (self.met - self._met_before) / moment.requests if moment.requests else 1.0
        return 1 + (moment.times - 1) * max(0.0, 1 - passed)

    def _held(self, backend: str, now: float) -> float:
        """How long the endpoint that was asked pauses yet."""
        moment = self._moment
        if not moment.every:
            return 0.0
        into = (now + self._random.choice(self._phases[backend])) % moment.every
        return max(0.0, moment.pause - into)


def rolled_back(moment: Moment, chance: random.Random) -> bool:
    """One release; whether the canary is rolled back."""
    world, judge = MomentaryWorld(moment, chance), Judge(Policy())
    for revision, (weight, lasts) in enumerate(((0.0, ALONE), *((step, LASTS) for step in STEPS)), 1):
        judge.weigh(revision, round(weight * TOTAL))
        world.rise(weight)
        if fails(world, judge, revision, world.now + lasts):
            return True
    return False


def fails(world: World, judge: Judge, revision: int, end: float) -> bool:
    """Whether the canary fails until then, under one weight."""
    reported = world.now
    while world.now < end:
        urgent = world.urgent
        world.pass_until(world.now + LOOK)
        if urgent or world.now - reported >= REPORT:
            reported = world.now
            judge.apply([(revision, side, counts) for side, counts in world.report()], world.now)
            world.thresholds = judge.thresholds(world.now)
            if judge.failing(world.now):
                return True
    return False


def main(say: Callable[[str], None] = print) -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="worlds with these words in their names")
    asked = parser.parse_args()
    good = True
    for name, moment in WORLDS.items():
        if asked.only in name:
            chances = (random.Random(f"{asked.seed} {name} {run}") for run in range(asked.runs))
            lost = sum(rolled_back(moment, chance) for chance in chances)
            good = good and (lost <= MOST * asked.runs or not moment.times > 1)
            say(f"{name:40} {lost} of {asked.runs} rolled back")
            sys.stdout.flush()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
