"""Counts with their nouns, and that every message has them from one place."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import proxy
from proxy.counted import are, counted, plural, were

ROOT = Path(proxy.__file__).parent

NOUNS = (
    "addresses|answers|attempts|backends|characters|clients|connections|customers|endpoints|entries|errors|events|"
    "failures|files|lines|names|pauses|problems|requests|rollbacks|runs|services|steps|times|users|workers"
)
COUNT = rf" (?:(?:bad|canary|failed|good|latest|more|overdue|stable) )?(?:{NOUNS})\b"
LOGGED = re.compile(f"%[ds]{COUNT}")
CHOSEN = re.compile(r"""['"]{2} if .+ == 1 else ['"]e?s['"]|== 1 else f?["'][^"']*s["']""")

NO_COUNTS = frozenset(
    {
        "kind",  # a word: no canary answers
        "rate",  # requests a second
        "scenario.rate",
        "self.times_stable",  # a factor
        "self.version",  # a version answers
        "mark.end",  # of a fault inside, for nobody to read
        "MOST_STEPS",  # limits, which are never 1
    }
)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 requests"), (1, "1 request"), (2, "2 requests"), (2_000, "2,000 requests")],
)
def test_a_number_has_its_noun(number: int, text: str) -> None:
    assert counted(number, "request") == text


def test_a_noun_with_another_plural() -> None:
    assert [counted(each, "entry", "entries") for each in (1, 2)] == ["1 entry", "2 entries"]
    assert [plural(each, "address", "addresses") for each in (1, 2)] == ["address", "addresses"]


def test_the_verb_goes_with_the_number() -> None:
    assert [(are(each), were(each)) for each in (0, 1, 2)] == [
        ("are", "were"),
        ("is", "was"),
        ("are", "were"),
    ]


def by_hand(source: str) -> Iterator[str]:
    """Yield what a file makes itself of a number and a noun: `{n} requests`, `%d requests`, a plural."""
    yield from (found[0] for pattern in (CHOSEN, LOGGED) for found in pattern.finditer(source))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr) and not ast.unparse(node).startswith(("f'<", 'f"<')):  # of a repr
            yield from _in_text(node)


def _in_text(text: ast.JoinedStr) -> Iterator[str]:
    for value, behind in pairwise(text.values):
        if isinstance(value, ast.FormattedValue) and isinstance(behind, ast.Constant):
            number, found = ast.unparse(value.value), re.match(COUNT, str(behind.value))
            if found and number not in NO_COUNTS:
                yield f"{{{number}}}{found[0]}"


@pytest.mark.parametrize("path", sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py")))
def test_no_message_makes_its_own_plural(path: str) -> None:
    assert path == "counted.py" or list(by_hand((ROOT / path).read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        """say(f"{n} requests")""",
        """say(f"{len(found):,} bad answers reached it")""",
        """log.warning("%d lines were dropped", n)""",
        """say(f"{n} run{'' if n == 1 else 's'}")""",
        """say("1 worker" if n == 1 else f"{n} workers")""",
    ],
)
def test_such_a_message_is_found(source: str) -> None:
    assert list(by_hand(source))
