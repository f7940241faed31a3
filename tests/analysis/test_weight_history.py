"""Weights by revision."""

from math import inf

import pytest

from proxy.analysis.weight_history import KEPT, WeightHistory, odds


@pytest.mark.parametrize(
    ("parts", "expected"), [(0, 0), (100, 1 / 99), (5_000, 1), (9_900, 99), (10_000, inf)]
)
def test_odds(parts: int, expected: float) -> None:
    assert odds(parts) == pytest.approx(expected)


def test_only_another_weight_of_a_newer_revision_is_a_change() -> None:
    weights = WeightHistory()
    states = ((3, 500), (3, 900), (2, 900), (4, 500), (5, 2_000), (6, 100))
    assert [weights.put(*each) for each in states] == [
        0, 0, 0, 0, 1_500, -1_900,
    ]  # fmt: skip
    assert (weights.parts, weights.revision, weights.since) == (100, 6, 6)
    assert (weights.of(3), weights.of(2), weights.of(5)) == (500, None, 2_000)


def test_since_is_where_the_weight_began() -> None:
    weights = WeightHistory()
    for revision, parts in ((1, 500), (2, 500), (3, 500)):
        weights.put(revision, parts)
    assert weights.since == 1


def test_the_oldest_are_forgotten() -> None:
    weights = WeightHistory()
    for revision in range(KEPT + 5):
        weights.put(revision, revision % 100)
    assert weights.of(4) is None
    assert weights.of(5) == 5
    again = WeightHistory.from_json(weights.to_json())
    assert (again.to_json(), again.since, again.parts) == (weights.to_json(), weights.since, weights.parts)
