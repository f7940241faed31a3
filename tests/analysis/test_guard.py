"""The guard: where it is in force, and what it says there."""

import pytest
from reports import counts

from proxy.analysis.guard import Guard

FINE = counts(ok=100)


@pytest.mark.parametrize(
    ("parts", "canary", "in_force"),
    [
        (5_000, counts(bad=90), False),
        (5_001, counts(bad=90), True),
        (10_000, counts(bad=1), True),
        (0, counts(pinned=(10, 9)), False),
        (0, counts(pinned=(10, 10)), True),
        (0, counts(pinned=(10, 5), pins_diverted=5), True),
        (0, counts(pinned=(0, 10), diverted=99), False),
    ],
)
def test_where_it_is_in_force(parts, canary, in_force):
    assert (Guard().look(parts, canary, FINE) is not None) is in_force


@pytest.mark.parametrize(
    ("canary", "stable", "state", "limit"),
    [
        (counts(bad=19), FINE, "inconclusive", 0.1),
        (counts(bad=20), FINE, "failing", 0.1),
        (counts(ok=18, bad=2), FINE, "healthy", 0.1),
        (counts(ok=17, bad=3), FINE, "failing", 0.1),
        (counts(ok=17, diverted=2, pins_diverted=1), FINE, "failing", 0.1),
        (counts(ok=10, pinned=(7, 3)), FINE, "failing", 0.1),
        (counts(ok=70, bad=30), counts(ok=90, bad=10), "healthy", 0.3),
        (counts(ok=69, bad=31), counts(ok=90, bad=10), "failing", 0.3),
        (counts(ok=69, bad=31), counts(ok=90, diverted=10), "failing", 0.3),
        (counts(bad=50), counts(ok=50, bad=50), "healthy", 1.0),
        (counts(), FINE, "inconclusive", 0.1),
    ],
)
def test_what_it_says(canary, stable, state, limit):
    finding = Guard().look(10_000, canary, stable)
    assert (finding.check, finding.state, finding.window, finding.needed) == ("guard", state, 30.0, 20)
    assert finding.limit == pytest.approx(limit)


def test_stable_is_remembered():
    guard = Guard()
    guard.look(500, counts(), counts(ok=90, bad=10))
    finding = guard.look(10_000, counts(ok=75, bad=25), counts())
    assert (finding.state, finding.stable) == ("healthy", 0.1)
    assert Guard().look(10_000, counts(ok=75, bad=25), counts()).state == "failing"
