"""Rules on windows: tables of counts and what is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.analysis.check import Check
from proxy.analysis.rules import findings
from proxy.analysis.verdict import Finding
from proxy.routing.failures import Failures
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import Outcome, classify

RATE = Check("error-rate", 0.05, 30.0, 20)
RELATIVE = Check("error-rate", 0.10, 30.0, 20, times_stable=3.0)
TENS = st.integers(0, 60)
P50 = Check("latency-p50", 0.4, 30.0, 10)


def counts(ok: int = 0, bad: int = 0, left: int = 0, drawn: bool = True, head: float = 0.1) -> Counts:
    result = Counts()
    for status, ending, number in ((200, "complete", ok), (500, "complete", bad), (200, "client-left", left)):
        kind = classify(ending, status, Failures())
        for _ in range(number):
            result.record(Outcome(("shop", 1, "canary"), "GET", status, ending, kind, drawn, head, head))
    return result


def found(check: Check, canary: Counts, stable: Counts | None = None) -> tuple[Finding]:
    return findings([check], {check.window: canary}, {} if stable is None else {check.window: stable})


@pytest.mark.parametrize(
    ("canary", "stable", "state", "value", "limit"),
    [
        (counts(ok=18, bad=2), None, "healthy", 0.10, 0.10),  # at the limit is not above it
        (counts(ok=17, bad=3), None, "failing", 0.15, 0.10),
        (counts(bad=19), None, "inconclusive", 1.0, 0.10),
        (counts(bad=20), None, "failing", 1.0, 0.10),
        (counts(bad=20), counts(), "failing", 1.0, 0.10),  # no stable request: no reference
        (counts(ok=17, bad=3), counts(ok=95, bad=5), "healthy", 0.15, 0.15),
        (counts(ok=16, bad=4), counts(ok=95, bad=5), "failing", 0.20, 0.15),
        (counts(ok=16, bad=4), counts(ok=99, bad=1), "failing", 0.20, 0.10),
        (counts(bad=20), counts(ok=1, bad=1), "healthy", 1.0, 1.0),  # both are in trouble
        (counts(), None, "inconclusive", None, 0.10),
    ],
)
def test_an_error_rate_beside_stable(
    canary: Counts, stable: Counts | None, state: str, value: float | None, limit: float
) -> None:
    [finding] = found(RELATIVE, canary, stable)
    assert finding.state == state
    assert finding.value == value
    assert finding.limit == pytest.approx(limit)


def test_a_finding_tells_what_it_rests_on() -> None:
    [finding] = found(RELATIVE, counts(ok=40, bad=15), counts(ok=249, bad=1))
    assert (finding.check, finding.unit, finding.window) == ("error-rate", "ratio", 30.0)
    assert (finding.sample, finding.needed, finding.stable) == (55, 20, 0.004)
    assert finding.sentence == (
        "error-rate 27.3 % over 30 s is above its limit of 10.0 % (stable: 0.4 %; 55 canary answers)"
    )


@pytest.mark.parametrize("check", [RATE, P50])
def test_excluded_exchanges_count_nowhere(check: Check) -> None:
    canary = counts(left=500, head=9.0)
    [finding] = found(check, canary, canary)
    assert (finding.state, finding.value, finding.stable, finding.sample) == ("inconclusive", None, None, 0)


def test_pinned_exchanges_count_as_drawn_ones_do() -> None:
    canary = counts(ok=10).plus(counts(bad=10, drawn=False))
    [finding] = found(RATE, canary)
    assert (finding.state, finding.value, finding.sample) == ("failing", 0.5, 20)


@pytest.mark.parametrize(
    ("head", "number", "state"),
    [(0.3, 10, "healthy"), (0.6, 10, "failing"), (0.6, 9, "inconclusive"), (None, 50, "inconclusive")],
)
def test_a_latency_check_judges_the_time_to_the_head(head: float | None, number: int, state: str) -> None:
    canary = Counts()
    for _ in range(number):
        canary.record(Outcome(("shop", 1, "canary"), "GET", 200, "complete", "success", True, head, 100.0))
    [finding] = found(P50, canary)
    assert finding.state == state
    assert finding.unit == "seconds"
    assert finding.sample == (number if head else 0)


def test_each_latency_check_looks_at_its_own_quantile() -> None:
    canary = counts(ok=92, head=0.1).plus(counts(ok=8, head=2.0))
    metrics = ("latency-p50", "latency-p90", "latency-p95", "latency-p99")
    judged = findings([Check(metric, 1.0, 30.0, 10) for metric in metrics], {30.0: canary}, {})
    assert [each.state for each in judged] == ["healthy", "healthy", "failing", "failing"]


def test_failed_answers_with_a_head_are_in_the_latency() -> None:
    [finding] = found(P50, counts(bad=10, head=2.0))
    assert finding.state == "failing"


def test_each_check_looks_at_its_own_window() -> None:
    short, long = Check("error-rate", 0.05, 10.0, 20), Check("error-rate", 0.05, 60.0, 20)
    judged = findings([short, long], {10.0: counts(ok=20), 60.0: counts(bad=20)}, {10.0: counts(bad=1)})
    assert [each.state for each in judged] == ["healthy", "failing"]
    assert [each.stable for each in judged] == [1.0, None]


@given(canary=st.tuples(TENS, TENS), stable=st.tuples(TENS, TENS))
def test_it_fails_a_canary_only_when_it_does_worse_than_stable(
    canary: tuple[int, int], stable: tuple[int, int]
) -> None:
    [finding] = found(RELATIVE, counts(*canary), counts(*stable))
    if finding.state == "failing":
        (ok, bad), (stable_ok, stable_bad) = canary, stable
        assert ok + bad >= 20
        assert bad * 10 > ok + bad
        assert bad * (stable_ok + stable_bad) >= 3 * stable_bad * (ok + bad)
