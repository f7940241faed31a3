"""All bets together: shares, the bar, the gate of the limit; and what people read of each check."""

from math import inf

import pytest

from proxy.analysis.comparison import Comparison, findings
from proxy.analysis.observations import Observations
from proxy.analysis.policy import Policy, Slower
from proxy.analysis.thresholds import LatencyThresholds
from proxy.analysis.verdict import Finding
from proxy.telemetry.histogram import Histogram


def after(policy: Policy, odds: float = 0.25, **by_check: Observations) -> Comparison:
    bets = Comparison.begin(policy)
    return bets.after([({name: by_check.get(name, Observations()) for name in bets.bets}, odds)])


@pytest.mark.parametrize(
    ("policy", "shares"),
    [
        (Policy(), {"errors": 1 / 2, "p50": 1 / 6, "p90": 1 / 6, "p99": 1 / 6}),
        (Policy(slower=None), {"errors": 1}),
        (Policy(slower=None, error_limit=0.05), {"errors": 0.9, "error-limit": 0.1}),
        (
            Policy(error_limit=0.05),
            {"errors": 0.45, "p50": 1 / 6, "p90": 1 / 6, "p99": 1 / 6, "error-limit": 0.05},
        ),
    ],
)
def test_the_capital_is_shared_out(policy: Policy, shares: dict[str, float]) -> None:
    bets = Comparison.begin(policy)
    assert bets.shares == pytest.approx(shares)
    assert sum(bets.shares.values()) == pytest.approx(1)
    assert bets.capitals(inf) == pytest.approx(shares)


def test_terms() -> None:
    bets = Comparison.begin(Policy(extra_errors=0.003, error_limit=0.07)).bets
    assert {name: (bet.slack, bet.ratio) for name, bet in bets.items()} == {
        "errors": (0.003, 1), "p50": (0, 1), "p90": (0, 1), "p99": (0, 1), "error-limit": (0.07, 0),
    }  # fmt: skip


def test_each_check_bets_on_what_it_sees() -> None:
    bets = after(Policy(), errors=Observations(5), p99=Observations(0, 0, 9))
    assert bets.bets["errors"].capital > 1 > bets.bets["p99"].capital
    assert bets.bets["p50"].capital == 1


def test_the_limit_counts_once_errors_lean_against_the_canary() -> None:
    shared = after(
        Policy(error_limit=0.05), **{"errors": Observations(9, 9, 36), "error-limit": Observations(9, 9)}
    )
    assert shared.bets["errors"].capital < 10 < shared.bets["error-limit"].capital
    assert shared.capitals(0.25)["error-limit"] == 0
    assert shared.capitals(inf)["error-limit"] > 10
    alone = after(
        Policy(error_limit=0.05), **{"errors": Observations(9, 9), "error-limit": Observations(9, 9)}
    )
    assert alone.capitals(0.25)["error-limit"] > 10


def test_one_report_counts_whole_before_its_cash_moves() -> None:
    events = [
        (dict.fromkeys(("errors",), each), 0.25)
        for each in (Observations(0, 16), Observations(9), Observations(0, 0, 9))
    ]
    bets = Comparison.begin(Policy(slower=None))
    capital = bets.after(events).bets["errors"].log_capital
    assert bets.after(events[::-1]).bets["errors"].log_capital == pytest.approx(capital)
    one_by_one = bets.after(events[:1]).after(events[1:2]).after(events[2:])
    assert one_by_one.bets["errors"].log_capital != pytest.approx(capital)


@pytest.mark.parametrize("bad", range(12))
def test_reaching_the_bar_is_having_so_much(bad: int) -> None:
    bets = after(Policy(), errors=Observations(bad))
    assert bets.reach(100, 0.25) is (sum(bets.capitals(0.25).values()) >= 100)


def test_a_rise_stakes_a_quarter_of_the_cash_and_for_latencies_once_the_canary_is_warm() -> None:
    latencies = {"p50", "p90", "p99"}
    risen = Comparison.begin(Policy(error_limit=0.05)).risen()
    assert {name: bet.cash for name, bet in risen.bets.items()} == {
        name: 0.5 if name in latencies else 0.375 for name in risen.bets
    }
    assert {bet.cash for bet in risen.warm().bets.values()} == {0.375}


def test_json_round_trip_and_other_checks() -> None:
    bets = after(Policy(), errors=Observations(5))
    assert Comparison.begin(Policy()).resumed(bets.to_json()) == bets
    for other in (Policy(slower=None), Policy(error_limit=0.1)):
        with pytest.raises(ValueError, match="can't go on"):
            Comparison.begin(other).resumed(bets.to_json())


FULL = Policy(error_limit=0.05)
NAMES = ("errors", "p50", "p90", "p99", "error-limit")
SEEN = Observations(3, 59, 5, 1_175)


def times(count: int, seconds: float) -> Histogram:
    made = Histogram()
    for _ in range(count):
        made.add(seconds)
    return made


def found_by(
    policy: Policy = FULL, seen: Observations = SEEN, answers: int = 500, **capitals: float
) -> dict[str, Finding]:
    thresholds = LatencyThresholds(Slower())
    thresholds.add(times(answers, 0.02), 0.0)
    thresholds.thresholds(0.0)
    by_check = {name: capitals.get(name.replace("-", "_"), 0.2) for name in NAMES}
    found = findings(policy, dict.fromkeys(NAMES, seen), by_check, thresholds, times(9, 0.5))
    return {finding.check: finding for finding in found}


@pytest.mark.parametrize(
    ("capitals", "failing"),
    [
        ({"errors": 98.0}, []),
        ({"errors": 140.0}, ["errors"]),
        ({"errors": 40.0, "p99": 60.0}, ["p99"]),
        ({"errors": 40.0, "error_limit": 70.0, "p50": 30.0}, ["error-limit"]),
    ],
)
def test_where_the_bar_is_reached_the_check_with_the_most_fails(
    capitals: dict[str, float], failing: list[str]
) -> None:
    assert [name for name, each in found_by(**capitals).items() if each.state == "failing"] == failing


@pytest.mark.parametrize(
    ("seen", "capital", "state"),
    [(SEEN, 9.9, "healthy"), (SEEN, 10.0, "inconclusive"), (Observations(0, 0, 9, 9), 0.5, "inconclusive")],
)
def test_others_are_good_once_they_saw_something_and_little_of_it_is_bad(
    seen: Observations, capital: float, state: str
) -> None:
    assert found_by(seen=seen, errors=capital)["errors"].state == state


def test_errors() -> None:
    found = found_by(errors=140.0)["errors"]
    assert (found.value, found.stable, found.sample) == (3 / 62, 5 / 1180, 62)
    assert (found.limit, found.unit, found.odds) == (pytest.approx(5 / 1180 + 0.001), "ratio", 140.0)
    assert (found.needed, found.window) == (None, None)
    assert found.sentence == (
        "errors 4.8 % of 62 canary answers, stable 0.4 % of 1,180; evidence that it is worse: 140:1, "
        "out at 100:1"
    )


def test_errors_without_stable_have_no_limit() -> None:
    found = found_by(seen=Observations(1, 1))["errors"]
    assert (found.limit, found.stable) == (None, None)
    assert "errors 50.0 % of 2 canary answers, no stable answers yet; no evidence" in found.sentence


def test_errors_have_no_limit_above_all_of_them() -> None:
    assert found_by(seen=Observations(1, 1, 9))["errors"].limit == 1.0


def test_the_limit() -> None:
    found = found_by(error_limit=12.0)["error-limit"]
    assert (found.value, found.limit, found.odds) == (3 / 62, 0.05, 12.0)
    assert found.sentence == (
        "error-limit: 4.8 % of 62 canary answers failed; evidence that more than 5.0 % do: 12:1, out at 100:1"
    )
    assert found_by(error_limit=0.0)["error-limit"].sentence.endswith(
        "the limit of 5.0 % counts once the evidence that it is worse than stable is 10:1"
    )


def test_latencies() -> None:
    found = found_by(p99=12.0)["p99"]
    assert (found.unit, found.sample, found.odds) == ("seconds", 62, 12.0)
    assert (found.value, found.stable) == (pytest.approx(0.5, rel=0.09), pytest.approx(0.02, rel=0.09))
    assert found.limit == max(found.stable * 1.25, found.stable + 0.005)
    stable, limit = (round(each * 1000) for each in (found.stable, found.limit))
    assert found.sentence == (
        f"p99 {round(found.value * 1000)} ms, stable {stable} ms (limit {limit} ms); "
        "4.8 % of 62 canary answers took longer than the limit in force, "
        "0.4 % of 1,180 stable answers longer than stable's p99; "
        "evidence that it is slower: 12:1, out at 100:1"
    )


@pytest.mark.parametrize(
    ("check", "kind"),
    [("errors", "canary"), ("p50", "good canary"), ("p99", "good canary"), ("error-limit", "canary")],
)
def test_before_there_is_anything_to_compare(check: str, kind: str) -> None:
    found = found_by(seen=Observations(0, 0, 5, 40))[check]
    assert found.sentence == f"{check}: no {kind} answers to compare yet"


def test_a_quantile_without_a_threshold() -> None:
    found = found_by(answers=31)
    assert (found["p99"].limit, found["p99"].stable) == (None, None)
    assert found["p99"].sentence == "p99: no threshold yet: 31 of 100 stable answers"
    assert found["p50"].limit is not None
