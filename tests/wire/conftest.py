"""The programs that the cases run against: each is started once, and is clean at the beginning of every case."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_TESTS = Path(__file__).resolve().parents[1]
# The kit of these tests, and the rig of the load tests: one way to run the real proxy, not two.
sys.path[:0] = [str(_TESTS), str(_TESTS.parent / "loadtests")]

pytest.register_assert_rewrite("wire")

from wire.program import Wire, running

PLAIN = """
services:
  shop: {stable: "http://127.0.0.1:{port}"}
  nobody: {match: {path: /nobody}, stable: "http://127.0.0.1:1"}
"""


@pytest.fixture(scope="session")
def plain_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with running(tmp_path_factory.mktemp("plain"), PLAIN) as wire:
        yield wire


@pytest.fixture
def wire(plain_program: Wire) -> Iterator[Wire]:
    """The proxy with its defaults."""
    yield plain_program
    plain_program.fresh()
