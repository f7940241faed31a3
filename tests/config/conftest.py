"""One way to ask what is wrong with a text."""

from collections.abc import Callable

import pytest

from proxy.config.problems import Problem, Problems
from proxy.config.reader import read

Wrong = Callable[..., tuple[Problem, ...]]


@pytest.fixture
def wrong() -> Wrong:
    """The problems of a text, none when it reads well; keywords are environment variables."""

    def ask(text: str, **environ: str) -> tuple[Problem, ...]:
        try:
            read(text, "weir.yaml", environ)
        except Problems as problems:
            return problems.found
        return ()

    return ask


@pytest.fixture
def of_service(wrong: Wrong) -> Wrong:
    """The problems of a service whose keys the text holds, one on a line."""

    def ask(keys: str, **environ: str) -> tuple[Problem, ...]:
        lines = "".join(f"    {line}\n" for line in keys.splitlines())
        return wrong(f"services:\n  checkout:\n{lines}", **environ)

    return ask
