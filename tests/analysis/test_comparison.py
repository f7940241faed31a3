"""All bets together: shares, the bar, and the gate of the limit."""

from math import inf

import pytest

from proxy.analysis.comparison import Comparison
from proxy.analysis.events import Events
from proxy.analysis.policy import Policy


def after(policy, odds=0.25, **by_check):
    bets = Comparison.begin(policy)
    return bets.after([({name: by_check.get(name, Events()) for name in bets.bets}, odds)])


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
def test_the_capital_is_shared_out(policy, shares):
    bets = Comparison.begin(policy)
    assert bets.shares == pytest.approx(shares)
    assert sum(bets.shares.values()) == pytest.approx(1)
    assert bets.capitals(inf) == pytest.approx(shares)


def test_terms():
    bets = Comparison.begin(Policy(extra_errors=0.003, error_limit=0.07)).bets
    assert {name: (bet.slack, bet.ratio) for name, bet in bets.items()} == {
        "errors": (0.003, 1), "p50": (0, 1), "p90": (0, 1), "p99": (0, 1), "error-limit": (0.07, 0),
    }  # fmt: skip


def test_each_check_bets_on_what_it_sees():
    bets = after(Policy(), errors=Events(5), p99=Events(0, 0, 9))
    assert bets.bets["errors"].capital > 1 > bets.bets["p99"].capital
    assert bets.bets["p50"].capital == 1


def test_the_limit_counts_once_errors_lean_against_the_canary():
    shared = after(Policy(error_limit=0.05), **{"errors": Events(9, 9, 36), "error-limit": Events(9, 9)})
    assert shared.bets["errors"].capital < 10 < shared.bets["error-limit"].capital
    assert shared.capitals(0.25)["error-limit"] == 0
    assert shared.capitals(inf)["error-limit"] > 10
    alone = after(Policy(error_limit=0.05), **{"errors": Events(9, 9), "error-limit": Events(9, 9)})
    assert alone.capitals(0.25)["error-limit"] > 10


def test_one_report_counts_whole_before_its_cash_moves():
    events = [
        (dict.fromkeys(("errors",), each), 0.25) for each in (Events(0, 16), Events(9), Events(0, 0, 9))
    ]
    bets = Comparison.begin(Policy(slower=None))
    capital = bets.after(events).bets["errors"].log_capital
    assert bets.after(events[::-1]).bets["errors"].log_capital == pytest.approx(capital)
    one_by_one = bets.after(events[:1]).after(events[1:2]).after(events[2:])
    assert one_by_one.bets["errors"].log_capital != pytest.approx(capital)


@pytest.mark.parametrize("bad", range(12))
def test_reaching_the_bar_is_having_so_much(bad):
    bets = after(Policy(), errors=Events(bad))
    assert bets.reach(100, 0.25) is (sum(bets.capitals(0.25).values()) >= 100)


def test_a_rise_stakes_a_quarter_of_the_cash():
    risen = Comparison.begin(Policy()).risen()
    assert {bet.cash for bet in risen.bets.values()} == {0.375}


def test_json_round_trip_and_other_checks():
    bets = after(Policy(), errors=Events(5))
    assert Comparison.begin(Policy()).resumed(bets.to_json()) == bets
    for other in (Policy(slower=None), Policy(error_limit=0.1)):
        with pytest.raises(ValueError, match="can't go on"):
            Comparison.begin(other).resumed(bets.to_json())
