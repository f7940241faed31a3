"""The dual bet: fair where the canary is worse by the margin, and when it will be won."""

import json
from math import exp, inf, isfinite

import pytest

from proxy.analysis.assurance import MOST_USERS, AssuranceBets, DualBet, _factors
from proxy.analysis.observations import Observations
from proxy.analysis.policy import StepUp
from proxy.analysis.verdict import Assurance
from proxy.analysis.weight_history import odds

POLICY = StepUp()


def step(latency: bool = False, **events: Observations) -> AssuranceBets:
    made = AssuranceBets(POLICY, latency=latency)
    made.apply({"errors": Observations(), "p99": Observations(), **events}, odds(500))
    return made


def told(made: AssuranceBets, latency: bool = False, rate: float = 5.0) -> Assurance:
    return made.assurance(odds(500), latency=latency, rate=rate)


@pytest.mark.parametrize("parts", [1, 500, 2_000, 5_000, 9_000])
@pytest.mark.parametrize("margin", [0.01, 0.02])
@pytest.mark.parametrize("q", [0.0, 0.05, 0.5])
def test_each_factor_is_one_on_the_average_at_the_margin(parts: int, margin: float, q: float) -> None:
    w, p = parts / 10_000, margin + q
    for bad, ok, lost in _factors(margin, odds(parts)):
        mean = w * (p * exp(bad) + (1 - p) * exp(ok)) + (1 - w) * (q * exp(lost) + 1 - q)
        assert mean == pytest.approx(1, abs=1e-12)


def test_a_canary_without_errors_takes_some_420_requests() -> None:
    requests = next(
        count for count in range(1, 1_000) if told(step(errors=Observations(0, count))).odds >= 20
    )
    assert 400 <= requests <= 440


def test_before_any_request_the_best_is_hoped_for() -> None:
    assert 420 <= told(step()).requests <= 440
    assert told(step()).odds == pytest.approx(1)


def test_how_many_requests_are_needed_and_how_long_they_take() -> None:
    half = told(step(errors=Observations(0, 200)))
    assert 220 <= half.requests <= 240
    assert half.seconds == half.requests / 5
    assert told(step(errors=Observations(0, 200)), rate=0.0).seconds is None


@pytest.mark.parametrize("seen", [Observations(1, 300), Observations(2, 500, 30), Observations(0, 100, 2)])
def test_the_requests_needed_are_enough_if_all_goes_on_as_it_did(seen: Observations) -> None:
    bet = DualBet(0.01).after(seen, odds(500))
    needed = bet.needed(20.0, odds(500))
    times = needed / seen.canary
    more = Observations(seen.canary_bad * times, seen.canary_ok * times, seen.stable_bad * times)
    assert bet.capital < 20 <= bet.after(more, odds(500)).capital


def test_once_shown_nothing_is_needed() -> None:
    shown = told(step(errors=Observations(0, 900)), rate=0.0)
    assert shown.odds > 20
    assert (shown.requests, shown.seconds) == (0, 0.0)


def test_what_goes_on_badly_can_not_be_told() -> None:
    bad = told(step(errors=Observations(10, 90)))
    assert (bad.requests, bad.seconds) == (None, None)


def test_a_p99_that_is_asked_for_must_be_shown_too() -> None:
    made = step(latency=True, errors=Observations(0, 900), p99=Observations(0, 100))
    assert told(made).requests == 0
    both = told(made, latency=True)
    assert both.odds < 20
    assert 110 <= both.requests <= 120


def test_without_coin_nothing_is_bet() -> None:
    bet = DualBet(0.01)
    assert bet.after(Observations(0, 900), inf) == bet
    assert bet.needed(20.0, inf) == inf


def test_users_of_stable_count_once_and_the_canarys_each_time() -> None:
    made = AssuranceBets(POLICY, latency=True)
    seen = {"errors": Observations(5, 5, 9), "p99": Observations(1, 1, 9)}
    first = made.once(seen, [(1, 1), (1, 1), (2, 8), (2, 9), (3, 2)])
    assert first == {"errors": Observations(5, 5, 2), "p99": Observations(1, 1, 1)}
    assert made.once(seen, [(1, 1), (3, 8)])["p99"].stable_bad == 1
    assert made.once(seen, [(1, 1), (3, 8)])["errors"].stable_bad == 0


def test_users_beyond_those_remembered_assure_nobody() -> None:
    made = AssuranceBets(POLICY, latency=False)
    many = made.once({"errors": Observations()}, [(user, 1) for user in range(MOST_USERS + 9)])
    assert many["errors"].stable_bad == MOST_USERS


@pytest.mark.parametrize("events", [Observations(10**8), Observations(0, 10**8), Observations(0, 0, 10**8)])
def test_nothing_overflows(events: Observations) -> None:
    bet = DualBet(0.01).after(events, odds(9_999))
    assert all(map(isfinite, (bet.capital, *bet.stakes)))


def test_json_round_trip() -> None:
    made, again = step(errors=Observations(1, 300, 4)), AssuranceBets(POLICY, latency=False)
    again.resume(json.loads(json.dumps(made.to_json())))
    assert told(again) == told(made)
    assert again.sample.canary == 301


def test_another_margin_is_another_bet() -> None:
    with pytest.raises(ValueError, match="margin"):
        AssuranceBets(StepUp(0.02), latency=False).resume(step().to_json())
