"""What is asked for on the command line, and who is left out."""

from contextlib import ExitStack, nullcontext
from pathlib import Path

import peers
import pytest
from peers import options, write
from rig.cases import CASES
from rig.contenders import CONTENDERS, Running
from rig.machine import Cores
from rig.report import Run
from rig.table import Round
from rig.wrk import Load


def test_all_of_it_by_default() -> None:
    given = options([])
    assert given.cases == list(CASES)
    assert given.peers == list(CONTENDERS)
    assert given.json is None
    assert given.results is None


def test_names_with_commas_between_them() -> None:
    given = options(["--cases", "headers,large", "--peers", "nginx,weir", "--json", "out.json"])
    assert (given.cases, given.peers, given.json) == (
        ["headers", "large"],
        ["nginx", "weir"],
        Path("out.json"),
    )


def test_an_unknown_name_is_said_with_those_known(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options(["--peers", "nginx,iis"])
    assert "no such name: iis; there are nginx, " in capsys.readouterr().err


def test_peers_that_are_missing_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "missing", lambda name, _: f"no {name}" if name == "caddy" else "")
    assert peers.lacking(["nginx", "caddy", "weir"]) == {"caddy": "no caddy"}


def test_without_nginx_and_wrk_nothing_can_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "found", lambda program: "")
    monkeypatch.setattr(peers.sys, "platform", "linux")
    assert peers.needs() == "needs nginx and wrk: apt-get install -y --no-install-recommends nginx wrk"
    monkeypatch.setattr(peers.sys, "platform", "darwin")
    assert peers.needs() == "measures on Linux only, and this is darwin"


def test_what_was_asked_for_is_written(tmp_path: Path) -> None:
    run = Run("python", "2026-01-31", {}, {}, {}, {})
    write(run, tmp_path / "a.json", None)
    write(run, None, tmp_path / "a.md")
    assert (tmp_path / "a.json").read_text().startswith("{")
    assert (tmp_path / "a.md").read_text().startswith("# What a proxied request costs")


def test_a_round_divides_the_cpu_of_the_tree_by_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = iter([10.0, 11.5, 11.5, 12.0])
    answered = iter([50_000, 0])
    asked: list[object] = []

    def load(*arguments: object, **named: object) -> Load:
        asked.extend([*arguments, *named.values()])
        return Load(requests=next(answered), seconds=2.0, failures=3, p99=1.25)

    monkeypatch.setattr(peers, "cpu_seconds", lambda pids: next(clocks) if pids == [5, 6] else None)
    monkeypatch.setattr(peers, "pinned", lambda cores: nullcontext(asked.append(cores)))
    monkeypatch.setattr(peers, "load", load)
    case, cores = CASES["post"], Cores((0,), (1, 2), (3, 4))
    got = peers.measure(Running(81, lambda: [5, 6]), case, cores, 2)
    assert got == Round(micros=30.0, rate=25_000.0, p99=1.25, failures=3)
    assert asked == [(3, 4), case.shape, 81, 2, 2]
    assert peers.measure(Running(81, lambda: [5, 6]), case, cores, 2) is None


def test_rounds_are_interleaved_and_one_without_an_answer_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    order: list[object] = []

    def measure(name: object, case: object, cores: object, seconds: int) -> Round | None:
        order.append(name)
        return None if len(order) == 4 else Round(float(len(order)), 1.0, 1.0, 0)

    monkeypatch.setattr(peers, "pinned", lambda cores: nullcontext())
    monkeypatch.setattr(peers, "origin", lambda directory, processes: nullcontext("127.0.0.1:1"))
    monkeypatch.setattr(peers, "begin", lambda name, *rest: name)
    monkeypatch.setattr(peers, "measure", measure)
    cores = Cores((0,), (1,), (1,))
    got = peers.measure_case(CASES["small"], ["nginx", "weir"], cores, rounds=3, seconds=2)
    assert order == ["nginx", "weir"] * 4
    assert {name: [each.micros for each in some] for name, some in got.items()} == {
        "nginx": [3.0, 5.0, 7.0],
        "weir": [6.0, 8.0],
    }
    assert "weir answered nothing for 2 s: that round is left out" in capsys.readouterr().out


def test_one_that_answers_something_else_is_not_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(peers, "pinned", lambda cores: nullcontext())
    monkeypatch.setattr(peers, "start", lambda contender, place: Running(81, list))
    monkeypatch.setattr(peers, "answer", lambda port, shape: (200, 1000))
    with ExitStack() as stack, pytest.raises(peers.Unlike, match="1000 bytes; the origin: 200 with 1048576"):
        peers.begin("nginx", CASES["large"], "127.0.0.1:1", Cores((0,), (1,), (1,)), stack)
