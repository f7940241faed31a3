"""Each load test at least begins: what it imports is there, and it has a usage to show."""

import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "loadtests"
NEEDS_AN_EXTRA = {"locustfile"}
COMMANDS = sorted({path.stem for path in FOLDER.glob("*.py")} - NEEDS_AN_EXTRA)


@pytest.mark.parametrize("name", COMMANDS)
def test_it_can_be_imported_and_shows_how_it_is_run(name: str) -> None:
    module = importlib.import_module(name)
    assert f"python loadtests/{name}.py" in (module.__doc__ or "")
