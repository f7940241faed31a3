"""Clients and their requests never take more file descriptors than there are."""

import resource
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.worker.capacity import OWN, kept, limit, room


@pytest.mark.parametrize(
    ("descriptors", "listeners", "waiting", "connections"),
    [
        (1024, 1, 0, (1024 - 64 - 2) // 2),
        (1024, 2, 0, (1024 - 64 - 4) // 2),
        (1024, 1, 128, (1024 - 64 - 2 - 128) // 2),
        (1024, 1, 479, 239),
        (1024, 1, 10_000, 239),
        (1_048_576, 1, 6400, 521_055),
        (4096, 1, 192, 1919),
        (70, 1, 0, 2),
        (64, 1, 0, 1),
        (0, 9, 9, 1),
    ],
)
def test_room(descriptors: int, listeners: int, waiting: int, connections: int) -> None:
    assert room(descriptors, listeners, waiting) == connections


@given(st.integers(0, 1 << 20), st.integers(1, 8), st.integers(0, 1 << 20))
def test_what_waits_leaves_clients_half_and_nobody_takes_more_than_there_is(
    descriptors: int, listeners: int, waiting: int
) -> None:
    connections = room(descriptors, listeners, waiting)
    left = max(0, descriptors - OWN - 2 * listeners)
    kept = min(waiting, left // 2)
    assert connections == 1 or 2 * connections + kept <= left < 2 * (connections + 1) + kept
    assert 4 * (connections + 1) >= left


@pytest.mark.process
def test_the_limit_is_the_one_in_force() -> None:
    program = (
        "import resource; from proxy.worker.capacity import limit\n"
        "_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard)); print(limit())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "100\n"


def test_no_limit_is_a_large_number(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda which: endless)
    assert limit() == 1 << 20


@pytest.mark.parametrize(
    ("descriptors", "endpoints", "most", "each"),
    [(4096, 2, 64, 64), (4096, 200, 64, 10), (4096, 0, 64, 64), (100, 50, 64, 0), (10, 1, 64, 0)],
)
def test_what_is_kept_for_each_endpoint(descriptors: int, endpoints: int, most: int, each: int) -> None:
    assert kept(descriptors, 1, endpoints, most) == each
