"""What all client verbs share: where the admin API is found, tokens, and quiet ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from proxy.cli.get import get
from proxy.cli.history import history
from tests.cli.fake_admin import FakeAdmin, Make

FORBIDDEN = {"aiohttp", "pydantic", "yaml", "rich", "asyncio", "prometheus_client", "uvloop", "multidict"}

COUNTING = (
    "import atexit, sys; before = len(sys.modules); "
    "atexit.register(lambda: print(len(sys.modules) - before, file=sys.stderr)); "
    "from proxy.cli import main; main()"
)
"""weir, which tells at its end on stderr how many modules it has imported."""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A real weir of its own."""
    command = [sys.executable, "-c", "from proxy.cli import main; main()", *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=30, check=False
    )


def test_the_token_comes_from_the_file_else_from_the_environment(
    fake_admin: FakeAdmin, tmp_path: Path
) -> None:
    fake_admin.show()
    file = tmp_path / "token"
    file.write_text("from-file\n")
    base = ["--admin", fake_admin.url]
    CliRunner().invoke(get, base)
    CliRunner().invoke(get, base, env={"WEIR_TOKEN": " from-word\n"})
    CliRunner().invoke(get, base, env={"WEIR_TOKEN": "from-word", "WEIR_TOKEN_FILE": str(file)})
    CliRunner().invoke(get, [*base, "--token-file", str(file)], env={"WEIR_TOKEN": "from-word"})
    sent = [headers.get("Authorization") for _, headers, _ in fake_admin.asked]
    assert sent == [None, "Bearer from-word", "Bearer from-file", "Bearer from-file"]


@pytest.mark.parametrize(
    ("content", "words"), [(None, "No such file"), (b" \n", "is empty"), (b"\xff\xfe", "not text")]
)
def test_a_token_file_without_a_token_is_usage(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    result = CliRunner().invoke(get, ["--token-file", str(file)])
    assert result.exit_code == 2
    assert words in result.output
    assert str(file) in result.output


def test_the_address_comes_from_the_environment_too(fake_admin: FakeAdmin) -> None:
    fake_admin.show()
    assert CliRunner().invoke(get, [], env={"WEIR_ADMIN": fake_admin.url}).exit_code == 0


def test_an_unreachable_api_is_3_and_says_where_it_was_looked_for(dead_url: str) -> None:
    result = CliRunner().invoke(history, ["checkout", "--admin", dead_url])
    assert result.exit_code == 3
    assert result.output.startswith(f"error: the admin API at {dead_url} is unreachable: Connection refused")


def test_a_hint_leads_back_to_where_this_call_went(fake_admin: FakeAdmin, tripped_view: Make) -> None:
    fake_admin.show(tripped_view())
    given = CliRunner().invoke(get, ["--admin", fake_admin.url])
    assert f"weir resume pay --admin {fake_admin.url}\n" in given.output
    exported = CliRunner().invoke(get, [], env={"WEIR_ADMIN": fake_admin.url})
    assert "weir resume pay\n" in exported.output


@pytest.mark.parametrize(
    "verb",
    [
        ["get"],
        ["status"],
        ["history", "s"],
        ["set-weight", "s", "canary=5"],
        ["resume", "s"],
        ["start", "s", "--wait"],
        ["promote", "s"],
        ["pause", "s"],
        ["abort", "s"],
        ["retry", "s"],
        ["undo", "s"],
        ["healthcheck"],
    ],
)
def test_client_verbs_import_no_server_code(dead_url: str, verb: list[str]) -> None:
    code = (
        "import sys, atexit; atexit.register(lambda: print(sorted({m.split('.')[0] for m in sys.modules}))); "
        "from proxy.cli import main; main()"
    )
    command = [sys.executable, "-c", code, *verb, "--admin", dead_url]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == (1 if verb == ["healthcheck"] else 3)
    imported = set(ended.stdout.replace("'", "").strip("[]\n").split(", "))
    assert "click" in imported
    assert not imported & FORBIDDEN


def test_a_whole_get_imports_little_and_asks_once(fake_admin: FakeAdmin, view: Make) -> None:
    """What it takes to start is its imports, of which 100 cost about 50 ms; the rest is one question."""
    fake_admin.show(*(view(f"service-{number}") for number in range(50)))
    ended = subprocess.run(
        [sys.executable, "-c", COUNTING, "get", "--admin", fake_admin.url],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert len(fake_admin.asked) == 1
    assert int(ended.stderr) <= 200


@pytest.mark.parametrize("services", [1, 2_000])  # what fits into Python's own buffer, and what does not
def test_a_reader_that_is_gone_ends_a_verb_quietly(fake_admin: FakeAdmin, view: Make, services: int) -> None:
    fake_admin.show(*(view(f"service-{number}") for number in range(services)))
    # Unbuffered, Python takes the part of a write that got through before the pipe broke for the whole.
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-c", "from proxy.cli import main; main()", "get", "--admin", fake_admin.url]
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        command, stdout=writer, stderr=subprocess.PIPE, env=buffered, timeout=30, check=False
    )
    os.close(writer)
    assert ended.stderr == b""
    assert ended.returncode == 141
