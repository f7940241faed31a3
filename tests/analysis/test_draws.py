"""The share that the canary was really drawn for."""

import pytest

from proxy.analysis.draws import ENOUGH, Draws


def test_too_few_say_nothing():
    draws = Draws()
    assert draws.share is None
    draws.add(ENOUGH - 1, ENOUGH - 1)
    assert draws.share is None
    draws.add(0, 1)
    assert draws.share == (ENOUGH - 1) / ENOUGH


def test_the_last_one_to_two_thousand_count():
    draws = Draws()
    for _ in range(4 * ENOUGH):
        draws.add(1, 1)
    for _ in range(ENOUGH):
        draws.add(0, 1)
    assert draws.share == pytest.approx(0.0)
    draws.add(500, 500)
    assert draws.share == pytest.approx(500 / 1_500)
