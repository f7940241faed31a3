"""The bets together: how the capital is shared out, what counts when, and that all are fair."""

import json
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import EVENTS, outcomes

from proxy.analysis.comparison import LEANING, Comparison
from proxy.analysis.events import Events
from proxy.analysis.policy import Policy, Slower

LIMITED = Policy(error_limit=0.05)
ERRORS_ONLY = Policy(slower=None)
CHECKS = ("errors", "p50", "p90", "p99", "error-limit")


def report(seen, odds=0.25):
    return [(dict.fromkeys(CHECKS, seen), odds)]


@pytest.mark.parametrize(
    ("policy", "shares"),
    [
        (Policy(), {"errors": 1 / 2, "p50": 1 / 6, "p90": 1 / 6, "p99": 1 / 6}),
        (ERRORS_ONLY, {"errors": 1.0}),
        (LIMITED, {"errors": 0.45, "error-limit": 0.05, "p50": 1 / 6, "p90": 1 / 6, "p99": 1 / 6}),
        (Policy(slower=None, error_limit=0.05), {"errors": 0.9, "error-limit": 0.1}),
    ],
)
def test_how_the_capital_is_shared_out(policy, shares):
    comparison = Comparison.begin(policy)
    assert comparison.shares == pytest.approx(shares)
    assert sum(comparison.shares.values()) == pytest.approx(1.0)
    assert sum(comparison.capitals(inf).values()) == pytest.approx(1.0)


def test_what_each_bet_is_made_against():
    bets = Comparison.begin(Policy(extra_errors=0.002, error_limit=0.05)).bets
    terms = {name: (bet.slack, bet.ratio) for name, bet in bets.items()}
    latencies = dict.fromkeys(("p50", "p90", "p99"), (0.0, 1.0))
    assert terms == {"errors": (0.002, 1.0), "error-limit": (0.05, 0.0)} | latencies


def test_each_check_sees_its_own_events():
    seen = {name: Events(number, 0, 0, 0) for number, name in enumerate(CHECKS)}
    bets = Comparison.begin(LIMITED).after([(seen, 0.25)]).bets
    assert {name: bet.seen for name, bet in bets.items()} == {
        name: number for number, name in enumerate(CHECKS)
    }


@pytest.mark.parametrize("policy", [Policy(), LIMITED, ERRORS_ONLY])
@pytest.mark.parametrize("stable_bad", [0.0, 0.2])
def test_each_is_expected_to_have_its_share_at_most(policy, stable_bad, monkeypatch):
    monkeypatch.setattr("proxy.analysis.bets.SLICE", 2)
    begun = Comparison.begin(policy)
    for name, bet in begun.bets.items():
        canary_bad, expected = bet.slack + bet.ratio * stable_bad, 0.0
        for first, chance in outcomes(canary_bad, stable_bad, 0.25, 3):
            comparison = begun.after(report(first)).risen()
            for second, likely in outcomes(canary_bad, stable_bad, 1.0, 2):
                both = comparison.after(report(second, 1.0) + report(Events(), 0.25))
                expected += chance * likely * both.capitals(1.0)[name]
        assert expected <= begun.shares[name] + 1e-9
        assert name == "error-limit" or expected == pytest.approx(begun.shares[name])


def test_two_revisions_in_one_report_count_by_their_own_odds_before_cash_moves():
    first, second = Events(2, 20, 1, 0), Events(1, 30, 2, 0)
    both = Comparison.begin(Policy()).after(report(first, 0.25) + report(second, 1.0))
    bet = Comparison.begin(Policy()).bets["errors"].after(second, 1.0).after(first, 0.25).settled()
    assert both.bets["errors"].log_capital == pytest.approx(bet.log_capital)
    assert both.bets["errors"].cash == bet.cash


def test_a_rise_stakes_a_quarter_of_the_cash_of_each():
    assert {bet.cash for bet in Comparison.begin(LIMITED).risen().bets.values()} == {0.5 * 0.75}


@pytest.mark.parametrize(
    ("seen", "odds", "counts"),
    [
        (Events(40, 40, 300, 600), 0.25, False),  # an incident that both sides share
        (Events(40, 40, 0, 1000), 0.25, True),
        (Events(40, 40, 300, 600), inf, True),  # all traffic: there is nothing to lean on
    ],
)
def test_the_absolute_limit_counts_behind_its_gate_only(seen, odds, counts):
    comparison = Comparison.begin(LIMITED).after(report(seen))
    assert comparison.bets["error-limit"].capital > 1000
    assert (comparison.bets["errors"].capital >= LEANING) == (counts and odds < inf)
    assert (comparison.capitals(odds)["error-limit"] > 50) == counts


def test_the_gate_opens_at_ten_to_one():
    assert LEANING == 10.0


@given(EVENTS, EVENTS, st.sampled_from([Policy(), LIMITED, ERRORS_ONLY]))
def test_it_goes_on_from_json_as_if_nothing_was(before, behind, policy):
    comparison = Comparison.begin(policy).after(report(before)).risen()
    again = Comparison.begin(policy).resumed(json.loads(json.dumps(comparison.to_json(), allow_nan=False)))
    assert again.after(report(behind)) == comparison.after(report(behind))


@pytest.mark.parametrize("kept", [Policy(), LIMITED, ERRORS_ONLY, Policy(extra_errors=0.01)])
@pytest.mark.parametrize("now", [Policy(), LIMITED, ERRORS_ONLY, Policy(extra_errors=0.01)])
def test_evidence_on_other_terms_is_refused(kept, now):
    data = Comparison.begin(kept).to_json()
    if kept == now:
        assert Comparison.begin(now).resumed(data) == Comparison.begin(now)
    else:
        with pytest.raises((KeyError, ValueError)):
            Comparison.begin(now).resumed(data)


def test_how_much_slower_may_change_as_the_workers_label():
    kept = Comparison.begin(Policy()).to_json()
    assert Comparison.begin(Policy(slower=Slower(1.0, 0.1))).resumed(kept) == Comparison.begin(Policy())
