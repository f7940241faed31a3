"""The suite is complete: every point has its cases, and each is named as the issue asks."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.wire.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[2]
POINTS = {f"p{number:02}" for number in range(1, 24)}
LEAST = 250

NAME = re.compile(r"p\d\d(-(rfc\d+-[\d.]+|w3c))?(-[a-z0-9.]+)+")
"""Its point, the RFC and the section where there is one, and what it is."""


@pytest.fixture(scope="module")
def names() -> list[str]:
    """The id of every case; a comparison with other proxies (d01) is none."""
    listing = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests/wire"]
    lines = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    found = [
        line.partition("[")[2].removesuffix("]")
        for line in lines
        if "::" in line and "test_contents" not in line and "test_endings" not in line  # named by its table
    ]
    return [name for name in found if not re.match(r"d\d\d-", name)]


def test_every_case_is_named_by_its_point(names: list[str]) -> None:
    assert [name for name in names if NAME.fullmatch(name) is None] == []


def test_every_point_has_its_cases(names: list[str]) -> None:
    count = Counter(name[:3] for name in set(names))
    assert set(count) == POINTS
    assert sum(count.values()) >= LEAST


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.rule)
def test_every_mutation_can_be_made_and_has_its_cases(mutation: Mutation, names: list[str]) -> None:
    assert (ROOT / "proxy" / mutation.file).read_text().count(mutation.old) == 1
    assert mutation.cases
    assert set(mutation.cases) <= set(names)
