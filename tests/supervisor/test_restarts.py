"""When a child that died is started again."""

import pytest

from proxy.supervisor.restarts import HEALTHY, LONGEST, Restarts


def pauses(worked: list[float]) -> list[float]:
    restarts = Restarts()
    return [restarts.pause(seconds) for seconds in worked]


@pytest.mark.parametrize(
    ("worked", "expected"),
    [
        pytest.param([3.0], [0.0], id="the first time at once"),
        pytest.param([0, 0, 0, 0, 0, 0, 0, 0], [0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0], id="then doubling"),
        pytest.param([0, 0, 0, HEALTHY, 0], [0, 0.05, 0.1, 0, 0.05], id="forgotten after good work"),
        pytest.param([0, 0, HEALTHY - 0.1], [0, 0.05, 0.1], id="not good enough"),
    ],
)
def test_pauses(worked: list[float], expected: list[float]) -> None:
    assert pauses(worked) == pytest.approx(expected)


def test_never_longer_than_the_longest() -> None:
    assert max(pauses([0] * 100)) == LONGEST


def test_says_its_state() -> None:
    restarts = Restarts()
    restarts.pause(0)
    assert repr(restarts) == "<Restarts next after 0.05 s>"
