"""What checks see in counts, and which counts they see."""

import pytest
from hypothesis import given
from made import EVENTS, counts

from proxy.analysis.events import Events, events, stretches
from proxy.analysis.weights import Weights
from proxy.telemetry.labels import label, overdue

THRESHOLDS = (0.1, 0.2, 0.3)


@pytest.mark.parametrize(
    ("canary", "stable", "seen"),
    [
        (counts(ok=3, bad=2), counts(ok=7, bad=1), Events(2, 3, 1, 7)),
        (counts(), counts(), Events()),
        (counts(ok=3, diverted=4), counts(ok=7, diverted=5), Events(4, 3, 5, 7)),
        (counts(pinned_ok=9, pinned_bad=9, pins_diverted=9), counts(pinned_bad=9), Events()),
        (counts(ok=1, taken_over={"failure": 5}, rescued=4, harmed=3), counts(ok=1), Events(0, 1, 0, 1)),
    ],
)
def test_errors_are_seen_in_what_the_coin_sent_alone(canary, stable, seen):
    found = events(("errors", "error-limit"), canary, stable)
    assert found == {"errors": seen, "error-limit": seen}


def test_excluded_requests_are_no_evidence():
    left = counts(ok=1)
    left.drawn["excluded"] = 7
    assert events(("errors",), left, left)["errors"] == Events(0, 1, 0, 1)


def test_latencies_see_what_the_workers_labelled():
    labels = {label(THRESHOLDS, 0.05): 10, label(THRESHOLDS, 0.15): 4, label(THRESHOLDS, 0.25): 2}
    canary = counts(labels=labels | {label(THRESHOLDS, 9): 1, overdue(THRESHOLDS): 3})
    stable = counts(labels={label((0.1,), 0.05): 5, label((0.1,), 0.2): 6})
    found = events(("errors", "p50", "p90", "p99"), canary, stable)
    assert found == {
        "errors": Events(),
        "p50": Events(10, 10, 6, 5),
        "p90": Events(6, 14, 0, 0),  # stable's were not labelled for it
        "p99": Events(4, 16, 0, 0),
    }


def test_shares():
    assert (Events(1, 3, 1, 9).canary_share, Events(1, 3, 1, 9).stable_share) == (0.25, 0.1)
    assert (Events().canary_share, Events().stable_share) == (None, None)


@given(EVENTS, EVENTS)
def test_sums(some, other):
    assert some.plus(other).to_json() == [a + b for a, b in zip(some.to_json(), other.to_json(), strict=True)]
    assert some.plus(other) == other.plus(some)
    assert some.canary + some.stable == sum(some.to_json())


def test_a_report_by_revision():
    weights = Weights()
    for revision, parts in ((3, 500), (4, 500), (5, 2_000), (6, 2_000)):
        weights.put(revision, parts)
    report = [
        (4, "canary", counts(bad=1)),
        (2, "canary", counts(bad=50)),  # of before the first: unknown
        (7, "canary", counts(bad=60)),  # not in force yet: unknown
        (6, "stable", counts(ok=9)),
        (4, "stable", counts(bad=2)),
    ]
    old, new = stretches(("errors",), report, weights)
    assert (old.parts, old.current, old.events["errors"]) == (500, False, Events(1, 0, 2, 0))
    assert (new.parts, new.current, new.events["errors"]) == (2_000, True, Events(0, 0, 0, 9))
    assert (old.odds, new.odds) == pytest.approx((0.05 / 0.95, 0.25))
