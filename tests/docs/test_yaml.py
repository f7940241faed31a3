"""Every YAML example passes `weir lint`.

An example with `services` is a whole file. One without is a fragment and is completed: by a `services` with
one service where it has a key of the top, and otherwise it stands in a service that has what every service
needs, and a canary.
"""

import os
import re
import subprocess
import sys

import pytest
import yaml

from proxy.config.schema import Config
from tests.docs.pages import PAGES, runnable

EXAMPLES = [block for page in PAGES for block in runnable(page, "yaml")]
SERVICE = {"stable": "http://127.0.0.1:9001", "canary": "http://127.0.0.1:9002"}


def completed(text):
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


def test_there_are_examples():
    assert len(EXAMPLES) > 20


@pytest.mark.process
@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples_pass_lint(example, tmp_path):
    file = tmp_path / "weir.yaml"
    file.write_text(completed(example.text))
    variables = dict.fromkeys(
        re.findall(r"\$\{(\w+)\}", example.text), "https://example.com/0123456789abcdef"
    )
    command = [sys.executable, "-m", "proxy.cli", "lint", str(file)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **variables}, check=False
    )
    assert done.returncode == 0, f"{example}:\n{done.stderr}"
    assert "warning" not in done.stderr, f"{example}:\n{done.stderr}"


def test_a_wrong_example_would_be_found(tmp_path):
    file = tmp_path / "weir.yaml"
    file.write_text(completed("wieght: 5%"))
    command = [sys.executable, "-m", "proxy.cli", "lint", str(file)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2
