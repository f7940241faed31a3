"""What the checks see in a report."""

from proxy.analysis.observations import Observations, by_revision, observe
from proxy.analysis.weight_history import WeightHistory
from tests.analysis.reports import counts, report

ALL = ("errors", "p50", "p90", "p99", "error-limit")


def test_diverted_draws_are_failures_and_excluded_ones_nothing() -> None:
    canary, stable = counts(ok=10, bad=2, diverted=3), counts(ok=20, bad=1, diverted=1)
    canary.drawn["excluded"] = stable.drawn["excluded"] = 50
    seen = observe(ALL, canary, stable)
    assert seen["errors"] == seen["error-limit"] == Observations(5, 10, 2, 20)


def test_pinned_and_taken_over_requests_are_no_evidence() -> None:
    canary = counts(pinned=(5, 5), pins_diverted=4, taken_over={"failure": 9})
    assert observe(ALL, canary, counts())["errors"] == Observations()


def test_each_latency_sees_what_exceeded_its_threshold() -> None:
    seen = observe(ALL, counts(slow=(8, 4, 2, 1)), counts(slow=(80, 40, 20, 10)))
    assert seen["p50"] == Observations(7, 8, 70, 80)
    assert seen["p90"] == Observations(3, 12, 30, 120)
    assert seen["p99"] == Observations(1, 14, 10, 140)


def test_only_the_checks_asked_for() -> None:
    assert observe(["errors"], counts(), counts()).keys() == {"errors"}


def test_shares_and_sums() -> None:
    seen = Observations(1, 3, 2, 18)
    assert (seen.canary, seen.canary_share, seen.stable, seen.stable_share) == (4, 0.25, 20, 0.1)
    assert (Observations().canary_share, Observations().stable_share) == (None, None)
    assert seen.plus(seen) == Observations(2, 6, 4, 36)
    assert Observations(*seen.to_json()) == seen


def test_a_report_is_told_apart_by_the_weight_of_its_revisions() -> None:
    weights = WeightHistory()
    for revision, parts in ((1, 500), (2, 2_000), (3, 2_000)):
        weights.put(revision, parts)
    tally = [
        *report(counts(ok=1), counts(ok=2)),
        *report(counts(ok=3), revision=3),
        *report(counts(), revision=9),
    ]
    one, three = by_revision(["errors"], tally, weights)
    assert (one.parts, one.current, one.observations["errors"]) == (500, False, Observations(0, 1, 0, 2))
    assert (three.parts, three.current, three.observations["errors"]) == (2_000, True, Observations(0, 3))
    assert three.odds == 0.25
