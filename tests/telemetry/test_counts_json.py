"""Counts survive JSON, and what are no counts is an error."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.telemetry import counts_json
from proxy.telemetry.counts import Counts
from tests.telemetry.outcomes import COUNTS, counted, outcome


@given(COUNTS, st.integers(0, 9), st.integers(0, 9))
def test_json_round_trip(counts: Counts, in_flight: int, life: int) -> None:
    counts.in_flight, counts.overdue, counts.life = in_flight, in_flight // 2, life
    assert counts_json.from_json(json.loads(json.dumps(counts_json.to_json(counts)))) == counts


def test_json_is_small() -> None:
    counts = counted([outcome(head=0.02 * 1.1 ** (n % 10), total=0.03) for n in range(1000)])
    assert len(json.dumps(counts_json.to_json(counts), separators=(",", ":"))) < 300


@pytest.mark.parametrize(
    "change",
    [
        {"open": -1},
        {"open": None},
        {"life": True},
        {"drawn": {"succes": 1}},
        {"pinned": {"failure": -1}},
        {"errors": {"bang": 1}},
        {"codes": [["GET", 200, -1]]},
        {"codes": [["GET", "200", 1]]},
        {"codes": [["GET", 200]]},
        {"head": []},
        {"total": None},
        {"labels": [[7, 1]]},
        {"labels": [[20, 1]]},
        {"labels": [[8, -1]]},
        {"labels": 8},
        {"taken_over": {"won": 1}},
        {"diverted": -1},
        {"harmed": "1"},
        {"ejections": -1},
        {"overdue": None},
        {"users": [0, 7]},
        {"users": [-1]},
        {"exposed": "AAAA"},
        {"exposed": 7},
        {"failed": [["GET", "/", 500]]},
        {"failed": [["GET", "/", 500, -1]]},
    ],
)
def test_what_are_no_counts_is_an_error(change: dict[str, Any]) -> None:
    data = counts_json.to_json(Counts()) | change
    with pytest.raises((ValueError, TypeError)):
        counts_json.from_json(data)


@pytest.mark.parametrize("field", sorted(counts_json.to_json(Counts())))
def test_a_missing_part_is_an_error(field: str) -> None:
    data = counts_json.to_json(Counts())
    del data[field]
    with pytest.raises(KeyError):
        counts_json.from_json(data)


def test_what_is_empty_is_left_out_and_older_counts_do_not_have_it() -> None:
    data = counts_json.to_json(Counts(in_flight=2))
    assert data.keys() == {"drawn", "pinned", "codes", "errors", "head", "total", "open", "life"}
    assert counts_json.from_json(data) == Counts(in_flight=2)


def test_json_is_small_with_everything_in_it() -> None:
    bad = [outcome(status=500, user=2**64 - n, exposed=True, thresholds=(0.1, 0.2, 0.3)) for n in range(20)]
    assert len(json.dumps(counts_json.to_json(counted(bad)), separators=(",", ":"))) < 1000
