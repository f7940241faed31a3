"""Weights by revision."""

import json
from math import inf

import pytest

from proxy.analysis.weights import KEPT, Weights, odds


def known(*states):
    weights = Weights()
    return weights, [weights.put(*state) for state in states]


@pytest.mark.parametrize(
    ("parts", "expected"), [(0, 0.0), (100, 1 / 99), (5_000, 1.0), (9_900, 99.0), (10_000, inf)]
)
def test_odds(parts, expected):
    assert odds(parts) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("states", "changes", "since", "parts"),
    [
        ([], [], -1, 0),
        ([(3, 500)], [0], 3, 500),  # the first raises nothing
        ([(3, 0), (4, 500)], [0, 500], 4, 500),
        ([(3, 500), (4, 500), (5, 2_000), (6, 2_000)], [0, 0, 1_500, 0], 5, 2_000),
        ([(3, 2_000), (4, 500)], [0, -1_500], 4, 500),
        ([(3, 500), (3, 900), (2, 900)], [0, 0, 0], 3, 500),  # known or older
    ],
)
def test_what_a_state_changes(states, changes, since, parts):
    weights, seen = known(*states)
    assert (seen, weights.since, weights.parts) == (changes, since, parts)


def test_each_revision_has_its_own():
    weights, _ = known((3, 500), (5, 2_000))
    assert [weights.of(revision) for revision in (2, 3, 4, 5, 6)] == [None, 500, None, 2_000, None]


def test_only_so_many_are_remembered():
    weights, _ = known(*((revision, 500) for revision in range(KEPT + 10)))
    assert (weights.of(9), weights.of(10), weights.parts) == (None, 500, 500)
    assert len(weights.to_json()) == KEPT


def test_json_round_trip():
    weights, _ = known((3, 500), (4, 500), (5, 2_000), (8, 2_000))
    again = Weights.from_json(json.loads(json.dumps(weights.to_json())))
    assert again.to_json() == weights.to_json()
    assert (again.since, again.revision, again.parts) == (5, 8, 2_000)
    assert again.put(9, 2_500) == 500


@pytest.mark.parametrize("data", [None, 7, [1], [[1]], [[1, 2, 3]], [["a", 2]]])
def test_nonsense_is_refused(data):
    with pytest.raises((TypeError, ValueError)):
        Weights.from_json(data)
