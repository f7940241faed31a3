"""The end of the demo is verified: gaps, jumps and unexpected actors in the ledger are found."""

from typing import Any

import pytest

from proxy.demo.verification import ledger_problems

GOOD = [
    ("release", 0.0, 0.0, "weir"),
    ("start", 0.0, 0.0, "demo"),
    ("step", 0.0, 10.0, "weir"),
    ("gate", 10.0, 10.0, "weir"),
    ("step", 10.0, 100.0, "on-call"),
    ("promoting", 100.0, 100.0, "weir"),
    ("promotion", 100.0, 0.0, "weir"),
]


def ledger(*changes: tuple[int, str, Any]) -> list[dict[str, Any]]:
    entries = [
        {
            "event": event,
            "revision": number,
            "from": before,
            "to": after,
            "actor": actor,
            "acknowledged_ms": 1.0,
        }
        for number, (event, before, after, actor) in enumerate(GOOD, start=1)
    ]
    for at, key, value in changes:
        entries[at][key] = value
    return entries


def test_what_follows_one_from_another_is_fine() -> None:
    assert list(ledger_problems(ledger(), "promotion", ["on-call"])) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ((6, "event", "trip"), "its events are release, start, step, gate, step, promoting, trip; expected"),
        ((2, "event", "abort"), "its events are release, start, abort"),
        ((1, "event", "step"), "its events are release, step"),
        ((3, "revision", 5), "its revisions are [1, 2, 3, 5, 5, 6, 7]; expected all of them from 1 on"),
        ((2, "to", 25.0), "revision 4 begins at 10.0 %; expected 25.0 %"),
        ((5, "acknowledged_ms", None), "not every worker has acknowledged revisions [6]"),
        ((4, "actor", "weir"), "its gates were opened by ['weir']; expected ['on-call']"),
    ],
)
def test_each_problem_is_reported(change: tuple[int, str, Any], problem: str) -> None:
    (found,) = ledger_problems(ledger(change), "promotion", ["on-call"])
    assert found.startswith(problem)
