"""Requests a second."""

import pytest

from proxy.control.traffic import SPAN, Traffic


def test_nothing_yet() -> None:
    assert Traffic().rate(1000.0) == 0.0
    assert repr(Traffic()) == "<Traffic 0 requests>"


def test_a_steady_stream() -> None:
    traffic = Traffic()
    for tick in range(4 * 120):
        traffic.add(25, 1000 + tick / 4)
        if tick == 4 * 10:
            assert traffic.rate(1010.0) == pytest.approx(100, rel=0.03), "since the first is all there is"
    assert traffic.rate(1119.75) == pytest.approx(100, rel=0.01)
    assert repr(traffic) == "<Traffic 3000 requests>"


def test_a_burst_is_not_a_rate_before_a_second_has_passed() -> None:
    traffic = Traffic()
    traffic.add(10, 1000.0)
    assert traffic.rate(1000.001) == 10.0


def test_what_is_older_than_the_span_is_forgotten() -> None:
    traffic = Traffic()
    traffic.add(300, 1000.5)
    assert traffic.rate(1000.5 + SPAN - 1) == pytest.approx(300 / (SPAN - 1))
    assert traffic.rate(1000.0 + SPAN) == 0.0
    traffic.add(30, 1100.0)
    assert traffic.rate(1100.0) == 1.0
