"""`weir demo`: what it is called with, and its exit code."""

import pytest
from click.testing import CliRunner

from proxy.cli.demo import demo


@pytest.mark.parametrize(("words", "quick"), [((), False), (("--ci",), True)])
@pytest.mark.parametrize("code", [0, 1])
def test_its_exit_code_is_that_of_the_story(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], quick: bool, code: int
) -> None:
    called = []

    def run(*, quick: bool) -> int:
        called.append(quick)
        return code

    monkeypatch.setattr("proxy.demo.run.run", run)
    assert CliRunner().invoke(demo, words).exit_code == code
    assert called == [quick]
