"""What is judged in the tests: counts, reports and strategies of them, as short as they can be said."""

from itertools import product

from hypothesis import strategies as st

from proxy.analysis.observations import Observations, RevisionCounts, observe
from proxy.telemetry.counts import Counts
from proxy.telemetry.histogram import Histogram
from proxy.telemetry.labels import label
from proxy.telemetry.users import Users

ODDS = (0.01 / 0.99, 0.05 / 0.95, 0.25, 1.0, 9.0)
"""Of weights from 1 to 90 %."""
EVENTS = st.builds(Observations, *[st.integers(0, 40)] * 4)


def counts(ok=0, bad=0, pinned_ok=0, pinned_bad=0, took=None, users=(), gap=False, **more):
    """Counts of a backend; `took` are the seconds until it answered each."""
    drawn, pinned = some(success=ok, failure=bad), some(success=pinned_ok, failure=pinned_bad)
    result = Counts(drawn=drawn, pinned=pinned, users=Users(0, [*users], gap), **more)
    if took:
        result.head = times(took, ok + bad)
    return result


def labelled(timely=0, slow=0):
    """Labels of requests that exceeded none of three thresholds, and of some that exceeded them all."""
    return {label((1.0, 2.0, 3.0), at): number for at, number in ((0.5, timely), (9.0, slow)) if number}


def some(**numbers):
    return {name: number for name, number in numbers.items() if number}


def times(seconds, number):
    """A histogram of so many answers."""
    result = Histogram()
    for _ in range(number):
        result.add(seconds)
    return result


def part(canary=None, stable=None, parts=2_000, current=True, checks=("errors", "p50", "p90", "p99")):
    """A report of one revision."""
    canary, stable = canary or Counts(), stable or Counts()
    return RevisionCounts(parts, current, canary, stable, observe(checks, canary, stable))


def outcomes(canary_bad, stable_bad, odds, requests):
    """Every tally of so many requests, and how likely it is when backends fail this often."""
    weight = odds / (1 + odds)
    kinds = (
        (Observations(1, 0, 0, 0), weight * canary_bad),
        (Observations(0, 1, 0, 0), weight * (1 - canary_bad)),
        (Observations(0, 0, 1, 0), (1 - weight) * stable_bad),
        (Observations(0, 0, 0, 1), (1 - weight) * (1 - stable_bad)),
    )
    for chosen in product(kinds, repeat=requests):
        seen, chance = Observations(), 1.0
        for each, likely in chosen:
            seen, chance = seen.plus(each), chance * likely
        yield seen, chance
