"""Who asks when."""

import random

import pytest

from proxy.simulation.clients import STRANGER, Ask, Clients, User
from proxy.simulation.scenario import Population, Scenario


def clients(crowd: Population | None = None) -> Clients:
    return Clients(Scenario(crowd=crowd), random.Random(1))


def test_strangers_come_at_the_rate_and_in_order() -> None:
    asks = list(clients().between(10.0, 110.0, rate=100))
    assert len(asks) == pytest.approx(10_000, rel=0.03)
    times = [ask.at for ask in asks]
    assert times == sorted(times)
    assert 10 <= times[0] < times[-1] < 110
    assert {ask.user for ask in asks} == {STRANGER}


def test_users_are_as_many_as_said_each_with_a_hash_and_a_speed() -> None:
    users = {ask.user for ask in clients(Population(users=20, speeds=0.5)).between(0, 100, rate=100)}
    assert len({user.hash for user in users}) == 20
    assert len({user.speed for user in users}) == 20


def test_a_share_of_the_users_lies_below_the_weight() -> None:
    users = [User(number * 7919) for number in range(10_000)]
    assert sum(user.below(0.2) for user in users) == 2_000
    assert not any(user.below(0.0) for user in users)


def test_a_user_whose_request_failed_tries_again_as_often_as_set() -> None:
    some = clients(Population(retries=2, pause=0.5))
    ask, met = Ask(1.0, User(5)), []
    for now in (1.0, 2.0, 3.0):
        some.failed(ask, now)
        again = [each for each in some.between(now, now + 1, rate=0.001) if each.attempt]
        met += [(each.at, each.attempt) for each in again]
        ask = again[0] if again else ask
    assert met == [(1.5, 1), (2.5, 2)]


def test_retries_wait_for_their_time() -> None:
    some = clients(Population(retries=1, pause=5.0))
    some.failed(Ask(0.0, User(5)), 0.0)
    assert not [each for each in some.between(0, 4, rate=0.001) if each.attempt]
    assert [each.at for each in some.between(4, 6, rate=0.001) if each.attempt] == [5.0]


def test_only_retries_are_stuck() -> None:
    some = clients(Population(retries=5, stubborn=1.0))
    assert not some.stuck(Ask(0.0, User(5)))
    assert some.stuck(Ask(0.0, User(5), attempt=1))
    assert not clients().stuck(Ask(0.0, STRANGER, attempt=1))
