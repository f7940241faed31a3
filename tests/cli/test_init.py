"""`weir init`: the file that it writes is fine, and so is all that it shows in comments."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proxy.cli.init import TEMPLATE, init
from proxy.config.reader import read
from proxy.config.schema import Analysis, Health, Limits, Timeouts


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*words: str) -> Result:
    return CliRunner().invoke(init, words)


def test_writes_a_file_that_is_fine() -> None:
    result = run()
    assert (result.exit_code, result.output) == (0, "wrote weir.yaml; edit its addresses, then: weir run\n")
    config = read(Path("weir.yaml").read_text(), "weir.yaml", {})
    assert config.services["checkout"].weight == 500


def test_what_its_comments_show_is_fine_too() -> None:
    shown = re.sub(r"^( *)# (?=[a-z_]+:|  )", r"\1", TEMPLATE.partition("\n\n")[2], flags=re.MULTILINE)
    shown = re.sub(r"^    weight: .*\n", "", shown, flags=re.MULTILINE)  # which the rollout stands instead of
    config = read(shown, "weir.yaml", {"WEIR_TOKEN": "a" * 32, "WEIR_NOTIFY": "https://chat.example/x"})
    service = config.services["checkout"]
    assert service.rollout
    assert [step.weight for step in service.rollout.steps] == [100, 1000, 5000, 10_000]
    assert service.health == Health(path="/healthz")
    assert [hook.at for hook in service.hooks] == ["before-promotion"]
    assert [(told.url, told.format) for told in service.notify] == [("https://chat.example/x", "slack")]
    assert config.admin.token == "a" * 32
    assert [segment.name for segment in service.segments] == ["staff"]
    assert service.analysis == Analysis()
    assert service.caps.harmed == 50
    assert [check.metric for check in service.checks] == ["error-rate", "latency-p99"]
    assert config.timeouts == Timeouts()
    assert config.limits == Limits()
    assert config.trusted_proxies == ("10.0.0.0/8",)


def test_a_path_of_ones_own() -> None:
    assert run("shop.yaml").output.endswith("then: weir run shop.yaml\n")
    assert Path("shop.yaml").read_text() == TEMPLATE


def test_never_overwrites_unless_forced() -> None:
    Path("weir.yaml").write_text("mine")
    result = run()
    assert result.exit_code == 2
    assert result.stderr == "weir.yaml exists already; overwrite it with --force\n"
    assert Path("weir.yaml").read_text() == "mine"
    assert run("--force").exit_code == 0
    assert Path("weir.yaml").read_text() == TEMPLATE


def test_a_place_that_is_not_there() -> None:
    result = run("nowhere/weir.yaml")
    assert result.exit_code == 2
    assert result.stderr == "nowhere/weir.yaml can't be written: no such file or directory\n"
