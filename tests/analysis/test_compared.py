"""Findings of the bets: which fails, and what each says."""

import pytest
from made import times

from proxy.analysis.compared import findings
from proxy.analysis.events import Events
from proxy.analysis.pace import Pace
from proxy.analysis.policy import Policy, Slower
from proxy.telemetry.histogram import Histogram

NAMES = ("errors", "p50", "p90", "p99")
SEEN = Events(3, 59, 5, 1_180)


def found(capitals, seen=SEEN, policy=None, answers=1_000):
    pace = Pace(Slower())
    pace.add(times(0.02, answers), 0.0)
    pace.thresholds(0.0)
    seen = dict.fromkeys(capitals, seen)
    policy = policy or Policy()
    return [*findings(policy, seen, capitals, pace, times(0.03, 10))]


@pytest.mark.parametrize(
    ("capitals", "states"),
    [
        ((0.5, 0.1, 0.1, 0.1), "healthy healthy healthy healthy"),
        ((9.9, 10.0, 0.1, 99.0), "healthy inconclusive healthy failing"),  # 119:1 in all
        ((60.0, 20.0, 19.9, 0.0), "inconclusive inconclusive inconclusive healthy"),
        ((60.0, 20.0, 20.0, 0.0), "failing inconclusive inconclusive healthy"),
        ((0.0, 0.0, 0.0, 1e304), "healthy healthy healthy failing"),
    ],
)
def test_the_one_with_the_most_fails_where_all_reach_the_bar(capitals, states):
    each = found(dict(zip(NAMES, capitals, strict=True)))
    assert [finding.check for finding in each] == [*NAMES]
    assert [finding.state for finding in each] == states.split()
    assert [finding.odds for finding in each] == [*capitals]


def test_without_a_canary_request_nothing_is_good():
    assert {each.state for each in found(dict.fromkeys(NAMES, 0.1), Events(0, 0, 4, 4))} == {"inconclusive"}


def test_the_bar_is_that_of_the_policy():
    [finding] = found({"errors": 600.0}, policy=Policy(false_rollbacks=0.001))
    assert finding.state == "inconclusive"
    assert "600:1 of 1,000:1" in finding.sentence


def test_errors():
    [finding] = found({"errors": 140.0})
    assert (finding.value, finding.stable, finding.sample) == (3 / 62, 5 / 1_185, 62)
    assert finding.limit == pytest.approx(5 / 1_185 + 0.001)
    assert finding.sentence == (
        "errors 4.8 % of 62 canary answers (stable: 0.4 % of 1,185), more than 0.1 % worse by odds of "
        "140:1 of 100:1"
    )
    [finding] = found({"errors": 0.5}, Events())
    assert (finding.value, finding.limit, finding.stable) == (None, None, None)


def test_the_absolute_limit():
    [_, finding] = found({"errors": 1.0, "error-limit": 12.0}, policy=Policy(error_limit=0.05))
    assert (finding.check, finding.limit, finding.unit) == ("error-limit", 0.05, "ratio")
    assert finding.sentence.startswith("error-limit: 4.8 % of 62 canary answers failed, above 5.0 % by odds")
    [_, silent] = found({"errors": 1.0, "error-limit": 0.0}, policy=Policy(error_limit=0.05))
    assert silent.sentence.endswith("(it counts once errors are worse than stable's by 10:1)")


def test_a_latency_beside_its_thresholds():
    finding = found(dict.fromkeys(NAMES, 1.0))[3]
    assert (finding.check, finding.unit, finding.sample) == ("p99", "seconds", 62)
    assert finding.stable == pytest.approx(0.02, rel=0.09)
    assert finding.limit == pytest.approx(max(finding.stable * 1.25, finding.stable + 0.005))
    assert finding.value == pytest.approx(0.03, rel=0.09)
    assert finding.sentence.startswith("p99: 4.8 % of 62 canary answers were slower than ")


def test_a_quantile_without_a_sample_says_so():
    each = found(dict.fromkeys(NAMES, 1.0), answers=31)
    assert each[1].limit is not None
    assert [finding.sentence for finding in each[2:]] == [
        "p90: no threshold yet: 31 of 50 stable answers",
        "p99: no threshold yet: 31 of 100 stable answers",
    ]
    assert (each[3].limit, each[3].stable) == (None, None)


def test_without_answers_there_is_no_latency():
    pace = Pace(Slower())
    [finding] = findings(Policy(), {"p50": Events()}, {"p50": 0.1}, pace, Histogram())
    assert (finding.value, finding.state) == (None, "inconclusive")
