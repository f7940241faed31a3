"""How the story is told: a live table on a terminal, plain lines everywhere else."""

import sys
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from proxy.demo.seen import Line

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One service now: the weight that is set (percent) beside what its customers have met."""

    weight: float
    phase: str
    line: Line

    def cells(self) -> tuple[str, ...]:
        """service, canary, set, seen, requests, errors, p99, phase, as a person reads them."""
        line = self.line
        share = "-" if line.share is None else f"{line.share:.1%}".replace("%", " %")
        p99 = "-" if line.p99 is None else f"{line.p99 * 1000:.0f} ms"
        return (
            line.service,
            line.version,
            f"{self.weight:g} %",
            share,
            str(line.requests),
            str(line.failures),
            p99,
            self.phase,
        )


HEADS = ("service", "canary", "set", "seen", "requests", "errors", "p99", "state")


class Screen(AbstractContextManager["Screen"], Protocol):
    """Where the story goes."""

    def say(self, text: str) -> None:
        """A line that stays."""

    def title(self, text: str) -> None:
        """The beginning of an act."""

    def show(self, rows: Sequence[Row], *, last: bool) -> None:
        """How things stand; `last` when the act ends here."""


class PlainScreen(Screen):
    """Lines of text: for pipes, logs and the README. Only the last rows of an act are printed."""

    WIDTHS = (9, 8, 7, 9, 10, 8, 8, 0)

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def __exit__(self, *_: object) -> None:
        self._out.flush()

    def say(self, text: str) -> None:
        """Prints it at once, also into a pipe."""
        print(text, file=self._out, flush=True)

    def title(self, text: str) -> None:
        """An empty line and the title."""
        self.say(f"\n{text}")

    def show(self, rows: Sequence[Row], *, last: bool) -> None:
        """The rows below their heads, when the act is over."""
        if last:
            for cells in (HEADS, *(row.cells() for row in rows)):
                self.say(
                    ("  " + "".join(f"{c:<{w}}" for c, w in zip(cells, self.WIDTHS, strict=True))).rstrip()
                )


class LiveScreen(Screen):
    """A table that moves while an act is on, below everything that was said before."""

    def __init__(self) -> None:
        # rich is imported here and nowhere else: the other verbs must not wait for it.
        from rich.console import Console
        from rich.live import Live

        self._console = Console(highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        """Prints above the table; square brackets are text."""
        self._console.print(wrapped(text, self._console.width), markup=False, soft_wrap=True)

    def title(self, text: str) -> None:
        """An empty line and the title in bold."""
        self._console.print(f"\n{text}", style="bold", markup=False)

    def show(self, rows: Sequence[Row], *, last: bool) -> None:
        """Redraws the table; at the end of an act it stays above."""
        table = self._table(rows)
        if last:
            self._console.print(table)
        self._live.update("" if last else table, refresh=True)

    def _table(self, rows: Sequence[Row]) -> "Table":
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD)
        for head in HEADS:
            table.add_column(head, justify="left" if head in {"service", "canary", "state"} else "right")
        for row in rows:
            table.add_row(*row.cells(), style="red" if row.phase == "rolled-back" else None)
        return table


def wrapped(text: str, width: int) -> str:
    """A line in as many as it takes, cut between words; all but the first are indented further."""
    words = text.lstrip()
    indent = text[: len(text) - len(words)]
    return textwrap.fill(
        words,
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def screen_for(*, plain: bool) -> Screen:
    """The live one on a terminal, unless `plain`."""
    return PlainScreen(sys.stdout) if plain or not sys.stdout.isatty() else LiveScreen()
