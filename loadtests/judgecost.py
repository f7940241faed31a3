"""What does the judge cost control? Microseconds per request, and whether they stay within 2.

    python loadtests/judgecost.py [--seconds 60] [--rate 500] [--weight 2000] [--bar 2.0]

Two workers report every 250 ms what they counted since, and control applies each report and asks whether
the canary fails; once a second it asks for the whole verdict and for thresholds. That is done as fast as it
goes, for requests that were made beforehand: by chance, with times around 20 ms and 1 % of failures on both
sides. Once for a service whose coin is tossed for requests, and once for one with 5,000 users. The best of
five runs counts, as others share the machine. Exit code 1 when either is above the bar.
"""

import argparse
import random
import sys
from collections.abc import Iterator
from itertools import accumulate, repeat
from time import process_time

from proxy.analysis.judge import Judge
from proxy.analysis.policy import Policy
from proxy.routing.failures import Failures
from proxy.routing.split import CANARY, STABLE
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import COMPLETE, Outcome, classify

WORKERS, PERIOD = 2, 0.25
USERS = 5_000
RUNS = 5
THRESHOLDS = {STABLE: (0.02, 0.03, 0.045), CANARY: (0.025, 0.0375, 0.056)}

Report = list[tuple[int, str, Counts]]


def outcome(chance: random.Random, backend: str, user: int) -> Outcome:
    """One exchange as a service's are."""
    status = 500 if chance.random() < 0.01 else 200
    seconds = chance.lognormvariate(-3.9, 0.35)
    return Outcome(
        "checkout", 1, backend, chance.choice(("GET", "GET", "GET", "POST")), status, COMPLETE,
        classify(COMPLETE, status, Failures()), True, seconds, seconds, b"/orders/17", user,
        bool(user) and backend == CANARY, THRESHOLDS[backend],
    )  # fmt: skip  # one line reads as the list it is


def reports(chance: random.Random, rate: int, weight: int, seconds: int, *, sticky: bool) -> Iterator[Report]:
    """What one worker after the other tells of its part of the requests."""
    users = [chance.getrandbits(64) for _ in range(USERS)]
    for _ in range(round(seconds / PERIOD) * WORKERS):
        counts = {STABLE: Counts(), CANARY: Counts()}
        for _ in range(round(rate * PERIOD / WORKERS)):
            user = chance.choice(users) if sticky else 0
            place = user % 10_000 if sticky else chance.randrange(10_000)
            backend = CANARY if place < weight else STABLE
            counts[backend].record(outcome(chance, backend, user))
        yield [(1, backend, each) for backend, each in counts.items()]


def cost(policy: Policy, weight: int, told: list[Report]) -> float:
    """Seconds of a processor that the judge takes for all of these reports."""
    judge = Judge(policy)
    judge.weigh(1, weight)
    whole = round(WORKERS / PERIOD)
    moments = accumulate(repeat(PERIOD / WORKERS))
    began = process_time()
    for number, (report, now) in enumerate(zip(told, moments, strict=False)):
        judge.apply(report, now)
        judge.failing(now)
        if number % whole == 0:
            judge.verdict(now)
            judge.thresholds(now)
    return process_time() - began


def main() -> int:
    """Measure both kinds of services."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60, help="of traffic")
    parser.add_argument("--rate", type=int, default=500, help="requests a second")
    parser.add_argument("--weight", type=int, default=2_000, help="of the canary, of 10,000 parts")
    parser.add_argument("--bar", type=float, default=2.0, help="microseconds a request")
    args = parser.parse_args()
    worst = 0.0
    for sticky in (False, True):
        told = [*reports(random.Random(4), args.rate, args.weight, args.seconds, sticky=sticky)]
        requests = sum(counts.requests for report in told for _, _, counts in report)
        best = min(cost(Policy(sticky=sticky), args.weight, told) for _ in range(RUNS))
        worst = max(worst, best / requests * 1e6)
        print(f"{'sticky' if sticky else 'plain':6}  {best / requests * 1e6:5.2f} us a request, "
              f"{best / len(told) * 1e6:6.1f} us a report of {requests / len(told):.0f}")  # fmt: skip
    return 0 if worst <= args.bar else 1


if __name__ == "__main__":
    sys.exit(main())
