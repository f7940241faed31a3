"""Rounds: a user is bad once, in each; and all of them that there can be have one bound."""

import pytest

from proxy.analysis.comparison import Comparison
from proxy.analysis.observations import Observations, RevisionCounts, by_revision
from proxy.analysis.policy import Policy
from proxy.analysis.user_rounds import LENGTHS, MOST_USERS, Draws, Round, Rounds, resumed_rounds
from proxy.analysis.weight_history import WeightHistory
from proxy.telemetry.counts import Counts
from tests.analysis.reports import counts, report

POLICY = Policy(sticky=True, slower=None)
FULL = Policy(sticky=True)


def users(*numbers: int, kinds: int = 1) -> list[tuple[int, int]]:
    return [(number, kinds) for number in numbers]


def part(
    canary: Counts | None = None, stable: Counts | None = None, revision: int = 1, parts: int = 2_000
) -> list[RevisionCounts]:
    weights = WeightHistory()
    weights.put(1, parts)
    return by_revision(("errors",), report(canary, stable, revision), weights)


def expected(policy: Policy, odds: float = 0.25, **events: Observations) -> Comparison:
    bets = Comparison.begin(policy, held_back=0.0)
    return bets.after([({name: events.get(name, Observations()) for name in bets.bets}, odds)])


def capitals(rounds: Rounds) -> float:
    return sum(rounds.capitals(2_000).values())


def test_a_user_is_bad_once() -> None:
    each = Round(POLICY, 0)
    each.apply(part(counts(bad=3, users=users(7, 7, 8)), counts(bad=2, users=users(1, 1))), 0.25, 0.0)
    each.apply(part(counts(bad=2, ok=1, users=users(7, 8)), counts(bad=1, users=users(1))), 0.25, 1.0)
    both = expected(POLICY, errors=Observations(2, 4, 1))
    assert each.capitals(0.25)["errors"] == pytest.approx(both.capitals(0.25)["errors"] / 4)


def test_once_for_each_check_and_side() -> None:
    each = Round(FULL, 0)
    canary = counts(bad=1, slow=(0, 1, 0, 1), users=[(7, 1), (7, 2), (7, 14)])
    each.apply(part(canary, counts(users=users(7, kinds=8))), 0.25, 0.0)
    one = expected(
        FULL, errors=Observations(1), p50=Observations(1), p90=Observations(1), p99=Observations(1, 0, 1)
    ).capitals(0.25)
    assert each.capitals(0.25) == pytest.approx({name: capital / 4 for name, capital in one.items()})


def test_diverted_draws_are_in_the_log_of_users_and_count_as_any() -> None:
    each = Round(POLICY, 0)
    each.apply(part(counts(diverted=3, users=users(5, 5, 6))), 0.25, 0.0)
    assert each.capitals(0.25)["errors"] * 4 == pytest.approx(
        expected(POLICY, errors=Observations(2, 1)).capitals(0.25)["errors"]
    )


def test_more_users_who_failed_than_draws_that_ended_are_no_negative_draws() -> None:
    each = Round(POLICY, 0)
    each.apply(part(counts(bad=1, users=users(5, 6, 7))), 0.25, 0.0)
    assert each.capitals(0.25)["errors"] * 4 == pytest.approx(
        expected(POLICY, errors=Observations(3, 0)).capitals(0.25)["errors"]
    )


def test_all_is_staked_at_once() -> None:
    rounds = Round(POLICY, 0)
    rounds.apply(part(counts(ok=160)), 0.25, 0.0)
    assert all(bet.cash == 0 for bet in rounds.bets.bets.values())


@pytest.mark.parametrize("place", range(5))
def test_a_round_ends_with_its_time_and_the_next_knows_nobody(place: int) -> None:
    each, dead = Round(POLICY, place), part(counts(bad=9, users=users(*range(9))))
    each.apply(dead, 0.25, 0.0)
    capital = each.capitals(0.25)["errors"]
    each.apply(dead, 0.25, LENGTHS[place] - 1)
    assert (each.number, each.capitals(0.25)["errors"] < capital) == (1, True)
    each.apply(dead, 0.25, LENGTHS[place])
    assert each.number == 2
    assert each.capitals(0.25)["errors"] == pytest.approx(capital * 2 / 6)  # 1 x 2 and then 2 x 3


def test_the_bounds_of_all_rounds_sum_up_to_one() -> None:
    """1/2 + 1/4 + ... of 1/(1 x 2) + 1/(2 x 3) + ..., and the rest of the sum is 1/(n + 1)."""
    total = 0.0
    for place in range(len(LENGTHS)):
        each = Round(POLICY, place)
        for number in range(1, 2_001):
            each.number = number
            total += 1 / each.bound
    assert 0.96 < total <= 1


def test_other_weights_and_lost_users_begin_anew() -> None:
    rounds, dead = Rounds(POLICY), part(counts(bad=9, users=users(*range(9))))
    rounds.apply(dead, 0.0)
    high = capitals(rounds)
    rounds.weighed(-500, 500)
    rounds.apply(part(counts(ok=1)), 1.0)
    assert rounds.to_json() == [2] * 5
    assert capitals(rounds) < high / 10
    rounds.apply(part(counts(bad=9, users=users(*range(9)), gap=True)), 2.0)
    assert rounds.to_json() == [2] * 5  # with the next that can be counted
    rounds.apply(dead, 3.0)
    assert rounds.to_json() == [3] * 5
    assert capitals(rounds) == pytest.approx(high * 2 / 12)


def test_requests_of_another_weight_are_not_of_these_rounds() -> None:
    weights = WeightHistory()
    weights.put(1, 500)
    weights.put(2, 2_000)
    rounds = Rounds(POLICY)
    rounds.apply(by_revision(("errors",), report(counts(bad=9, users=users(*range(9)))), weights), 0.0)
    assert rounds.to_json() == [0] * 5


def test_too_many_users_begin_anew() -> None:
    each = Round(POLICY, 0)
    each.apply(part(counts(bad=1, users=users(*range(MOST_USERS + 1)))), 0.25, 0.0)
    each.apply(part(counts(ok=1)), 0.25, 1.0)
    assert each.number == 2
    assert repr(each) == "<Round 2 of 300 s: 0 users>"


def test_the_share_that_was_drawn_counts_when_it_is_larger() -> None:
    rounds = Rounds(POLICY)
    rounds.apply(part(counts(ok=500), counts(ok=500)), 0.0)
    before = rounds.rounds[0].bets
    rounds.apply(part(None, counts(bad=1, users=users(1))), 1.0)
    errors = dict.fromkeys(before.bets, Observations(0, 0, 1))
    assert rounds.rounds[0].bets == before.after([(errors, 1.0)])
    few = Rounds(POLICY)
    few.apply(part(counts(), counts(ok=1_000)), 0.0)
    before = few.rounds[0].bets
    few.apply(part(None, counts(bad=1, users=users(1))), 1.0)
    assert few.rounds[0].bets == before.after([(errors, 0.25)])


def test_the_round_that_has_the_most_is_told() -> None:
    rounds = Rounds(POLICY)
    rounds.apply(part(counts(bad=9, users=users(*range(9)))), 0.0)
    assert capitals(rounds) == pytest.approx(sum(rounds.rounds[0].capitals(0.25).values()))
    assert rounds.reach(100, 2_000) is (capitals(rounds) >= 100)


def test_numbers_count_on_after_a_restart() -> None:
    again = resumed_rounds(POLICY, [3, 2, 1, 1, 0])
    again.apply(part(counts(ok=1)), 0.0)
    assert again.to_json() == [4, 3, 2, 2, 1]


@pytest.mark.parametrize("data", [[1, 2, 3], [1, 2, 3, 4, "5"], [-1, 0, 0, 0, 0]])
def test_what_are_no_rounds(data: list[int | str]) -> None:
    with pytest.raises(ValueError):
        resumed_rounds(POLICY, data)


def test_the_share_drawn_takes_a_thousand_draws() -> None:
    draws = Draws()
    draws.add(500, 999)
    assert draws.share is None
    draws.add(0, 1)
    assert draws.share == 0.5


def test_the_share_drawn_is_that_of_the_last_one_to_two_thousand() -> None:
    draws = Draws()
    for canary in (1_000, 0):
        draws.add(canary, 1_000)
    assert draws.share == 0
    draws.add(250, 500)
    assert draws.share == 250 / 1_500
