"""The guard: when it is in force, its limits, and what it remembers of stable."""

import json

import pytest

from proxy.analysis.guard import Guard, meant, share
from proxy.telemetry.counts import Counts
from tests.analysis.made import counts


@pytest.mark.parametrize(
    ("parts", "canary", "in_force"),
    [
        (0, counts(ok=500), False),
        (5_000, counts(ok=500, pinned_ok=19), False),
        (5_000, counts(ok=500, pinned_ok=10, pinned_bad=10), True),
        (0, counts(pinned_ok=12, pins_diverted=8), True),
        (5_001, counts(), True),
        (10_000, counts(ok=500), True),
    ],
)
def test_where_it_is_in_force(parts: int, canary: Counts, in_force: bool) -> None:
    assert (Guard().look(parts, canary, counts()) is not None) == in_force


@pytest.mark.parametrize(
    ("canary", "stable", "state", "value", "limit"),
    [
        (counts(), counts(), "inconclusive", None, 0.1),
        (counts(bad=19), counts(), "inconclusive", 1.0, 0.1),
        (counts(bad=20), counts(), "failing", 1.0, 0.1),
        (counts(ok=18, bad=2), counts(), "healthy", 0.1, 0.1),  # at the limit is not above it
        (counts(ok=17, bad=3), counts(), "failing", 0.15, 0.1),
        (counts(ok=17, bad=3), counts(ok=95, bad=5), "healthy", 0.15, 0.15),
        (counts(ok=16, bad=4), counts(ok=95, bad=5), "failing", 0.2, 0.15),
        (counts(bad=50), counts(ok=3, bad=2), "healthy", 1.0, 1.0),  # both are in trouble
        (counts(ok=10, pinned_ok=8, pinned_bad=3), counts(), "failing", 3 / 21, 0.1),  # all its requests
        (counts(ok=17, diverted=2, pins_diverted=1), counts(), "failing", 0.15, 0.1),
        (counts(ok=17, bad=3), counts(ok=95, diverted=5), "healthy", 0.15, 0.15),
        (counts(ok=20, taken_over={"failure": 50}), counts(), "healthy", 0.0, 0.1),
    ],
)
def test_what_it_finds(canary: Counts, stable: Counts, state: str, value: float | None, limit: float) -> None:
    finding = Guard().look(10_000, canary, stable)
    assert (finding.check, finding.state, finding.needed, finding.window) == ("guard", state, 20, 30.0)
    assert (finding.value, finding.limit) == (pytest.approx(value), pytest.approx(limit))
    assert finding.odds is None


def test_what_it_says() -> None:
    finding = Guard().look(10_000, counts(ok=15, bad=10), counts(ok=249, bad=1))
    assert finding.sentence == (
        "guard: 40.0 % of 25 canary answers over 30 s failed, above 10.0 % (stable: 0.4 %)"
    )
    lacking = Guard().look(10_000, counts(ok=3), counts())
    assert lacking.sentence == "guard: 3 of the 20 canary answers over 30 s needed to judge it"


def test_stables_last_known_share_stays() -> None:
    guard = Guard()
    assert guard.look(5_000, counts(), counts(ok=80, bad=20)) is None  # and looks at it all the same
    assert guard.look(10_000, counts(ok=50, bad=50), counts()).limit == pytest.approx(0.6)
    again = Guard.from_json(json.loads(json.dumps(guard.to_json())))
    finding = again.look(10_000, counts(ok=30, bad=70), counts())
    assert (finding.state, finding.stable, finding.limit) == ("failing", 0.2, pytest.approx(0.6))


@pytest.mark.parametrize("last", [counts(bad=1), counts(ok=1, bad=2), counts(ok=9, bad=10)])
def test_the_last_answers_to_leave_the_window_are_no_share_to_remember(last: Counts) -> None:
    guard = Guard()
    guard.look(10_000, counts(), counts(ok=99, bad=1))
    guard.look(10_000, counts(), last)
    finding = guard.look(10_000, counts(bad=50), counts())
    assert (finding.state, finding.stable) == ("failing", 0.01)


def test_where_stable_never_had_a_sample_the_largest_is_remembered() -> None:
    guard = Guard()
    for seen in (counts(bad=1), counts(ok=1, bad=1), counts(ok=3, bad=1), counts(ok=4), counts(bad=2)):
        guard.look(10_000, counts(), seen)
    assert guard.look(10_000, counts(), counts()).stable == 0.0


def test_excluded_ones_are_no_answers() -> None:
    left = counts(ok=3, bad=1)
    left.drawn["excluded"] = left.pinned["excluded"] = 50
    assert meant(left) == (1, 4)
    assert share(left) == (0.25, 4)
    assert share(counts()) == (None, 0)


@pytest.mark.parametrize("parts", [0, 10_000])
def test_clients_that_give_up_on_a_canary_that_hangs_are_its_failures(parts: int) -> None:
    hanging = Counts(pinned={"excluded": 20}, abandoned=20)
    assert Guard().look(parts, hanging, counts(ok=500)).state == "failing"
    assert Guard().look(10_000, Counts(drawn={"excluded": 20}), counts(ok=500)).state == "inconclusive"
