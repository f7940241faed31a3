"""The line about simulated runs."""

from io import StringIO

import pytest

from proxy.cli.run_progress import ERASE, UPDATES, RunProgress, line
from proxy.simulation.run import RunResult

OUT = RunResult(rolled_back=True, early=False, requests=14, seconds=1.5)
IN = RunResult(rolled_back=False, early=False, requests=900, seconds=600.0)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([], "bad canary: 0 of 100 runs"),
        ([OUT, OUT, IN], "bad canary: 3 of 100 runs; 2 rolled back, median 14 requests until then"),
        ([IN, IN], "bad canary: 2 of 100 runs; 0 rolled back"),
    ],
)
def test_what_came_of_the_runs_so_far(results: list[RunResult], said: str) -> None:
    assert line("bad", results, 100) == said


def test_a_line_that_is_rewritten_and_removed() -> None:
    terminal = Terminal()
    progress = RunProgress("good", 2, terminal)
    for results in ([], [IN], [IN, IN]):
        progress.show(results)
    progress.end()
    first, *rewritten, last = terminal.getvalue().split(ERASE)
    assert (first, last) == ("", "")
    assert rewritten == [f"good canary: {text}" for text in (
        "0 of 2 runs", "1 of 2 runs; 0 rolled back", "2 of 2 runs; 0 rolled back"
    )]  # fmt: skip


def test_many_runs_do_not_rewrite_it_each_time() -> None:
    terminal = Terminal()
    progress = RunProgress("bad", 1000, terminal)
    for number in range(1001):
        progress.show([OUT] * number)
    assert terminal.getvalue().count(ERASE) == UPDATES + 1


def test_where_nobody_looks_there_is_nothing() -> None:
    pipe = StringIO()
    progress = RunProgress("bad", 2, pipe)
    progress.show([OUT])
    progress.end()
    assert pipe.getvalue() == ""
