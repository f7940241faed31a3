"""What does judging cost? Microseconds of control's time a request, by what the coin is tossed for.

    python loadtests/judgecost.py [--rate 500] [--seconds 120]

Two workers report every 250 ms. Stable and canary fail 1 %; the second line of each has a report at once for
every failure as well, as workers send it. The time is that of the judge alone: reports are made beforehand.
After every report it is asked whether the canary is failing, and once a second for the verdict in words. Exit
code 1 when the first line of either is above 2 us a request.
"""

import argparse
import random
import sys
from time import process_time

from proxy.analysis.judge import Judge
from proxy.analysis.policy import Policy
from proxy.routing.split import CANARY, STABLE
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import Outcome, Result, Thresholds

WORKERS, REPORT = 2, 0.25
LIMIT = 2.0  # microseconds
WEIGHT = 2_000
USERS = 50_000
ERRORS = 0.01
MEDIAN, SPREAD = 0.02, 0.5
THRESHOLDS: dict[str, Thresholds] = {STABLE: (0.02, 0.038, 0.064), CANARY: (0.025, 0.0475, 0.08)}
Report = tuple[float, list[tuple[int, str, Counts]]]


def request(rng: random.Random, *, sticky: bool) -> Outcome:
    """One request, as a worker remembers it."""
    user = rng.randrange(1, USERS) if sticky else 0
    place = user * 2654435761 % 10_000 if sticky else rng.randrange(10_000)
    backend = CANARY if place < WEIGHT else STABLE
    bad = rng.random() < ERRORS
    result: Result = "failure" if bad else "success"
    status, seconds = (500 if bad else 200), rng.lognormvariate(0.0, SPREAD) * MEDIAN
    return Outcome(
        ("shop", 1, backend), "GET", status, "complete", result, True, seconds, seconds,
        user=user << 32 | place, exposed=sticky and backend == CANARY, thresholds=THRESHOLDS[backend],
    )  # fmt: skip  # one line reads as the list it is


def reports(rate: int, seconds: int, *, sticky: bool, urgent: bool) -> list[Report]:
    """All reports of both workers, in order."""
    rng, made, time = random.Random(1), list[Report](), 0.0
    for _ in range(int(seconds / REPORT)):
        time += REPORT
        for _ in range(WORKERS):
            sides = {STABLE: Counts(), CANARY: Counts()}
            for _ in range(int(rate * REPORT / WORKERS)):
                outcome = request(rng, sticky=sticky)
                sides[outcome.key[2]].record(outcome)
                if urgent and outcome.result == "failure":
                    made.append((time, [(1, name, counts) for name, counts in sides.items()]))
                    sides = {STABLE: Counts(), CANARY: Counts()}
            made.append((time, [(1, name, counts) for name, counts in sides.items()]))
    return made


def cost(rate: int, seconds: int, policy: Policy, *, urgent: bool) -> float:
    """Microseconds a request."""
    made = reports(rate, seconds, sticky=policy.sticky, urgent=urgent)
    judge = Judge(policy)
    judge.weigh(1, WEIGHT)
    began, told = process_time(), 0.0
    for now, tally in made:
        judge.apply(tally, now)
        judge.thresholds(now)
        if judge.failing(now) or now >= told + 1:
            judge.verdict(now)
            told = now
    return (process_time() - began) / (rate * seconds) * 1e6


def main() -> int:
    """Print what it costs; 1 when it is too much."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rate", type=int, default=500)
    options.add_argument("--seconds", type=int, default=120)
    asked = options.parse_args()
    missed = False
    for name, policy in (("requests", Policy()), ("users", Policy(sticky=True))):
        for when, urgent in (("every 250 ms", False), ("and at once", True)):
            spent = cost(asked.rate, asked.seconds, policy, urgent=urgent)
            over = spent > LIMIT and not urgent
            missed |= over
            print(f"coin for {name}, reports {when}: {spent:.2f} us a request{'  MISSED' if over else ''}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
