"""`weir run` until it becomes the supervisor: what it refuses, and the plan that it writes."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proxy.cli import main
from proxy.cli.run import private_directory, processors
from proxy.config.reader import read, single
from proxy.control.config_file import ConfigFiles
from proxy.ledger.ledger import Ledger
from proxy.ledger.record import Record
from proxy.rollout.advance import advance
from proxy.rollout.rollout import Advance, Rollout
from proxy.settings.service import release
from proxy.supervisor.commands import environment
from proxy.supervisor.plan import LaunchPlan

GOOD = """\
listen: 127.0.0.1:8081
workers: 3
shutdown: {delay: 2s, grace: 4s}
log: {level: warning}
services:
  checkout:
    stable: http://127.0.0.1:9001
"""


class Launched(BaseException):
    """Stands for the end of this program at its execve."""


class Launch:
    """What would be run."""

    plan: LaunchPlan | None = None
    argv: list[str]
    environ: dict[str, str]
    text: str
    mode: int

    def __call__(self, program: str, argv: list[str], environ: dict[str, str]) -> None:
        self.argv, self.environ = [program, *argv], environ
        self.plan = LaunchPlan.from_json(Path(argv[-1]).read_text())
        self.text = Path(self.plan.config).read_text()
        self.mode = stat.S_IMODE(Path(self.plan.directory).stat().st_mode)
        raise Launched


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


@pytest.fixture
def launch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Launch]:
    launch = Launch()
    monkeypatch.setattr(os, "execve", launch)
    yield launch
    if launch.plan is None:
        assert not list(Path("tmp").iterdir()), "a refused start leaves nothing behind"


def planned(launch: Launch, *words: str) -> LaunchPlan:
    with pytest.raises(Launched):
        CliRunner().invoke(main, ["run", *words], standalone_mode=False, catch_exceptions=False)
    assert launch.plan
    return launch.plan


def refused(*words: str) -> Result:
    result = CliRunner().invoke(main, ["run", *words])
    assert result.exit_code == 2
    assert result.stdout == ""
    return result


def test_the_plan_says_what_the_file_says(launch: Launch, tmp_path: Path) -> None:
    Path("weir.yaml").write_text(GOOD)
    plan = planned(launch)
    assert plan == LaunchPlan(
        listen=(("127.0.0.1", 8081),),
        admin=("127.0.0.1", 9900),
        workers=3,
        directory=plan.directory,
        config=f"{plan.directory}/config.yaml",
        source="weir.yaml",
        state=str(tmp_path / "weir.db"),
        delay=2.0,
        grace=4.0,
        log_level="warning",
        file=str(tmp_path / "weir.yaml"),
        tls=((),),
        balancers=((),),
    )
    assert launch.text == GOOD
    assert launch.mode == 0o700


def test_it_becomes_the_supervisor_of_this_very_package(launch: Launch) -> None:
    Path("weir.yaml").write_text(GOOD)
    plan = planned(launch)
    python = sys.executable
    assert launch.argv == [python, python, "-P", "-m", "proxy.supervisor", f"{plan.directory}/plan.json"]
    assert launch.environ.items() >= environment(os.environ).items()


@pytest.mark.parametrize(
    "words", [("conf/shop.yaml",), ("--config", "conf/shop.yaml"), ("-c", "conf/shop.yaml")]
)
def test_a_file_by_name_has_its_ledger_beside_it(
    launch: Launch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    Path("conf").mkdir()
    Path("conf/shop.yaml").write_text(GOOD)
    plan = planned(launch, *words)
    assert (plan.source, plan.state) == ("conf/shop.yaml", str(tmp_path / "conf" / "weir.db"))


@pytest.mark.parametrize(
    ("written", "words", "expected"),
    [
        ("state.db", (), "conf/state.db"),
        ("/var/lib/weir.db", (), "/var/lib/weir.db"),
        ("state.db", ("--state", "mine.db"), "mine.db"),
        ("state.db", ("--state", "/srv/mine.db"), "/srv/mine.db"),
    ],
)
def test_where_the_ledger_is(
    launch: Launch, tmp_path: Path, written: str, words: tuple[str, ...], expected: str
) -> None:
    Path("conf").mkdir()
    Path("conf/shop.yaml").write_text(f"state: {written}\n{GOOD}")
    assert planned(launch, "conf/shop.yaml", *words).state == str(tmp_path / expected)


def test_the_command_line_wins_over_the_file(launch: Launch) -> None:
    Path("weir.yaml").write_text(GOOD)
    words = ("--listen", ":80", "--listen", "[::1]:81", "--admin", "localhost:9999", "--workers", "7")
    plan = planned(launch, *words)
    assert (plan.listen, plan.tls) == ((("", 80), ("::1", 81)), ((), ()))
    assert (plan.admin, plan.workers) == (("localhost", 9999), 7)


TLS = """\
listen:
  - unix:/run/weir.sock
  - {address: ":8443", tls: [{cert: shop.pem, key: /etc/shop.key}, {cert: b.pem, key: b.key}]}
services:
  checkout: {stable: https://127.0.0.1:9001}
"""


def test_certificates_are_named_by_whole_paths(launch: Launch, tmp_path: Path) -> None:
    Path("conf").mkdir()
    Path("conf/weir.yaml").write_text(TLS)
    plan = planned(launch, "conf/weir.yaml")
    conf = tmp_path / "conf"
    assert plan.listen == ("/run/weir.sock", ("", 8443))
    assert plan.tls == (
        (),
        ((f"{conf}/shop.pem", "/etc/shop.key"), (f"{conf}/b.pem", f"{conf}/b.key")),
    )


def test_what_the_command_line_listens_on_is_without_tls(launch: Launch) -> None:
    Path("weir.yaml").write_text(TLS)
    plan = planned(launch, "--listen", "unix:/run/mine.sock")
    assert (plan.listen, plan.tls) == (("/run/mine.sock",), ((),))


@pytest.mark.parametrize("words", [(), ("--workers", "auto")])
def test_as_many_workers_as_processors(launch: Launch, words: tuple[str, ...]) -> None:
    Path("weir.yaml").write_text(GOOD.replace("workers: 3", "workers: auto" if not words else "workers: 3"))
    assert planned(launch, *words).workers == processors() > 0


@pytest.mark.parametrize(
    ("words", "weight"),
    [
        (("--canary", "http://127.0.0.1:9002", "--weight", "12.5%"), 1250),
        (("--canary", "http://127.0.0.1:9002"), 500),
        ((), 0),
    ],
)
def test_without_a_file(launch: Launch, tmp_path: Path, words: tuple[str, ...], weight: int) -> None:
    Path("weir.yaml").write_text("this file is not read")
    plan = planned(launch, "--stable", "http://127.0.0.1:9001", *words)
    config = read(launch.text, plan.source, {})
    (service,) = config.services.values()
    assert service.stable.endpoints == ("http://127.0.0.1:9001",)
    assert (service.canary is not None, service.weight) == (bool(words), weight)
    assert (plan.listen, plan.state) == ((("", 8080),), str(tmp_path / "weir.db"))


SPLIT = ("--stable", "http://127.0.0.1:9001", "--canary", "http://127.0.0.1:9002")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(Launched):
        main(["run", *SPLIT, *words], standalone_mode=False)
    return capsys.readouterr().err


def of_an_earlier_run(path: Path, weight: str) -> None:
    """Write a ledger in which the service of a run without a file has this weight."""
    service = read(single(SPLIT[1], SPLIT[3], weight), "command line", {}).services["default"]
    begun = advance(Rollout(), release(service, "salt"), 100.0)
    assert isinstance(begun, Advance)
    assert begun.entry
    ledger = Ledger(path)
    ledger.append(Record("default", 100.0, "weir", "", begun.entry, begun.rollout))
    ledger.close()


def test_without_a_file_the_ledger_of_an_earlier_run_is_named(
    launch: Launch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, "--weight", "20%") == "", "there was none"
    of_an_earlier_run(tmp_path / "weir.db", "50%")
    going_on = (
        f"weir: going on with the ledger of an earlier run, {tmp_path}/weir.db; --state names another\n"
    )
    assert told(capsys) == going_on, "no weight was named"
    assert told(capsys, "--weight", "20%") == (
        f"{going_on}weir: the canary goes from 50 % to 20 %, as --weight has it\n"
    )
    assert told(capsys, "--weight", "20") == going_on, "it is so already"
    assert told(capsys, "--weight", "20%", "--state", "mine.db") == ""


def test_what_is_refused_changes_no_ledger(launch: Launch, tmp_path: Path) -> None:
    of_an_earlier_run(tmp_path / "weir.db", "50%")
    assert "without a token" in refused(*SPLIT, "--weight", "20%", "--admin", ":9900").stderr
    ledger = Ledger(tmp_path / "weir.db")
    assert ledger.states()["default"].weight == 5000
    ledger.close()


def test_problems_are_told_in_the_words_of_lint(launch: Launch) -> None:
    Path("weir.yaml").write_text(GOOD + "    stepz: [5, 25]\n    weight: 500%\n")
    by_run = refused()
    by_lint = CliRunner().invoke(main, ["lint"])
    assert by_run.stderr == by_lint.stderr
    assert by_run.stderr.count(": error: ") >= 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "weir.yaml: error: no such file or directory; `weir init` writes one"),
        (("a.yaml", "-c", "b.yaml"), "given twice"),
        (("--canary", "http://127.0.0.1:1"), "--canary and --weight need --stable"),
        (("a.yaml", "--stable", "http://127.0.0.1:1"), "remove either --stable or a.yaml"),
        (("--stable", "ftp://x"), "command line:3:13: error: `ftp://`"),
        (("--stable", "http://x", "--listen", "unix:run/x"), "does not name a socket by its whole path"),
        (
            ("--stable", "http://x", "--listen", "unix:/x", "--listen", "unix:/x"),
            "`unix:/x` takes the same path as `unix:/x`",
        ),
        (("--stable", "http://x", "--weight", "5%"), "command line:4:"),
        (("--stable", "http://x", "--listen", "8080"), "`8080` is a port without an address"),
        (("--stable", "http://x", "--workers", "0"), "Invalid value for '--workers'"),
        (("--stable", "http://x", "--workers", "many"), "Invalid value for '--workers'"),
        (("--stable", "http://x", "--admin", ":9900"), "without a token"),
        (("--stable", "http://x", "--listen", "127.0.0.1:9900"), "takes the same port as `127.0.0.1:9900`"),
        (("--stable", "http://x", "--listen", ":80", "--listen", "[::1]:80"), "takes the same port as"),
    ],
)
def test_refusals(launch: Launch, words: tuple[str, ...], expected: str) -> None:
    assert expected in " ".join(refused(*words).stderr.split())


def test_an_admin_listener_for_others_is_fine_with_a_token(launch: Launch) -> None:
    Path("weir.yaml").write_text(f"admin: {{token: {'t' * 32}}}\n{GOOD}")
    assert planned(launch, "--admin", ":9900").admin == ("", 9900)


def test_the_private_directory_is_never_too_deep_for_a_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 90)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    found = Path(private_directory())
    assert found.parent == Path("/tmp")
    assert list(deep.iterdir()) == []
    found.rmdir()


def test_the_token_of_a_file_is_kept_where_control_looks(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    (tmp_path / "weir.yaml").write_text(f"admin: {{token_file: secret}}\n{GOOD}")
    with pytest.raises(Launched):
        main(["run"], standalone_mode=False)
    assert launch.plan
    (tmp_path / "secret").unlink()
    kept = Path(launch.plan.directory) / "token"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert ConfigFiles(launch.plan.source, Path(launch.plan.config)).in_force().admin.token == "s3cret"
