"""The table: what a line says of its runs, and when it says that a promise is missed."""

import pytest
from judging import DEAD, FULL, Line, at, play, table, told

from proxy.simulation.run import RunResult
from proxy.simulation.scenario import Canary
from proxy.simulation.summary import summary


@pytest.mark.parametrize(
    ("bar", "words", "kept"), [(5, "at most 5: ok", True), (4, "at most 4: MISSED", False)]
)
def test_a_promise_is_kept_up_to_the_bar(bar: int, words: str, kept: bool) -> None:
    line = Line("dies", DEAD, bar)
    text, fine = told(line, at(0.05, FULL, line), summary([RunResult(True, False, 5, 1.0)] * 20))
    assert "5/5/5" in text
    assert words in text
    assert fine == kept


def test_what_was_never_rolled_back_misses_its_promise() -> None:
    line = Line("dies", DEAD, 30)
    text, fine = told(line, at(0.05, FULL, line), summary([RunResult(False, False, 900, 60.0)]))
    assert "-/-/-" in text
    assert not fine


def test_lines_of_one_past_are_played_from_the_same_seed_alike() -> None:
    rows = at(0.2, FULL, Line("dies", DEAD), Line("sickens", Canary(errors=0.5)), onset=20.0)
    first, second = play((rows, "1 0"))
    assert first.rolled_back
    assert second.requests > first.requests
    assert play((rows, "1 0")) == [first, second]


def test_the_table_has_a_line_for_each_promise() -> None:
    bars = [line.bar for rows in table() for line in rows.lines if line.bar is not None]
    assert bars == [6, 60, 12, 90, 25, 150, 500, 14, 110, 20, 18, 180, 480, 30, 30, 30, 30, 30, 30, 30]
