"""`weir simulate`: a policy from a file, a scenario, and what comes of both."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import pytest
from click.testing import CliRunner, Result

from proxy.cli import simulate as module
from proxy.cli.run_progress import ERASE, RunProgress
from proxy.cli.simulate import simulate
from proxy.cli.trial import MEANING
from proxy.simulation.scenarios import SCENARIOS

ONE = """services:
  checkout:
    stable: http://127.0.0.1:9001
    canary: http://127.0.0.1:9002
    weight: 5%
"""
TWO = ONE + "  plain:\n    stable: http://127.0.0.1:9003\n    match: {path: /plain}\n"
QUICK = ("--runs", "5", "--good-for", "5s")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("weir.yaml").write_text(ONE)


def run(*words: str) -> Result:
    return CliRunner().invoke(simulate, words)


def told(*words: str) -> dict[str, dict[str, object]]:
    result = run("--json", *words)
    assert result.exit_code == 0, result.output
    found: dict[str, dict[str, object]] = json.loads(result.stdout)
    return found


def test_a_dead_canary_by_the_default_policy() -> None:
    result = run(*QUICK)
    assert result.exit_code == 0
    first, requests, seconds, never, by, good = result.output.splitlines()[:6]
    assert first.startswith(
        "checkout by weir.yaml, scenario dead: 100 requests/s, weight 5 %, stable fails 1 %"
    )
    assert "the canary fails 100 %" in first
    assert first.endswith("seed 1")
    assert requests.startswith("canary requests until rollback: median ")
    assert requests.endswith("(5 runs)")
    assert seconds.startswith("seconds until rollback: median ")
    assert never == "never rolled back within 10 m: 0 of 5 runs"
    assert by == "  by errors (5)"
    assert good.startswith("false rollbacks of a good canary: 0 of 5 runs of 5 s, ")
    assert result.output.endswith(f"\n\n{MEANING}\n")
    assert MEANING.startswith("How to read this")


def test_the_bad_canary_is_told_of_before_the_good_one_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[str] = []
    kinds: list[tuple[str, int]] = []

    class Spy(RunProgress):
        def __init__(self, canary: str, runs: int, stream: TextIO) -> None:
            super().__init__(canary, runs, stream)
            kinds.append((canary, len(printed)))

    monkeypatch.setattr(module, "RunProgress", Spy)
    monkeypatch.setattr(module.click, "echo", printed.append)
    assert run(*QUICK).exit_code == 0
    assert kinds == [("bad", 1), ("good", 5)], "the heading; what came of the bad one"
    assert printed[4] == "  by errors (5)"


def test_a_pipe_gets_the_results_alone() -> None:
    assert run(*QUICK).stderr == ""


@pytest.mark.process
def test_a_terminal_gets_the_progress() -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "proxy.cli", "simulate", *QUICK]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=True, text=True)
    os.close(theirs)
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    assert "bad canary: 5 of 5 runs; 5 rolled back, median " in shown
    assert "good canary: 5 of 5 runs; 0 rolled back" in shown
    assert shown.endswith(ERASE)
    assert "of 5 runs;" not in done.stdout


def test_the_seed_decides() -> None:
    assert run(*QUICK).output == run(*QUICK).output
    assert told(*QUICK) != told(*QUICK, "--seed", "2")


def test_options_change_the_scenario() -> None:
    words = "--rate 50 --weight 20% --latency 20ms --spread 0.3 --stable-errors 2% --canary-errors 60% "
    words += "--slow-down 3 --hang 10% --onset 2s --lasts 1m"
    scenario = told(*QUICK, *words.split())["scenario"]
    assert scenario["stable"] == {"errors": 0.02, "median": 0.02, "spread": 0.3, "hang": 0.0}
    assert scenario["canary"] == {"errors": 0.6, "times": 3.0, "hang": 0.1}
    names = ("rate", "weight", "onset", "lasts")
    assert [scenario[name] for name in names] == [50.0, 0.2, 2.0, 60.0]


def test_what_the_policy_says_counts() -> None:
    Path("weir.yaml").write_text(ONE + "    analysis: off\n    guard: off\n")
    found = told("--runs", "2", "--lasts", "2s", "--good-for", "0s")
    assert found["bad"]["rolled_back"] == 0
    assert found["good"] is None
    assert found["bad"]["requests"] == {"median": None, "p95": None, "max": None}
    text = run("--runs", "2", "--lasts", "2s", "--good-for", "0s").output
    assert "canary requests until rollback: median never, p95 never, largest never" in text
    assert "never rolled back within 2 s: 2 of 2 runs" in text


def test_a_good_scenario_is_watched_for_as_long_as_it_lasts() -> None:
    result = run("--scenario", "good", "--runs", "2", "--lasts", "10s")
    assert "until rollback" not in result.output
    assert "false rollbacks of a good canary: 0 of 2 runs of 10 s" in result.output


def test_a_good_scenario_is_watched_for_as_long_as_asked() -> None:
    words = ("--scenario", "good", "--runs", "2", "--good-for", "5s")
    assert "false rollbacks of a good canary: 0 of 2 runs of 5 s, " in run(*words).output


@pytest.mark.parametrize(
    ("written", "words", "weight", "said"),
    [
        ("20%", (), 0.2, False),
        ("20%", ("--weight", "7%"), 0.07, False),
        ("20", ("--weight", "7"), 0.07, False),
        ("20%", ("--scenario", "ejected"), 0.2, False),
        ("30%", ("--scenario", "ejected"), 0.2, False),
        ("30%", ("--scenario", "mine.yaml"), 0.05, False),
        ("0%", (), 0.05, True),
        ("0%", ("--weight", "7%"), 0.07, False),
    ],
)
def test_the_weight_is_the_files_unless_another_is_named(
    written: str, words: tuple[str, ...], weight: float, said: bool
) -> None:
    Path("weir.yaml").write_text(ONE.replace("5%", written))
    Path("mine.yaml").write_text("weight: 5%\ncanary: {errors: 1}\n")
    found = told(*QUICK, *words)
    assert found["scenario"]["weight"] == weight
    assert ("(weight 0 % in the file, so the scenario's is used)" in str(found["what"])) == said


def test_few_runs_have_no_bound() -> None:
    assert "too few runs for a bound" in run(*QUICK).output
    words = ("--scenario", "good", "--runs", "20", "--good-for", "1s")
    assert "fewer than 13.9 % with 95 % confidence" in run(*words).output


def test_a_sticky_service_has_users() -> None:
    Path("weir.yaml").write_text(ONE + "    sticky: {cookie: weir}\n")
    found = told(*QUICK)
    assert found["scenario"]["crowd"]["users"] == 1000  # type: ignore[index]  # it is no null
    assert found["bad"]["rolled_back"] == 5


def test_the_list() -> None:
    result = run("--list")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()] == list(SCENARIOS)


def test_a_scenario_from_a_file_with_units() -> None:
    Path("mine.yaml").write_text(
        "weight: 50%\nstable: {median: 20ms, errors: 0}\ncanary: {errors: 1}\nlasts: 1m\n"
    )
    scenario = told("--scenario", "mine.yaml", *QUICK)["scenario"]
    assert (scenario["weight"], scenario["lasts"]) == (0.5, 60.0)
    assert scenario["stable"]["median"] == 0.02  # type: ignore[index]  # it is a mapping


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raet: 5\n", "mine.yaml: error: `raet` is not a key of a scenario"),
        ("weight: 200%\n", "mine.yaml: error: `200%` is more than 100 %"),
        ("- 5\n", "mine.yaml: error: a scenario is a mapping"),
        ("a: [\n", "mine.yaml: error: while parsing"),
    ],
)
def test_a_file_that_is_no_scenario(text: str, said: str) -> None:
    Path("mine.yaml").write_text(text)
    result = run("--scenario", "mine.yaml", *QUICK)
    assert result.exit_code == 2
    assert result.stderr.startswith(said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--scenario", "nope"), "`nope` is neither a scenario nor a file; scenarios are good, day"),
        (("--service", "nope"), "weir.yaml has no service `nope`; there are checkout"),
        (("--policy", "other.yaml"), "other.yaml: error: no such file or directory"),
        (("--weight", "0.5"), "`0.5` is a number without its unit, not a percent; write `0.5%`"),
        (("--hang", "5"), "`5` is a number without its unit, not a percent; write `5%`"),
        (
            ("--latency", "0s"),
            "Invalid value for '--latency': `0s` is too short; write a duration from `0.1ms`",
        ),
        (
            ("--lasts", "0s"),
            "Invalid value for '--lasts': `0s` is too short; write a duration from `10ms` to",
        ),
        (("--onset", "1000000h"), "`1000000h` is too long; write a duration from `0s` to `2000h`"),
        (("--scenario", "good", "--good-for", "0s"), "--good-for: 0 s is too short; write a time"),
    ],
)
def test_what_is_wrong_is_said(words: tuple[str, ...], said: str) -> None:
    result = run(*QUICK, *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_several_services() -> None:
    Path("weir.yaml").write_text(TWO)
    assert "weir.yaml has 2 services; choose one with --service: checkout, plain" in run(*QUICK).stderr
    assert run("--service", "checkout", *QUICK).exit_code == 0
    result = run("--service", "plain", *QUICK)
    assert (result.exit_code, "service `plain` in weir.yaml has no canary" in result.stderr) == (2, True)
