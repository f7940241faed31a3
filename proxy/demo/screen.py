"""The output of the demo: a live table on a terminal, plain lines everywhere else."""

import sys
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from proxy.demo.customer_counts import ActSummary

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One service now: the weight that is set (0 to 100 percent) beside what its customers observed."""

    weight: float
    phase: str
    summary: ActSummary

    def cells(self) -> tuple[str, ...]:
        """Return the cells of the table, in the order of `HEADS`."""
        summary = self.summary
        share = "-" if summary.share is None else f"{summary.share:.1%}".replace("%", " %")
        p99 = "-" if summary.p99 is None else f"{summary.p99 * 1000:.0f} ms"
        return (
            summary.service,
            summary.version,
            f"{self.weight:g} %",
            share,
            str(summary.requests),
            str(summary.failures),
            p99,
            self.phase,
        )


HEADS = ("service", "canary", "set", "seen", "requests", "errors", "p99", "state")


class Screen(AbstractContextManager["Screen"], Protocol):
    """The interface of both screens."""

    def write(self, text: str) -> None:
        """Print a line that stays."""

    def title(self, text: str) -> None:
        """Print the title of an act."""

    def show(self, rows: Sequence[Row], *, last: bool) -> None:
        """Show the state of the services; `last` at the end of an act."""


class PlainScreen(Screen):
    """Plain lines, for pipes and logs. Only the last rows of an act are printed."""

    WIDTHS = (9, 8, 7, 9, 10, 8, 8, 0)

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def __exit__(self, *_: object) -> None:
        self._out.flush()

    def write(self, text: str) -> None:
        """Print a line at once, also into a pipe."""
        print(text, file=self._out, flush=True)

    def title(self, text: str) -> None:
        """Print an empty line and the title."""
        self.write(f"\n{text}")

    def show(self, rows: Sequence[Row], *, last: bool) -> None:
        """Print the rows below their heads, at the end of an act."""
        if last:
            for cells in (HEADS, *(row.cells() for row in rows)):
                self.write(
                    ("  " + "".join(f"{c:<{w}}" for c, w in zip(cells, self.WIDTHS, strict=True))).rstrip()
                )


class LiveScreen(Screen):
    """A table that is redrawn during an act, below the lines that were printed before."""

    def __init__(self) -> None:
        # rich is imported here, because its import takes time and the plain screen does without it.
        from rich.console import Console
        from rich.live import Live

        self._console = Console(highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def write(self, text: str) -> None:
        """Print a line above the table; square brackets are text."""
        self._console.print(wrapped(text, self._console.width), markup=False, soft_wrap=True)

    def title(self, text: str) -> None:
        """Print an empty line and the title in bold."""
        self._console.print(f"\n{text}", style="bold", markup=False)

    def show(self, rows: Sequence[Row], *, last: bool) -> None:
        """Redraw the table; at the end of an act it stays above."""
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
    """Return a line wrapped between words; all lines but the first are indented further."""
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
    """Return the live screen on a terminal, else or if `plain` the plain one."""
    return PlainScreen(sys.stdout) if plain or not sys.stdout.isatty() else LiveScreen()
