"""How cases are written: as rows, each named by its point, its RFC section, and what it is."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Any])


def cases(names: str, *rows: tuple[Any, ...]) -> Callable[[Test], Test]:
    """Runs a test once for each row; the first value of a row is its id, the others go by `names`."""
    return pytest.mark.parametrize(names, [pytest.param(*row[1:], id=row[0]) for row in rows])


def case(name: str) -> Callable[[Test], Test]:
    """A test that is one case."""
    return pytest.mark.parametrize((), [pytest.param(id=name)])
