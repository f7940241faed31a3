"""The dual bet: fair while the canary is worse by the margin, and how long it takes to win it."""

import json
from dataclasses import replace
from math import exp, inf, isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import EVENTS, ODDS, outcomes

from proxy.analysis.assurance import LATENCY_MARGIN, SIZES, DualBet, Step, _factors
from proxy.analysis.bets import LARGEST
from proxy.analysis.events import Events
from proxy.analysis.policy import StepUp


def both(errors=None, p99=None):
    return {"errors": errors or Events(), "p50": Events(), "p90": Events(), "p99": p99 or Events()}


def shown(step, odds=0.05 / 0.95, latency=True, rate=10.0):
    return step.assurance(odds, latency=latency, rate=rate)


@pytest.mark.parametrize("stable_bad", [0.0, 0.01, 0.3])
@pytest.mark.parametrize("odds", ODDS)
@pytest.mark.parametrize("margin", [0.001, 0.01, 0.02, 0.2])
def test_each_stake_is_fair_at_the_margin(margin, odds, stable_bad):
    canary_bad, weight = margin + stable_bad, odds / (1 + odds)
    for on_bad, on_ok, on_lost in _factors(margin, odds):
        of_canary = canary_bad * exp(on_bad) + (1 - canary_bad) * exp(on_ok)
        of_stable = stable_bad * exp(on_lost) + 1 - stable_bad
        assert weight * of_canary + (1 - weight) * of_stable == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("odds", ODDS)
def test_the_sizes(odds):
    assert SIZES == (0.15, 0.5, 0.95)
    assert [exp(each[2]) for each in _factors(0.01, odds)] == pytest.approx([1 + v * odds for v in SIZES])
    assert [exp(each[1]) for each in _factors(0.01, odds)] == pytest.approx([1 + v * 0.01 for v in SIZES])
    assert [exp(each[0]) for each in _factors(0.01, odds)] == pytest.approx([1 - v * 0.99 for v in SIZES])


@pytest.mark.parametrize("odds", ODDS)
@pytest.mark.parametrize(("worse", "stable_bad"), [(0.01, 0.0), (0.01, 0.2), (0.3, 0.1), (1.0, 0.0)])
def test_the_expected_capital_is_one_at_most_after_every_tally(odds, worse, stable_bad):
    tallies = [*outcomes(stable_bad + worse, stable_bad, odds, 5)]
    assert sum(chance for _, chance in tallies) == pytest.approx(1.0)
    expected = sum(chance * DualBet(0.01).after(seen, odds).capital for seen, chance in tallies)
    assert expected == pytest.approx(1.0) if worse == 0.01 else expected <= 1 + 1e-9


@given(EVENTS, EVENTS, st.sampled_from(ODDS))
def test_any_split_of_a_tally_gives_the_same_capital(some, other, odds):
    once, twice = DualBet(0.01).after(some.plus(other), odds), DualBet(0.01).after(some, odds)
    twice = twice.after(other, odds)
    assert twice.stakes == pytest.approx(once.stakes)
    assert twice.seen == once.seen


@pytest.mark.parametrize("seen", [Events(10**8), Events(0, 10**8), Events(0, 0, 10**8), Events(*[10**8] * 4)])
@pytest.mark.parametrize("odds", [1e-4, 0.25, 9999.0])
def test_nothing_overflows(seen, odds):
    bet = DualBet(0.01).after(seen, odds).after(seen, odds)
    assert 0 <= bet.capital <= exp(LARGEST) < inf
    needed = bet.needed(20.0, odds)
    assert needed == inf or (isfinite(needed) and needed >= 0)
    assert DualBet(0.01).resumed(json.loads(json.dumps(bet.to_json(), allow_nan=False))) == bet


def test_a_canary_without_errors_needs_420_requests_from_nothing():
    bet, requests = DualBet(0.01), 0
    while bet.capital < 20:
        bet, requests = bet.after(Events(canary_ok=1), 0.25), requests + 1
    assert requests == pytest.approx(420, abs=10)
    step = Step(StepUp(), latency=True)
    assert shown(step).requests == pytest.approx(requests, abs=25)
    assert shown(step).odds == pytest.approx(1.0)
    assert (shown(step).bar, shown(step).seconds) == (pytest.approx(20.0), shown(step).requests / 10)


@pytest.mark.parametrize("bad_in_thousand", [0, 1, 5])
def test_what_it_says_of_the_requests_to_go_comes_true(bad_in_thousand):
    share = Events(bad_in_thousand, 1_000 - bad_in_thousand, 3 * bad_in_thousand, 4_000)
    step = Step(StepUp(), latency=False)
    step.apply({"errors": share}, 0.25)
    if shown(step, 0.25).requests:
        more = shown(step, 0.25).requests
        part = replace(share, canary_ok=more, canary_bad=round(more * bad_in_thousand / 1_000))
        step.apply({"errors": replace(part, stable_bad=round(more * 3 * bad_in_thousand / 1_000))}, 0.25)
        assert shown(step, 0.25).odds > 0.5 * step.bar
    else:
        assert shown(step, 0.25).odds >= step.bar


def test_what_is_as_bad_as_the_margin_can_not_be_shown():
    step = Step(StepUp(), latency=False)
    step.apply({"errors": Events(20, 980, 0, 4_000)}, 0.25)
    assert (shown(step).requests, shown(step).seconds) == (None, None)


def test_stable_failures_assure():
    step = Step(StepUp(), latency=False)
    step.apply({"errors": Events(0, 100, 40, 1_000)}, 0.25)
    assert shown(step).odds > step.bar
    assert (shown(step).requests, shown(step).seconds) == (0, 0.0)


def test_latency_is_asked_for_where_there_is_a_threshold():
    step = Step(StepUp(), latency=True)
    step.apply(both(errors=Events(0, 600, 0, 0)), 0.25)
    assert shown(step, latency=False).requests == 0
    assert shown(step, latency=True).odds == pytest.approx(1.0)
    step.apply(both(p99=Events(0, 300, 0, 0)), 0.25)
    assert shown(step).odds > 20
    assert DualBet(LATENCY_MARGIN).after(Events(0, 300), 0.25).capital > 20 > 1 / LATENCY_MARGIN / 5


def test_without_a_rate_nobody_can_say_how_long_it_takes():
    step = Step(StepUp(), latency=False)
    assert shown(step, rate=0.0).requests > 400
    assert shown(step, rate=0.0).seconds is None


def test_the_bar_is_that_of_the_confidence():
    assert Step(StepUp(confidence=0.99), latency=False).bar == pytest.approx(100)


def test_users_of_stable_count_once_and_those_of_the_canary_each_time():
    step = Step(StepUp(), latency=True)
    seen = both(Events(4, 50, 6, 90), Events(3, 40, 8, 80))
    first = step.once(seen, [(7, 1), (7, 1), (8, 15), (9, 8), (9, 8), (9, 1)])
    assert first == {"errors": Events(4, 50, 3, 90), "p99": Events(3, 40, 2, 80)}
    again = step.once(seen, [(7, 1), (8, 15), (10, 1)])
    assert again == {"errors": Events(4, 50, 1, 90), "p99": Events(3, 40, 0, 80)}


def test_the_sample_is_the_canarys_requests():
    step = Step(StepUp(), latency=True)
    step.apply(both(Events(2, 30, 4, 500), Events(1, 1, 1, 1)), 0.25)
    assert step.sample == 32


@given(EVENTS, EVENTS)
def test_it_goes_on_from_json_as_if_nothing_was(before, behind):
    step, again = Step(StepUp(), latency=True), Step(StepUp(), latency=True)
    step.apply(both(before, behind), 0.25)
    again.resume(json.loads(json.dumps(step.to_json(), allow_nan=False)))
    step.apply(both(behind), 1.0)
    again.apply(both(behind), 1.0)
    assert shown(again) == shown(step)
    assert again.to_json() == step.to_json()


@pytest.mark.parametrize(("policy", "latency"), [(StepUp(extra_errors_below=0.02), True), (StepUp(), False)])
def test_other_terms_are_refused(policy, latency):
    kept = Step(policy, latency=latency).to_json()
    with pytest.raises((KeyError, ValueError)):
        Step(StepUp(), latency=True).resume(kept)
