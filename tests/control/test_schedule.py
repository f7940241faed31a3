import asyncio
import time
from collections.abc import Iterator

import pytest

from proxy.control.schedule import Clock, Tasks, in_turns


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


async def test_tasks_run_until_they_are_cancelled() -> None:
    tasks = Tasks()
    task = tasks.spawn("tick", forever())
    tasks.spawn("probe", forever())
    assert repr(tasks) == "<Tasks probe, tick>"
    await tasks.cancel()
    assert task.cancelled()
    assert (tasks.running, repr(tasks)) == (frozenset(), "<Tasks none>")


async def test_a_task_that_ends_is_forgotten_and_breaks_nothing() -> None:
    broken = []
    tasks = Tasks(lambda: broken.append(True))

    async def nothing() -> None:
        pass

    await tasks.spawn("ask for shop", nothing())
    await asyncio.sleep(0)
    assert (tasks.running, broken) == (frozenset(), [])


async def test_a_task_that_fails_breaks_control_and_is_named(caplog: pytest.LogCaptureFixture) -> None:
    broken = asyncio.Event()
    tasks = Tasks(broken.set)

    async def fail() -> None:
        raise RuntimeError("a surprise")

    tasks.spawn("tick", fail())
    await broken.wait()
    assert "control is broken and ends: its task tick failed" in caplog.text
    assert "a surprise" in caplog.text


async def turns_between(items: Iterator[str] | tuple[()], **more: int) -> list[tuple[str, int]]:
    """The items, and at which turn of the loop each was given."""
    loop, turns = asyncio.get_running_loop(), 0

    def turn() -> None:
        nonlocal turns, waiting
        turns += 1
        waiting = loop.call_soon(turn)

    waiting = loop.call_soon(turn)
    given = [(item, turns) async for item in in_turns(items, **more)]
    waiting.cancel()
    return given


async def test_all_are_given_in_order_and_others_have_the_loop_between_them() -> None:
    given = await turns_between(iter("abcdefg"), at_once=3)
    assert [item for item, _ in given] == list("abcdefg")
    assert [turn for _, turn in given] == [0, 1, 1, 1, 2, 2, 2]


async def test_nothing_is_given_of_nothing() -> None:
    assert await turns_between(()) == []


async def test_the_clock_is_the_time_of_this_machine_unless_a_test_has_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    clock, before = Clock(), (time.time(), time.monotonic())
    await clock.pause()
    assert before <= (clock.wall(), clock.monotonic())
    assert slept == [1.0]


def test_steady_seconds_pass_as_they_should_though_the_clock_is_set() -> None:
    now, wall = 5.0, 1_000.0
    clock = Clock(lambda: wall, lambda: now)
    assert clock.steady() == 1_000.0
    now, wall = 7.0, 400.0
    assert clock.steady() == 1_002.0
