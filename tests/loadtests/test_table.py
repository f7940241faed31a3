"""Medians, ratios, bars, and the tables that show them."""

from typing import Any

import pytest
from rig.cases import Bar
from rig.table import Round, bar_lines, case_table, cost, grid, ratio, summary


def rounds(**micros: tuple[float, ...]) -> dict[str, Any]:
    return {name: [Round(each, 1e6 / each, each / 10, 0) for each in some] for name, some in micros.items()}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_median_is_not_moved_by_one_bad_round() -> None:
    assert cost(rounds(weir=(20.0, 900.0, 22.0))["weir"]) == 22.0


def test_ratios_are_between_medians() -> None:
    some = rounds(nginx=(10.0, 20.0, 30.0), weir=(29.0, 25.0, 1.0))
    assert ratio(some, "weir", "nginx") == 1.25


@pytest.mark.parametrize(("name", "beside"), [("weir", "envoy"), ("envoy", "weir")])
def test_no_ratio_without_both(name: str, beside: str) -> None:
    assert ratio(rounds(weir=(1.0,)), name, beside) is None


def test_a_line_for_each_peer() -> None:
    lines = case_table(rounds(nginx=(16.0, 20.0), weir=(27.0, 24.0, 30.0))).splitlines()
    assert cells(lines[0]) == [
        "",
        "CPU us/request",
        "min - max",
        "x nginx",
        "x envoy",
        "requests/s",
        "p99 ms",
    ]
    assert cells(lines[2]) == ["nginx", "18.0", "16.0 - 20.0", "1.00", "-", "56250", "1.80"]
    assert cells(lines[3]) == ["weir", "27.0", "24.0 - 30.0", "1.50", "-", "37037", "2.70"]


def test_the_summary_has_all_peers_of_all_cases() -> None:
    results = {"headers": rounds(nginx=(20.0,), weir=(30.0,)), "workers": rounds(weir=(1.0,))}
    lines = [cells(line) for line in summary(results).splitlines()]
    assert lines[0] == ["case", "nginx's 1.00 is", "nginx", "weir"]
    assert lines[2][1:] == ["20 us", "1.00", "1.50"]
    assert lines[3][1:] == ["-", "-", "-"]


@pytest.mark.parametrize(("micros", "word"), [(13.0, "ok"), (13.1, "MISSED")])
def test_a_bar_is_kept_up_to_its_limit(micros: float, word: str) -> None:
    (line,) = bar_lines([Bar("nginx", 1.3)], rounds(nginx=(10.0,), weir=(micros,)))
    assert line == f"- weir: {micros / 10:.2f} x nginx, at most 1.3: {word}"


def test_nothing_is_said_of_a_bar_beside_somebody_missing() -> None:
    assert bar_lines([Bar("envoy", 0.5)], rounds(nginx=(10.0,), weir=(1.0,))) == []


def test_the_grid_is_markdown_with_straight_columns() -> None:
    assert grid([["", "a"], ["one", "2"], ["x", "345"]]).splitlines() == [
        "|     |   a |",
        "| :-- | --: |",
        "| one |   2 |",
        "| x   | 345 |",
    ]
