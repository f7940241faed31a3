"""Processes die under load, and requests go on."""

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from rig.origins import SampleOrigin
from rig.processes import kill, parents
from rig.traffic import Traffic
from rig.weir import Weir, until

SAMPLE = re.compile(r"^(weir_\w+_(?:total|count|sum|bucket)\{[^}]*\}) (\S+)$", re.MULTILINE)


def counters(metrics: str) -> dict[str, float]:
    """Every sample that must never fall."""
    return {name: float(value) for name, value in SAMPLE.findall(metrics)}


def requests(running: Weir) -> int:
    """All requests that its metrics know of."""
    found = counters(running.admin.metrics())
    return int(sum(value for name, value in found.items() if name.startswith("weir_requests_total")))


async def test_control_dies_and_no_request_notices(
    start: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    running = start(origins, weight=20)
    async with Traffic(running.port) as traffic:
        await until(lambda: requests(running) > 0, "metrics")
        before, old = counters(running.admin.metrics()), running.control()
        kill(old)
        await traffic.more(20)
        await until(lambda: old not in running.controls() and running.admin.ready(), "a new control")
        after = counters(running.admin.metrics())
        await traffic.more(20)
    assert traffic.failed == []
    assert [name for name, value in before.items() if after.get(name, -1) < value] == []
    assert running.admin.service("shop")["weights"]["canary"] == 20
    answered = len(traffic.answers)
    await until(lambda: requests(running) >= answered, f"{answered} requests are counted")
    assert requests(running) == answered


async def test_a_worker_dies_and_requests_go_on(
    start: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    running = start(origins, weight=20)
    async with Traffic(running.port) as traffic:
        before, old = counters(running.admin.metrics()), running.workers()
        kill(old[0])

        def replaced() -> bool:
            return old[0] not in (now := running.workers()) and len(now) == len(old)

        await until(replaced, "a new worker")
        replacement = time.monotonic()
        await traffic.more(50)
        after = counters(running.admin.metrics())
    # What its connections carried at that moment is lost: nothing else, and nothing once it was replaced. The
    # time of sending tells that: the news of a reset may lie in the socket for a while.
    assert len(traffic.failed) <= 10
    assert [answer for answer in traffic.failed if answer.sent >= replacement] == []
    assert [name for name, value in before.items() if after.get(name, -1) < value] == []


async def test_no_orphans_when_the_supervisor_is_killed(
    start: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    running = start(origins)
    tree = running.tree()
    assert len(tree) >= 4, "supervisor, control, two workers"
    kill(running.pid)
    await until(lambda: running.process.poll() is not None, "the supervisor is gone")
    await until(lambda: not set(tree) & set(parents()), "its children are gone")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills the children of a process that is gone")
async def test_a_stuck_worker_is_no_orphan_either(
    start: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    running = start(origins)
    tree = running.tree()
    for pid in set(tree) - {running.pid}:
        os.kill(pid, signal.SIGSTOP)
    kill(running.pid)
    await until(lambda: running.process.poll() is not None, "the supervisor is gone")
    await until(lambda: not set(tree) & set(parents()), "its children are gone")
