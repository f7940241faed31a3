"""Bets: fair at the boundary of what they are made against, whatever comes in which order."""

import json
from collections.abc import Iterator
from itertools import product
from math import comb, exp, inf, isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.analysis.bets import SIZES, SLICE, Bet, _factors, log_sum
from proxy.analysis.observations import Observations
from proxy.analysis.weight_history import odds

WEIGHTS = (1, 100, 500, 2_000, 5_000, 9_000, 9_999)
TERMS = ((0.001, 1.0), (0.0, 1.0), (0.05, 0.0), (0.02, 2.0))
NUMBERS = st.integers(0, 200)
THREE = st.tuples(NUMBERS, NUMBERS, NUMBERS)


@pytest.mark.parametrize(("slack", "ratio"), TERMS)
@pytest.mark.parametrize("parts", WEIGHTS)
@pytest.mark.parametrize("q", [0.0, 0.01, 0.3])
def test_each_factor_is_one_on_the_average_at_the_boundary(
    slack: float, ratio: float, parts: int, q: float
) -> None:
    w, p = parts / 10_000, slack + ratio * q
    for bad, ok, lost in _factors(slack, ratio, odds(parts)):
        mean = w * (p * exp(bad) + (1 - p) * exp(ok)) + (1 - w) * (q * exp(lost) + 1 - q)
        assert mean == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("parts", WEIGHTS)
def test_no_event_takes_a_whole_stake(parts: int) -> None:
    assert all(exp(each) >= 0.049 for factors in _factors(0.001, 1.0, odds(parts)) for each in factors)


def test_sizes_are_staked_as_they_are_where_they_can_be() -> None:
    assert [round(exp(bad) - 1, 6) for bad, _, _ in _factors(0.0, 1.0, odds(100))] == list(SIZES)


@given(some=THREE, others=THREE, parts=st.sampled_from(WEIGHTS))
def test_order_and_split_of_a_report_are_one(
    some: tuple[int, int, int], others: tuple[int, int, int], parts: int
) -> None:
    bet = Bet.begin(0.001, 1.0)
    whole = bet.after(Observations(*(a + b for a, b in zip(some, others, strict=True))), odds(parts))
    first = bet.after(Observations(*some), odds(parts)).after(Observations(*others), odds(parts))
    last = bet.after(Observations(*others), odds(parts)).after(Observations(*some), odds(parts))
    for each in (first, last):
        assert each.log_capital == pytest.approx(whole.log_capital, rel=1e-9, abs=1e-9)
        assert (each.seen, each.cash) == (whole.seen, whole.cash)


def outcomes(size: int, w: float, p: float, q: float) -> Iterator[tuple[Observations, float]]:
    """All that a report of so many requests can come to, with its probability."""
    chances = (w * p, w * (1 - p), (1 - w) * q, (1 - w) * (1 - q))
    for a, b, c in product(range(size + 1), repeat=3):
        d = size - a - b - c
        if d >= 0:
            ways = comb(size, a) * comb(size - a, b) * comb(size - a - b, c)
            yield (
                Observations(a, b, c),
                ways * chances[0] ** a * chances[1] ** b * chances[2] ** c * chances[3] ** d,
            )


@pytest.mark.parametrize(("parts", "size"), [(500, 4), (2_000, 5), (5_000, 5), (9_000, 4)])
@pytest.mark.parametrize("seen", [0, SLICE - 2, 5 * SLICE - 1])
def test_expected_capital_after_any_two_reports_is_one_at_most_cash_included(
    parts: int, size: int, seen: int
) -> None:
    w, q = parts / 10_000, 0.2
    p = q + 0.001
    start, total = Bet(0.001, 1.0, 0.5, Bet.begin(0.001, 1.0).stakes, seen, seen // SLICE), 0.0
    for first, chance in outcomes(size, w, p, q):
        middle = start.after(first, odds(parts)).settled()
        for second, other in outcomes(2, w, p, q):
            total += chance * other * middle.after(second, odds(parts)).settled().capital
    assert total == pytest.approx(1, abs=1e-9)


def test_cash_staked_within_a_report_would_not_be_fair() -> None:
    """Why a report counts with its cash where it was: told in the order in which no chance would have it."""
    whole = Bet.begin(0.0, 1.0).after(Observations(SLICE, 0, 200), 1.0).settled()
    cut = (
        Bet.begin(0.0, 1.0)
        .after(Observations(0, 0, 200), 1.0)
        .staked(0.9)
        .after(Observations(SLICE, 0, 0), 1.0)
    )
    assert cut.capital > 1e3 * whole.capital


def test_cash_is_staked_slice_by_slice() -> None:
    bet = Bet.begin(0.0, 1.0)
    early = bet.after(Observations(0, SLICE - 1), 1.0).settled()
    assert (early.cash, early.slices) == (0.5, 0)
    for slices in range(1, 9):
        bet = bet.after(Observations(0, SLICE), 1.0).settled()
        assert bet.cash == pytest.approx(0.5 * (slices + 1) ** -0.25)
        assert bet.capital == pytest.approx(1)
    at_once = Bet.begin(0.0, 1.0).after(Observations(0, 8 * SLICE), 1.0).settled()
    assert at_once.cash == pytest.approx(bet.cash)


def test_without_coin_there_is_no_bet_but_on_a_limit() -> None:
    assert Bet.begin(0.001, 1.0).after(Observations(100), inf) == Bet.begin(0.001, 1.0)
    assert Bet.begin(0.05, 0.0).after(Observations(100), inf).capital > 1e9


def test_staking_changes_no_capital() -> None:
    bet = Bet.begin(0.0, 1.0)
    assert bet.staked(0.25).capital == pytest.approx(1)
    assert bet.staked(0.25).cash == pytest.approx(0.375)


def test_a_dead_canary_after_hours_is_still_found() -> None:
    """Its stakes are gone, its cash is not."""
    good = Bet.begin(0.001, 1.0)
    for _ in range(600):
        good = good.after(Observations(0, 90, 18), odds(500)).settled()
    assert max(good.stakes) < -4
    assert good.after(Observations(12), odds(500)).capital > 100


@pytest.mark.parametrize(
    "events",
    [
        Observations(10**8),
        Observations(0, 10**8),
        Observations(0, 0, 10**8),
        Observations(10**8, 10**8, 10**8),
    ],
)
@pytest.mark.parametrize("parts", WEIGHTS)
def test_nothing_overflows(events: Observations, parts: int) -> None:
    bet = Bet.begin(0.001, 1.0).after(events, odds(parts)).settled().staked(0.25)
    assert all(map(isfinite, (bet.capital, bet.log_capital, bet.cash, *bet.stakes)))
    assert bet.capital >= 0


def test_cash_may_rise_out_of_reach() -> None:
    bet = Bet.begin(0.001, 1.0)
    for _ in range(5_000):
        bet = bet.staked(0.25)
    assert bet.capital == pytest.approx(1)


@given(st.builds(Observations, NUMBERS, NUMBERS, NUMBERS))
def test_most_is_no_less_than_the_capital(events: Observations) -> None:
    bet = Bet.begin(0.001, 1.0).after(events, 0.25).settled()
    assert bet.most >= bet.log_capital


@given(st.builds(Observations, NUMBERS, NUMBERS, NUMBERS))
def test_json_goes_on_identically(events: Observations) -> None:
    bet = Bet.begin(0.001, 1.0).after(events, 0.25).settled()
    again = Bet.begin(0.001, 1.0).resumed(json.loads(json.dumps(bet.to_json())))
    assert again == bet
    assert again.after(events, 0.25).settled() == bet.after(events, 0.25).settled()


@pytest.mark.parametrize("other", [Bet.begin(0.002, 1.0), Bet.begin(0.001, 0.0)])
def test_capital_is_not_carried_over_to_other_terms(other: Bet) -> None:
    with pytest.raises(ValueError, match="can't go on"):
        other.resumed(Bet.begin(0.001, 1.0).to_json())


def test_log_sum() -> None:
    assert log_sum([-1e6, -1e6 - 1]) == pytest.approx(-1e6 + 0.3132616875)
