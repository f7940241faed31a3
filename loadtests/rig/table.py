"""From rounds to figures: medians, ratios, and the tables that show them, in Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rig.cases import CASES, Bar

BESIDE = ("nginx", "envoy")


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement: CPU microseconds per request, requests a second, p99 in ms, requests that failed."""

    micros: float
    rate: float
    p99: float
    failures: int


Rounds = Mapping[str, Sequence[Round]]
"""The rounds of every peer of one case."""


def cost(rounds: Sequence[Round]) -> float:
    """CPU microseconds per request: the median."""
    return median(each.micros for each in rounds)


def ratio(rounds: Rounds, name: str, beside: str) -> float | None:
    """The cost of one peer as a multiple of another's; None unless both were measured."""
    if name not in rounds or beside not in rounds:
        return None
    return cost(rounds[name]) / cost(rounds[beside])


def case_table(rounds: Rounds) -> str:
    """One case: a line for each peer."""
    head = ["", "CPU us/request", "min - max", *(f"x {name}" for name in BESIDE), "requests/s", "p99 ms"]
    return grid([head, *(peer_line(name, rounds) for name in rounds)])


def peer_line(name: str, rounds: Rounds) -> list[str]:
    """Medians and ratios of one peer."""
    own = rounds[name]
    micros = [each.micros for each in own]
    return [
        name,
        f"{cost(own):.1f}",
        f"{min(micros):.1f} - {max(micros):.1f}",
        *(shown(ratio(rounds, name, beside)) for beside in BESIDE),
        f"{median(each.rate for each in own):.0f}",
        f"{median(each.p99 for each in own):.2f}",
    ]


def summary(results: Mapping[str, Rounds]) -> str:
    """All cases in one table: CPU per request as a multiple of nginx, and nginx's in microseconds."""
    names = list(dict.fromkeys(name for rounds in results.values() for name in rounds))
    lines = [
        [
            CASES[case].title,
            f"{cost(rounds['nginx']):.0f} us" if "nginx" in rounds else "-",
            *(shown(ratio(rounds, name, "nginx")) for name in names),
        ]
        for case, rounds in results.items()
    ]
    return grid([["case", "nginx's 1.00 is", *names], *lines])


def bar_lines(bars: Sequence[Bar], rounds: Rounds) -> list[str]:
    """What was promised of a case, and whether it is so. Nothing is said of a peer that wasn't measured."""
    found = ((bar, ratio(rounds, bar.name, bar.beside)) for bar in bars)
    return [bar_line(bar, value) for bar, value in found if value is not None]


def bar_line(bar: Bar, value: float) -> str:
    """One bar, and whether it is kept."""
    word = "ok" if value <= bar.most else "MISSED"
    return f"- {bar.name}: {value:.2f} x {bar.beside}, at most {bar.most:g}: {word}"


def shown(value: float | None) -> str:
    """A ratio; "-" for none."""
    return "-" if value is None else f"{value:.2f}"


def grid(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that is as well read unrendered: first column left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = [":" + "-" * (max(widths[0], 2) - 1), *("-" * (max(width, 2) - 1) + ":" for width in widths[1:])]
    return "\n".join(
        "| " + " | ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) + " |"
        for row in (rows[0], rule, *rows[1:])
    )
