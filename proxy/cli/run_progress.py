"""The progress of simulated runs: one line on a terminal, rewritten with what came of them so far."""

from collections.abc import Sequence
from typing import TextIO

from proxy.counted import counted
from proxy.simulation.run import RunResult
from proxy.simulation.summary import summary

UPDATES = 100
"""How often the line is rewritten, at most: each time all results so far are summed up."""
ERASE = "\r\x1b[K"
"""Goes to the begin of the line and erases it."""


class RunProgress:
    """The line about `runs` runs of one kind of canary; nothing where `stream` is no terminal."""

    def __init__(self, canary: str, runs: int, stream: TextIO) -> None:
        self._canary = canary
        self._runs = runs
        self._stream = stream
        self._every = max(1, runs // UPDATES) if stream.isatty() else 0

    def __repr__(self) -> str:
        return f"<RunProgress of {self._runs} runs, {'shown' if self._every else 'silent'}>"

    def show(self, results: Sequence[RunResult]) -> None:
        """Show what came of the runs so far."""
        if self._every and len(results) % self._every == 0:
            self._write(ERASE + line(self._canary, results, self._runs))

    def end(self) -> None:
        """Remove the line: the summary follows."""
        if self._every:
            self._write(ERASE)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def line(canary: str, results: Sequence[RunResult], runs: int) -> str:
    """Return, for example: bad canary: 23 of 100 runs; 23 rolled back, median 14 requests until then."""
    said = f"{canary} canary: {len(results):,} of {counted(runs, 'run')}"
    if not results:
        return said
    found = summary(results)
    median = found.requests.median
    until = "" if median is None else f", median {counted(round(median), 'request')} until then"
    return f"{said}; {found.rolled_back:,} rolled back{until}"
