"""The share that was really drawn."""

from proxy.analysis.draws import Draws


def test_a_share_takes_a_thousand_draws():
    draws = Draws()
    draws.add(500, 999)
    assert draws.share is None
    draws.add(0, 1)
    assert draws.share == 0.5


def test_it_is_that_of_the_last_one_to_two_thousand():
    draws = Draws()
    for canary in (1_000, 0):
        draws.add(canary, 1_000)
    assert draws.share == 0
    draws.add(250, 500)
    assert draws.share == 250 / 1_500
