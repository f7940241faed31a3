"""`weir lint`: what is wrong, on stderr, and exit code 2."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proxy.cli.lint import lint

GOOD = "services:\n  checkout:\n    stable: http://127.0.0.1:9001\n"
BAD = GOOD + "    stepz: [5, 25]\n    weight: 500%\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*words: str) -> Result:
    return CliRunner().invoke(lint, words)


def test_a_good_file() -> None:
    Path("weir.yaml").write_text(GOOD)
    result = run()
    assert (result.exit_code, result.output) == (0, "weir.yaml is fine: 1 service\n")


def test_a_bad_file_has_all_its_problems_named() -> None:
    Path("other.yaml").write_text(BAD)
    result = run("other.yaml")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "other.yaml:4:5: error: `stepz` is not a key" in result.stderr
    assert "other.yaml:5:13: error: `500%` is more than 100 %" in result.stderr


JUDGED = GOOD + "    canary: http://127.0.0.1:9002\n    weight: {weight}\n    analysis: off\n    guard: off\n"
PINNED = '    segments: [{name: staff, to: canary, match: {header: {X-Staff: "yes"}}}]\n'


@pytest.mark.parametrize(
    ("weight", "more"), [("5%", ""), ("0%", PINNED), ("0%", "    force: {header: X-Canary}\n")]
)
def test_a_canary_that_nothing_judges_is_a_warning(weight: str, more: str) -> None:
    Path("weir.yaml").write_text(JUDGED.format(weight=weight) + more)
    result = run()
    assert (result.exit_code, result.stdout) == (0, "weir.yaml is fine: 1 service\n")
    assert result.stderr == (
        "weir.yaml: warning: nothing judges the canary of `checkout`, so it is never rolled back; "
        "write `analysis: auto` or `guard: on`, or add `checks` or `caps`\n"
    )


@pytest.mark.parametrize(
    ("weight", "more"),
    [
        ("0%", ""),
        ("5%", "    caps: {harmed: 9}\n"),
        ("5%", "    checks: [{metric: error-rate, max: 5%}]\n"),
    ],
)
def test_a_canary_without_requests_or_with_a_judge_is_none(weight: str, more: str) -> None:
    Path("weir.yaml").write_text(JUDGED.format(weight=weight) + more)
    assert run().stderr == ""


def test_every_file_named_is_checked() -> None:
    Path("good.yaml").write_text(GOOD)
    Path("bad.yaml").write_text(BAD)
    result = run("bad.yaml", "good.yaml")
    assert result.exit_code == 2
    assert result.stdout == "good.yaml is fine: 1 service\n"


def test_no_file() -> None:
    result = run()
    assert result.exit_code == 2
    assert result.stderr == (
        "weir.yaml: error: no such file or directory; `weir init` writes one, "
        "and `weir run --stable URL --canary URL --weight 5%` needs none\n"
    )


def test_a_directory() -> None:
    result = run(".")
    assert result.exit_code == 2
    assert result.stderr == ".: error: is a directory\n"


def test_what_is_no_text() -> None:
    Path("weir.yaml").write_bytes(b"services: \xff\n")
    result = run()
    assert result.exit_code == 2
    assert "weir.yaml:1:11: error: the byte 0xff is not UTF-8" in result.stderr


def test_every_file_is_looked_at_whatever_the_first_is() -> None:
    Path("good.yaml").write_text(GOOD)
    Path("bad.yaml").write_text(BAD)
    result = run("none.yaml", ".", "bad.yaml", "good.yaml")
    assert (result.exit_code, result.stdout) == (2, "good.yaml is fine: 1 service\n")
    for said in ("none.yaml: error: no such file", ".: error: is a directory", "bad.yaml:5:13: error"):
        assert said in result.stderr


def test_an_endpoint_on_both_sides_is_a_warning() -> None:
    sides = GOOD + "    canary: [http://127.0.0.1:9002, http://127.0.0.1:9001]\n    weight: 5%\n"
    Path("weir.yaml").write_text(sides)
    result = run()
    assert (result.exit_code, result.stdout) == (0, "weir.yaml is fine: 1 service\n")
    assert result.stderr == (
        "weir.yaml: warning: `http://127.0.0.1:9001` is stable and canary of `checkout`, so both "
        "run the same version; give the canary an address of its own\n"
    )


@pytest.mark.parametrize(
    ("to", "match", "warned"),
    [
        ("stable", "{path: {prefix: /admin}}", True),
        ("stable", '{path: {exact: /pay}, header: {X-A: "1"}}', True),
        ("canary", "{path: {prefix: /admin}}", False),
        ("stable", '{header: {X-A: "1"}}', False),
    ],
)
def test_a_segment_that_keeps_a_path_off_the_canary_is_a_warning(to: str, match: str, warned: bool) -> None:
    segments = f"    segments: [{{name: safe, to: {to}, match: {match}}}]\n"
    Path("weir.yaml").write_text(GOOD + "    canary: http://127.0.0.1:9002\n    weight: 5%\n" + segments)
    result = run()
    assert (result.exit_code, result.stdout) == (0, "weir.yaml is fine: 1 service\n")
    assert (
        "the segment `safe` of `checkout` keeps requests off the canary by their path" in result.stderr
    ) is warned
