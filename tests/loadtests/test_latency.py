"""What a proxy adds, and how much it may."""

import latency
import pytest


def test_a_way_is_told_in_milliseconds() -> None:
    assert latency.spread([0.001] * 98 + [0.25, 0.5]) == latency.Spread(1.0, 250.0, 500.0)


def test_what_is_added_is_the_median_of_the_differences_within_a_round() -> None:
    """A slow minute hits both ways of its round; the difference of the medians would be 3."""
    rounds = [
        {"direct": latency.Spread(1, direct, 9), "weir": latency.Spread(1, weir, 9)}
        for direct, weir in ((1.0, 5.0), (2.0, 3.0), (40.0, 42.0))
    ]
    assert latency.added(rounds, "weir") == 2.0


@pytest.mark.parametrize(("nginx", "most"), [(0.1, 0.4), (0.6, 0.9), (1.0, 1.5), (-0.1, 0.2)])
def test_the_bar_is_the_wider_of_factor_and_margin(nginx: float, most: float) -> None:
    assert latency.most_allowed(nginx) == pytest.approx(most)


def test_medians_are_taken_of_each_figure() -> None:
    rounds = [
        dict.fromkeys(("direct", "nginx", "weir"), latency.Spread(*figures))
        for figures in ((1, 8, 3), (2, 7, 9), (3, 9, 6))
    ]
    assert latency.medians(rounds)["nginx"] == latency.Spread(2, 8, 6)
