"""Rounds for users: who counts when, when a round begins anew, and the bound over all rounds there can be."""

import json
from fractions import Fraction

import pytest
from made import counts, outcomes, stretch

from proxy.analysis.policy import Policy
from proxy.analysis.rounds import LENGTHS, MOST_USERS, Rounds, resumed_rounds

POLICY = Policy(sticky=True)
FAILED, SLOW = 1, 14


def failing(users, kinds=FAILED, parts=2_000, backend="canary", gap=False, ok=0):
    bad = len(users)
    events = [(user, kinds) for user in users]
    side = counts(ok, bad if kinds & FAILED else 0, users=events, gap=gap)
    return stretch(**{backend: side}, parts=parts)


def quiet(parts=2_000, ok=5):
    return stretch(counts(ok), counts(4 * ok), parts)


def against(rounds, parts=2_000):
    return sum(rounds.capitals(parts).values())


def after(*reports, every=1.0):
    rounds = Rounds(POLICY)
    for number, report in enumerate(reports):
        rounds.apply([report], number * every)
    return rounds


def test_lengths():
    assert LENGTHS == (300, 1_200, 4_800, 19_200, 76_800)


def test_a_dead_canary_is_found_among_its_users():
    assert against(after(failing(range(12)))) > 100
    assert against(after(*(failing([user]) for user in range(12)))) > 100


@pytest.mark.parametrize("kinds", [FAILED, SLOW, FAILED | SLOW])
def test_a_user_is_bad_once_per_check_and_round(kinds):
    once, burst = after(failing([7], kinds)), after(*[failing([7], kinds)] * 50, failing([7] * 500, kinds))
    assert against(burst) <= against(once)


def test_a_user_who_failed_may_be_slow_beside():
    both, failed = after(failing([7]), failing([7], SLOW)), after(failing([7]))
    assert both.capitals(2_000)["p99"] > failed.capitals(2_000)["p99"]
    assert both.capitals(2_000)["errors"] == pytest.approx(failed.capitals(2_000)["errors"], rel=0.01)


def test_a_user_of_stable_counts_once_as_well():
    once = after(failing(range(9)), failing([7], backend="stable"))
    burst = after(failing(range(9)), failing([7] * 50, backend="stable"))
    assert against(burst) == pytest.approx(against(once))
    assert against(once) < against(after(failing(range(9))))


def test_the_same_user_on_either_side_counts_on_both():
    assert against(after(failing([7]), failing([7], backend="stable"))) < against(after(failing([7])))


def test_bad_users_beyond_the_first_time_are_held_to_be_good():
    good = after(stretch(counts(ok=1_000)))
    again = after(failing([7]), failing([7] * 1_000))
    assert again.capitals(2_000)["errors"] < after(failing([7])).capitals(2_000)["errors"]
    assert good.capitals(2_000)["errors"] < Rounds(POLICY).capitals(2_000)["errors"]


def test_each_round_begins_anew_after_its_length():
    rounds = Rounds(POLICY)
    for now in (0.0, 299.0, 300.0, 599.0, 600.0, 1_200.0):
        rounds.apply([quiet()], now)
    assert rounds.to_json() == [4, 2, 1, 1, 1]


def test_users_are_new_to_a_new_round():
    rounds = Rounds(POLICY)
    rounds.apply([failing(range(9))], 0.0)
    used_up = against(rounds)
    rounds.apply([failing(range(9))], 299.0)
    assert against(rounds) <= used_up
    rounds.apply([quiet()], 300.0)
    rounds.apply([failing(range(9)), failing(range(9, 12))], 301.0)
    assert rounds.to_json()[0] == 2
    assert against(rounds) > used_up


@pytest.mark.parametrize("change", [500, -500])
def test_another_weight_begins_all_rounds_anew(change):
    rounds = after(failing(range(12)))
    rounds.weighed(change)
    rounds.apply([quiet()], 2.0)
    assert rounds.to_json() == [2] * 5
    assert against(rounds) < 1


def test_what_was_routed_by_another_weight_is_of_no_round():
    rounds = Rounds(POLICY)
    old = failing(range(50))
    rounds.apply([stretch(old.canary, old.stable, 500, current=False)], 0.0)
    assert rounds.to_json() == [0] * 5
    assert against(rounds) < 1


@pytest.mark.parametrize("backend", ["canary", "stable"])
def test_a_gap_in_the_log_begins_all_rounds_anew(backend):
    rounds = after(failing(range(6)), failing(range(6, 40), backend=backend, gap=True))
    assert rounds.to_json() == [1] * 5
    rounds.apply([quiet()], 9.0)
    assert rounds.to_json() == [2] * 5
    assert against(rounds) < 1


def test_too_many_users_begin_a_round_anew():
    rounds = after(failing(range(MOST_USERS), SLOW, backend="stable"), quiet(), quiet())
    assert rounds.to_json() == [1] * 5
    rounds = after(failing(range(MOST_USERS + 1), SLOW, backend="stable"), quiet(), quiet())
    assert rounds.to_json() == [2] * 5


def test_all_is_staked_at_once():
    rounds = Rounds(POLICY)
    assert {bet.cash for each in rounds._rounds for bet in each._fresh.bets.values()} == {0.0}


def test_the_bound_over_all_rounds_is_one_at_most():
    rounds, total = Rounds(POLICY), Fraction(0)
    for place, each in enumerate(rounds._rounds):
        for number in (1, 2, 5, 1_000):
            each.number = number
            share = sum(each.capitals(0.25).values())  # of a capital of 1
            assert share == pytest.approx(1 / (2 ** (place + 1) * number * (number + 1)))
        total += Fraction(1, 2 ** (place + 1))  # the sum of 1/(r(r+1)) over all r is 1
    assert total <= 1


@pytest.mark.parametrize("stable_bad", [0.0, 0.2])
def test_the_expected_evidence_of_a_round_of_users_who_are_all_new_is_fair(stable_bad):
    expected, rounds = 0.0, Rounds(Policy(sticky=True, slower=None))
    round_ = rounds._rounds[0]
    for seen, chance in outcomes(stable_bad + 0.001, stable_bad, 0.25, 4):
        canary = counts(seen.canary_ok, seen.canary_bad, users=[(n, 1) for n in range(seen.canary_bad)])
        stable = counts(seen.stable_ok, seen.stable_bad, users=[(n, 1) for n in range(seen.stable_bad)])
        round_.end()
        round_.number = 0
        round_.apply([stretch(canary, stable, checks=("errors",))], 0.25, 0.0)
        expected += chance * sum(round_.capitals(0.25).values())
    assert expected == pytest.approx(1 / (2 * 1 * 2))


def test_bets_are_on_the_larger_of_weight_and_share_that_was_drawn():
    found = {}
    for share in (0, 250, 600):
        rounds = Rounds(POLICY)
        rounds.apply([stretch(counts(share), counts(1_250 - share))], 0.0)
        rounds.apply([failing(range(8)), failing(range(2), backend="stable")], 1.0)
        found[share] = against(rounds)
        rounds.weighed(0)
        assert rounds._odds(2_000) == 0.25  # the draws are of this weight alone
    assert found[600] < found[250] / 100
    assert Rounds(POLICY)._odds(2_000) == 0.25


def test_numbers_survive_a_restart_and_the_rest_begins_anew():
    rounds = Rounds(POLICY)
    for number in range(10):
        rounds.apply([failing(range(20))], number * 300.0)
    again = resumed_rounds(POLICY, json.loads(json.dumps(rounds.to_json())))
    assert again.to_json() == rounds.to_json() == [10, 3, 1, 1, 1]
    assert against(again) < 1
    again.apply([quiet()], 0.0)
    assert again.to_json() == [11, 4, 2, 2, 2]


@pytest.mark.parametrize("data", [[1, 2, 3, 4], [1] * 6, [-1] * 5, [1.0] * 5, ["1"] * 5, [True] * 5])
def test_other_terms_are_refused(data):
    with pytest.raises(ValueError):
        resumed_rounds(POLICY, data)
