"""One service as a tree: its rollout, set weights and actual shares as bars, each check with its numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from proxy.analysis import wording
from proxy.cli.figures import duration, percent, rate
from proxy.cli.progress import state
from proxy.cli.views import endpoints, notes, verdict
from proxy.counted import counted

WIDTH = 20
"""Cells of a bar, 5 % each."""
HEADINGS = ("CHECK", "VALUE", "LIMIT", "STABLE", "SAMPLE", "ODDS")


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters of trees and bars."""

    full: str
    empty: str
    branch: str
    last: str
    through: str


UNICODE = Glyphs("█", "░", "├─ ", "└─ ", "│  ")
ASCII = Glyphs("#", ".", "|- ", "`- ", "|  ")


@dataclass(frozen=True, slots=True)
class Node:
    """A line with the lines below it."""

    text: str
    below: Sequence["Node"] = field(default_factory=tuple)


def tree(view: dict[str, Any], glyphs: Glyphs = UNICODE, flags: str = "") -> str:
    """Return a service as a tree of lines."""
    head = f"{view['name']}  {state(view)}, revision {view['revision']}"
    below = [*_backends(view, glyphs), _verdict(view), *(Node(note) for note in notes(view, flags))]
    return "\n".join([head, *_indented(below, glyphs)])


def bar(part: float | None, glyphs: Glyphs = UNICODE) -> str:
    """Return a percent of 0 to 100 as a bar; more than 0 fills at least one cell."""
    cells = 0 if part is None else round(part / 100 * WIDTH)
    if part:
        cells = max(1, cells)
    return glyphs.full * cells + glyphs.empty * (WIDTH - cells)


def _indented(nodes: Sequence[Node], glyphs: Glyphs) -> Iterator[str]:
    for node in nodes:
        last = node is nodes[-1]
        yield f"{glyphs.last if last else glyphs.branch}{node.text}"
        indent = " " * len(glyphs.through) if last else glyphs.through
        yield from (f"{indent}{line}" for line in _indented(node.below, glyphs))


def _backends(view: dict[str, Any], glyphs: Glyphs) -> Iterator[Node]:
    for name, backend in view["backends"].items():
        side = view["window"].get(name) or {}
        version = f" {backend['version']}" if backend["version"] else ""
        counts = (
            f"last {view['window']['seconds']} s: {counted(side.get('requests', 0), 'request')}, "
            f"errors {rate(side.get('error_rate'))}, p99 {duration(side.get('p99'))}"
        )
        yield Node(
            f"{name}{version}  {endpoints(backend)}",
            [
                _measure("set ", view["weights"].get(name), 2, glyphs),
                _measure("seen", (view["shares"] or {}).get(name), 1, glyphs),
                Node(counts),
            ],
        )


def _measure(what: str, part: float | None, digits: int, glyphs: Glyphs) -> Node:
    return Node(f"{what}  {bar(part, glyphs)}  {percent(part, digits=digits)}")


def _verdict(view: dict[str, Any]) -> Node:
    """Return the verdict, with its checks in columns below."""
    findings = view["verdict"]["findings"]
    rows = [HEADINGS, *map(_check, findings)] if findings else []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return Node(f"verdict: {verdict(view)}", [Node(_row(row, widths)) for row in rows])


def _row(row: tuple[str, ...], widths: list[int]) -> str:
    first, *numbers = zip(row, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in numbers)]).rstrip()


def _check(finding: dict[str, Any]) -> tuple[str, ...]:
    quantities = [finding[key] for key in ("value", "limit", "stable")]
    needed = "" if finding["needed"] is None else f" of {finding['needed']:,}"
    odds = "-" if finding["odds"] is None else wording.odds(finding["odds"])
    return (
        finding["check"],
        *("-" if value is None else wording.quantity(value, finding["unit"]) for value in quantities),
        f"{finding['sample']:,}{needed}",
        odds,
    )
