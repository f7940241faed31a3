"""The table of verbs: complete, lazy, and helpful about a slip."""

import importlib
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner, Result

from proxy import __version__
from proxy.cli import VERBS, main
from proxy.supervisor.commands import environment

HEAVY = {"aiohttp", "pydantic", "rich", "uvloop", "yaml", "asyncio", "prometheus_client"}


def weir(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="weir")


def imported(*words: str) -> set[str]:
    """Top-level names of what is imported when `weir WORDS --help` has run, in a process of its own."""
    program = (
        "import sys\nfrom proxy.cli import main\n"
        f"try: main({[*words, '--help']!r}, prog_name='weir')\n"
        "finally: print('\\n' + ' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    argv = [sys.executable, "-c", program]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment({}))
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_is_where_the_table_says_and_explains_itself(verb: str) -> None:
    module, _, name = VERBS[verb].where.partition(":")
    command = getattr(importlib.import_module(module), name)
    assert isinstance(command, click.Command)
    assert command.name == verb
    result = weir(verb, "--help")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: weir {verb}")


def test_the_overview_names_every_verb() -> None:
    output = weir("--help").output
    for verb, (_, line) in VERBS.items():
        assert verb in output
        assert " ".join(line.split()[:3]) in output


@pytest.mark.process
def test_the_overview_imports_no_verb() -> None:
    assert not imported() & HEAVY


@pytest.mark.process
@pytest.mark.parametrize(
    "verb",
    [
        *("get", "status", "set-weight", "resume", "history", "healthcheck", "version"),
        *("start", "promote", "pause", "abort", "retry", "undo", "explain"),
    ],
)
def test_client_verbs_import_no_server(verb: str) -> None:
    assert not imported(verb) & HEAVY


def test_a_slip_is_answered_with_what_was_meant() -> None:
    result = weir("stats")
    assert result.exit_code == 2
    assert "there is no verb `stats`. Did you mean `status`?" in result.output


def test_a_word_like_no_verb() -> None:
    result = weir("xyzzy")
    assert result.exit_code == 2
    assert "there is no verb `xyzzy`.\n" in result.output


@pytest.mark.parametrize("words", [("version",), ("--version",)])
def test_version(words: tuple[str, ...]) -> None:
    result = weir(*words)
    assert result.exit_code == 0
    assert __version__ in result.output


def test_completion_knows_the_verbs_without_loading_them() -> None:
    assert main.list_commands(click.Context(main)) == list(VERBS)


def test_a_table_that_points_to_no_command_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = VERBS["version"]._replace(where="proxy.cli.version:platform")
    monkeypatch.setitem(VERBS, "version", wrong)  # type: ignore[arg-type]  # a Mapping to everybody else
    with pytest.raises(TypeError, match=r"proxy\.cli\.version:platform is no click command"):
        CliRunner().invoke(main, ["version"], catch_exceptions=False)
