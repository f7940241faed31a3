"""What a run leaves: JSON with every round, and a page of Markdown."""

import json
from typing import Any

import pytest
from rig.report import Run
from rig.table import Round


@pytest.fixture
def run() -> Any:
    rounds = {"nginx": [Round(20.0, 50_000.0, 1.5, 0)], "weir": [Round(25.0, 40_000.0, 1.75, 2)]}
    return Run(
        command="python loadtests/peers.py --rounds 1",
        day="2026-01-31",
        machine={"cpu": "An Example", "commit": "abc1234"},
        versions={"nginx": "1.22.1", "weir": "0.1.0"},
        missing={"envoy": "envoy is not installed and left out; to install it: pip install it"},
        results={"headers": rounds},
    )


def test_json_has_every_round(run: Any) -> None:
    read = json.loads(json.dumps(run.as_json()))
    assert set(read) == {"command", "day", "machine", "versions", "missing", "results"}
    assert read["results"]["headers"]["weir"] == [
        {"micros": 25.0, "rate": 40_000.0, "p99": 1.75, "failures": 2}
    ]
    assert read["machine"]["commit"] == "abc1234"


@pytest.mark.parametrize(
    "line",
    [
        "- command: `python loadtests/peers.py --rounds 1`, 2026-01-31",
        "- cpu: An Example",
        "- commit: abc1234",
        "- versions: nginx 1.22.1, weir 0.1.0",
        "- envoy is not installed and left out; to install it: pip install it",
        "## headers: 1 KiB answer, 32 connections, 12 browser headers",
        "- weir: 1.25 x nginx, at most 1.3: ok",
    ],
)
def test_the_page_says_how_it_was_made_and_what_came_out(run: Any, line: str) -> None:
    assert line in run.as_markdown().splitlines()


def test_the_page_ends_with_one_newline(run: Any) -> None:
    page = run.as_markdown()
    assert page.endswith("\n")
    assert not page.endswith("\n\n")
