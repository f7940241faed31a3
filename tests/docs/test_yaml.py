"""Every YAML example passes `weir lint`.

An example with `services` is a whole file. One without is a fragment and is completed: by a `services` with
one service where it has a key of the top, and otherwise it stands in a service that has what every service
needs, and a canary.
"""

import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from proxy.cli.lint import lint
from proxy.config.schema import Config
from tests.docs.pages import PAGES, Block, runnable

EXAMPLES = [block for page in PAGES for block in runnable(page, "yaml")]
SERVICE = {"stable": "http://127.0.0.1:9001", "canary": "http://127.0.0.1:9002"}


def completed(text: str) -> str:
    """The text as a whole file."""
    found = yaml.load(text, yaml.BaseLoader)
    if "services" in found:
        return text
    of_top = set(found) & set(Config.known()) - {"services"}
    whole = (
        {**found, "services": {"checkout": SERVICE}}
        if of_top
        else {"services": {"checkout": {**SERVICE, **found}}}
    )
    return yaml.safe_dump(whole)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 20


def linted(text: str, tmp_path: Path) -> Result:
    """What `weir lint` says of a text, in an environment that has every variable it names."""
    file = tmp_path / "weir.yaml"
    file.write_text(text)
    variables = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "https://example.com/0123456789abcdef")
    return CliRunner().invoke(lint, [str(file)], env=variables)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples_pass_lint(example: Block, tmp_path: Path) -> None:
    result = linted(completed(example.text), tmp_path)
    assert result.exit_code == 0, f"{example}:\n{result.output}"
    assert "warning" not in result.output, f"{example}:\n{result.output}"


def test_a_wrong_example_would_be_found(tmp_path: Path) -> None:
    result = linted(completed("wieght: 5%"), tmp_path)
    assert result.exit_code == 2
    assert "did you mean `weight`?" in result.output
