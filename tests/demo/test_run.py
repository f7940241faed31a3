"""The run as a whole: what is said at its end, and its exit code."""

import io
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proxy.demo import run
from proxy.demo.admin_api import AdminApi
from proxy.demo.deployment import Deployment
from proxy.demo.processes import ProcessEnded
from proxy.demo.screen import PlainScreen
from proxy.demo.story import Story


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    before = {signum: signal.getsignal(signum) for signum in run.SIGNALS}
    yield
    for signum, handler in before.items():
        signal.signal(signum, handler)


def deployment(admin: str = "http://127.0.0.1:9900") -> Deployment:
    samples = {"v1": "http://127.0.0.1:1"}
    return Deployment("http://127.0.0.1:9", AdminApi(admin), samples, Path("weir.yaml"), ())


@contextmanager
def bare_deployment(hold: float) -> Iterator[Deployment]:
    yield deployment()


@pytest.mark.parametrize(
    ("problems", "code", "said"),
    [
        ([], 0, "v2 was promoted and is stable now, v3 was rolled back.\nTo take it back: weir undo shop"),
        (["v2 failed 3 requests"], 1, "The demo did not go as expected:\n  v2 failed 3 requests"),
    ],
)
def test_the_exit_code_follows_the_story(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    problems: list[str],
    code: int,
    said: str,
) -> None:
    async def played(self: Story) -> list[str]:
        return problems

    monkeypatch.setattr(run, "deploy", bare_deployment)
    monkeypatch.setattr(Story, "play", played)
    assert run.run(quick=True) == code
    assert said in capsys.readouterr().out


def test_what_keeps_it_from_playing_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def broken(hold: float) -> Iterator[Deployment]:
        raise ProcessEnded("the proxy ended with exit code 1:\nno room")
        yield

    monkeypatch.setattr(run, "deploy", broken)
    assert run.run(quick=True) == 1
    assert "weir demo: the proxy ended with exit code 1:\nno room" in capsys.readouterr().err


@pytest.mark.parametrize("signum", run.SIGNALS)
@pytest.mark.parametrize("over", [False, True])
def test_a_signal_ends_it_with_its_code(
    monkeypatch: pytest.MonkeyPatch, signum: signal.Signals, over: bool
) -> None:
    async def interrupted(self: run.DemoRun, *_: object) -> None:
        self.over, self.code = over, 0
        signal.raise_signal(signum)
        raise AssertionError("the signal came first")

    monkeypatch.setattr(run, "deploy", bare_deployment)
    monkeypatch.setattr(run.DemoRun, "play", interrupted)
    assert run.run(quick=True) == (0 if over else 128 + signum)


@pytest.mark.parametrize(
    ("admin", "command"),
    [
        ("http://127.0.0.1:9900", "  try       weir explain search     (in another terminal)"),
        ("http://127.0.0.1:9901", "            WEIR_ADMIN=http://127.0.0.1:9901 weir get shop"),
    ],
)
def test_it_points_out_commands_that_work_as_they_are(admin: str, command: str) -> None:
    out = io.StringIO()
    run.print_addresses(deployment(admin), PlainScreen(out))
    assert command in out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("called", "found", "command"),
    [
        ("/venv/bin/weir", "/venv/bin/weir", "weir"),
        ("/venv/bin/weir", None, "/venv/bin/weir"),
        ("/venv/proxy/cli/__main__.py", None, "weir"),
    ],
)
def test_weir_is_called_by_its_path_where_no_shell_finds_it(
    monkeypatch: pytest.MonkeyPatch, called: str, found: str, command: str
) -> None:
    monkeypatch.setattr("sys.argv", [called])
    monkeypatch.setattr("shutil.which", {"weir": found}.get)
    assert run.command() == command
