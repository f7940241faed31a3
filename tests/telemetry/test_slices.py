"""Slices together are the whole, and none is larger than was asked for."""

from dataclasses import fields

import pytest

from proxy.telemetry.control_metrics import Operations
from proxy.telemetry.counts import Counts
from proxy.telemetry.exposition import CheckSample, Snapshot
from proxy.telemetry.slices import sliced

NAMES = [f"s{number}" for number in range(7)]
SIDES = [(name, backend) for name in NAMES for backend in ("stable", "canary")]
WHOLE = Snapshot(
    totals={side: Counts(in_flight=number) for number, side in enumerate([*SIDES, ("gone", "stable")])},
    weights=dict.fromkeys(SIDES, 0.5),
    shares={("s1", "stable"): 0.1},
    checks=[CheckSample(name, check, 0.1, 0.2, 3) for name in NAMES for check in ("errors", "p50")],
    trips={("s2", "errors"): 2, ("long gone", "errors"): 1},
    version="1",
    refused={"host": 3},
    would_trips={("s3", "p50"): 2},
    evidence={"s4": 2.5},
    cold={"s4": 2.5},
    exposed={"s5": 7},
    halted={("s6", "canary"): True},
    operations=Operations(
        hooks={("s1", "before-step", "open"): 1},
        notices={("s2", "sent"): 2},
        endpoints={("s3", "stable", "http://a"): True},
        reloaded=False,
        reloaded_at=5.0,
    ),
)


def services(part: Snapshot) -> set[str]:
    keys = [*part.totals, *part.weights, *part.trips, *part.halted, *part.operations.endpoints]
    return {key[0] for key in keys} | {each.service for each in part.checks}


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_slices_together_are_the_whole(most: int) -> None:
    parts = list(sliced(WHOLE, most))
    assert len(parts) == -(-9 // most)
    assert all(len(services(part)) <= most for part in parts)
    assert [check for part in parts for check in part.checks] == WHOLE.checks
    for name in (
        "totals",
        "weights",
        "shares",
        "trips",
        "would_trips",
        "evidence",
        "exposed",
        "cold",
        "halted",
    ):
        found = [item for part in parts for item in getattr(part, name).items()]
        assert dict(found) == getattr(WHOLE, name), name
        assert len(found) == len(getattr(WHOLE, name)), name
    for name in ("hooks", "notices", "endpoints"):
        found = [item for part in parts for item in getattr(part.operations, name).items()]
        assert found == list(getattr(WHOLE.operations, name).items()), name


def test_what_is_nobodys_own_is_in_every_slice() -> None:
    for part in sliced(WHOLE, 2):
        assert (part.version, part.refused) == (WHOLE.version, WHOLE.refused)
        assert (part.operations.reloaded, part.operations.reloaded_at) == (False, 5.0)


def test_a_snapshot_without_services_is_one_slice() -> None:
    empty = Snapshot({}, {}, {}, [], {}, "1", {"host": 1})
    assert list(sliced(empty, 3)) == [empty]


def test_a_field_that_grows_with_the_services_is_cut() -> None:
    first = next(sliced(WHOLE, 1))
    uncut = {each.name for each in fields(Snapshot) if getattr(first, each.name) == getattr(WHOLE, each.name)}
    assert uncut == {"version", "refused"}
