"""Bets against a canary: fair at the boundary of what they are made against, with cash on its plan."""

import json
from math import exp, inf, isfinite, log

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import EVENTS, ODDS, outcomes

from proxy.analysis.bets import LARGEST, SIZES, SLICE, Bet, _factors, log_sum
from proxy.analysis.events import Events

TERMS = [(0.001, 1.0), (0.0, 1.0), (0.05, 0.0), (0.3, 2.0), (0.001, 0.5)]


def with_cash(seen=0):
    return Bet.begin(0.001, 1.0).after(Events(canary_ok=seen), 0.25)


@pytest.mark.parametrize("stable_bad", [0.0, 0.01, 0.3])
@pytest.mark.parametrize("odds", ODDS)
@pytest.mark.parametrize(("slack", "ratio"), TERMS)
def test_each_stake_is_fair_at_the_boundary(slack, ratio, odds, stable_bad):
    canary_bad = slack + ratio * stable_bad
    weight = odds / (1 + odds)
    for on_bad, on_ok, on_lost in _factors(slack, ratio, odds):
        of_canary = canary_bad * exp(on_bad) + (1 - canary_bad) * exp(on_ok)
        of_stable = stable_bad * exp(on_lost) + 1 - stable_bad
        assert weight * of_canary + (1 - weight) * of_stable == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("odds", ODDS)
@pytest.mark.parametrize(("slack", "ratio"), TERMS)
def test_no_event_loses_a_whole_stake_and_a_bad_canary_wins(slack, ratio, odds):
    for on_bad, on_ok, on_lost in _factors(slack, ratio, odds):
        assert on_bad > 0 >= max(on_ok, on_lost)
        assert min(exp(on_ok), exp(on_lost)) >= 0.05 - 1e-12


def test_the_sizes_are_staked_side_by_side_each_within_its_bound():
    assert SIZES == (0.5, 2.0, 8.0, 32.0)
    wins = [exp(on_bad) - 1 for on_bad, _, _ in _factors(0.0, 1.0, 0.25)]
    assert wins == pytest.approx([0.5, 2.0, 0.95 / 0.25, 0.95 / 0.25])


@pytest.mark.parametrize("odds", [0.25, 1.0])
@pytest.mark.parametrize("stable_bad", [0.0, 0.2])
@pytest.mark.parametrize(("slack", "ratio"), TERMS)
def test_the_expected_capital_is_one_at_most_after_every_tally(slack, ratio, odds, stable_bad, monkeypatch):
    monkeypatch.setattr("proxy.analysis.bets.SLICE", 1)  # so that cash moves between these reports
    expected = 0.0
    for first, chance in outcomes(slack + ratio * stable_bad, stable_bad, odds, 3):
        bet = Bet.begin(slack, ratio).after(first, odds).settled()
        for second, likely in outcomes(slack + ratio * stable_bad, stable_bad, odds, 2):
            expected += chance * likely * bet.after(second, odds).settled().capital
    assert expected == pytest.approx(1.0, abs=1e-9)


def test_a_report_is_applied_before_any_of_its_requests_moves_cash():
    bet = with_cash().after(Events(canary_bad=5, canary_ok=100), 0.25)
    assert (bet.cash, bet.slices) == (0.5, 0)
    assert bet.settled().cash < 0.5


@given(EVENTS, st.lists(st.integers(0, 3), max_size=20), st.sampled_from(ODDS))
def test_any_order_and_split_of_a_tally_gives_the_same_capital(whole, cuts, odds):
    parts = [Events(*(number == place for place in range(4))) for number in cuts]
    total = whole
    for part in parts:
        total = total.plus(part)
    at_once = with_cash().after(total, odds)
    one_by_one = with_cash()
    for part in [*parts[::2], whole, *reversed(parts[1::2])]:
        one_by_one = one_by_one.after(part, odds)
    assert one_by_one.log_capital == pytest.approx(at_once.log_capital, abs=1e-9)
    assert (one_by_one.seen, one_by_one.cash) == (at_once.seen, at_once.cash)


@pytest.mark.parametrize("slices", [1, 2, 3, 10, 1000])
def test_what_cash_is_left_after_so_many_slices(slices):
    at_once, bit_by_bit = with_cash(slices * SLICE).settled(), with_cash()
    left = 0.5
    for number in range(1, slices + 1):
        bit_by_bit = bit_by_bit.after(Events(canary_ok=SLICE), 0.25).settled()
        left *= 1 - (1 - (number / (number + 1)) ** 0.25)
        assert bit_by_bit.cash == pytest.approx(left)
    assert at_once.cash == pytest.approx(left)
    assert at_once.slices == bit_by_bit.slices == slices


def test_cash_moves_with_full_slices_only():
    assert with_cash(SLICE - 1).settled().cash == 0.5
    assert with_cash(SLICE).settled().cash == pytest.approx(0.5 * 0.5**0.25)
    assert with_cash(2 * SLICE - 1).settled().cash == pytest.approx(0.5 * 0.5**0.25)


@given(st.floats(0.001, 0.999), EVENTS)
def test_staking_moves_capital_and_makes_none(part, seen):
    bet = with_cash().after(seen, 0.25)
    staked = bet.staked(part)
    assert staked.log_capital == pytest.approx(bet.log_capital, abs=1e-9)
    assert staked.cash == pytest.approx(bet.cash * (1 - part))


def test_a_canary_that_turns_bad_after_hours_is_caught_by_the_cash():
    held, spent = with_cash(100_000), Bet.begin(0.001, 1.0, held_back=0.0)
    spent = spent.after(Events(canary_ok=100_000), 0.25)
    dead = Events(canary_bad=12)
    assert held.settled().after(dead, 0.25).capital > 100
    assert spent.after(dead, 0.25).capital < 1


@pytest.mark.parametrize(
    "seen",
    [
        Events(10**8, 0, 0, 0),
        Events(0, 10**8, 0, 0),
        Events(0, 0, 10**8, 0),
        Events(*[10**8] * 4),
        Events(10**8, 10**6, 1, 10**8),
    ],
)
@pytest.mark.parametrize("odds", [1e-4, 0.25, 9999.0])
@pytest.mark.parametrize(("slack", "ratio"), TERMS)
def test_nothing_overflows(slack, ratio, odds, seen):
    bet = Bet.begin(slack, ratio)
    for _ in range(3):
        bet = bet.after(seen, odds).settled().staked(0.25)
    assert 0 <= bet.capital <= exp(LARGEST) < inf
    assert isfinite(bet.log_capital)
    assert "NaN" not in (kept := json.dumps(bet.to_json(), allow_nan=False))
    assert Bet.begin(slack, ratio).resumed(json.loads(kept)) == bet


def test_where_no_coin_is_tossed_only_a_bet_without_stable_goes_on():
    assert Bet.begin(0.001, 1.0).after(Events(9, 9, 9, 9), inf) == Bet.begin(0.001, 1.0)
    assert Bet.begin(0.05, 0.0).after(Events(9, 0, 0, 0), inf).capital > 100


@given(EVENTS, EVENTS)
def test_it_goes_on_from_json_as_if_nothing_was(before, behind):
    bet = Bet.begin(0.001, 1.0).after(before, 0.25).settled()
    again = Bet.begin(0.001, 1.0).resumed(json.loads(json.dumps(bet.to_json())))
    assert again.after(behind, 0.25).settled() == bet.after(behind, 0.25).settled()


@pytest.mark.parametrize(
    ("slack", "ratio", "cut"), [(0.002, 1.0, None), (0.001, 0.0, None), (0.001, 1.0, -1), (0.001, 1.0, 3)]
)
def test_other_terms_are_refused(slack, ratio, cut):
    with pytest.raises(ValueError):
        Bet.begin(slack, ratio).resumed(Bet.begin(0.001, 1.0).to_json()[:cut])


def test_a_sum_of_logarithms():
    assert log_sum((log(2), log(3))) == pytest.approx(log(5))
    assert log_sum((-1e9, -1e9 - 50)) == -1e9
