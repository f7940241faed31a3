"""One place kept filled, with children made of futures."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from proxy.supervisor.keeper import Keeper


class FakeChild:
    """Starts and ends when a test says so; killing it ends it."""

    def __init__(self, pid: int) -> None:
        loop = asyncio.get_running_loop()
        self.pid = pid
        self.started: asyncio.Future[str | None] = loop.create_future()
        self.ended: asyncio.Future[int] = loop.create_future()
        self.told: list[str] = []

    def tell(self, word: str) -> None:
        self.told.append(word)

    def kill(self) -> None:
        if not self.ended.done():
            self.ended.set_result(-9)

    def reap(self) -> None:
        self.tell("reaped")


class Place:
    """A keeper and the children that it has started so far."""

    def __init__(self, fails: int = 0, deadline: float = 10) -> None:
        self.children: list[FakeChild] = []
        self.fails = fails
        self.keeper = Keeper("worker 0", self._spawn, deadline)  # type: ignore[arg-type]  # a child in all but name

    def _spawn(self) -> FakeChild:
        if self.fails:
            self.fails -= 1
            raise OSError("Resource temporarily unavailable")
        self.children.append(FakeChild(100 + len(self.children)))
        return self.children[-1]

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not true():  # noqa: ASYNC110  # what it waits for is a state that has no event
                await asyncio.sleep(0.001)

    async def child(self, number: int) -> FakeChild:
        await self.until(lambda: len(self.children) > number)
        return self.children[number]

    async def up(self) -> FakeChild:
        child = await self.child(0)
        child.started.set_result(None)
        assert await self.keeper.first is None
        return child


async def test_from_the_start_to_letting_go() -> None:
    place = Place()
    assert repr(place.keeper) == "<Keeper worker 0 between>"
    child = await place.child(0)
    assert repr(place.keeper) == "<Keeper worker 0 starting>"
    child.started.set_result(None)
    assert await place.keeper.first is None
    assert repr(place.keeper) == "<Keeper worker 0 up>"
    place.keeper.let_go("drain")
    assert repr(place.keeper) == "<Keeper worker 0 up leaving>"
    child.ended.set_result(0)
    await place.keeper.wait(5)
    assert place.keeper.gone
    assert (child.told, len(place.children)) == (["drain"], 1)


async def test_the_first_death_is_answered_at_once_and_named(caplog: pytest.LogCaptureFixture) -> None:
    place = Place()
    first = await place.up()
    with caplog.at_level(logging.WARNING, "weir"):
        first.ended.set_result(-9)
        second = await place.child(1)
        second.started.set_result(None)
        await place.until(lambda: "again" in caplog.text)
    assert caplog.messages == [
        "worker 0 (pid 100) was killed by SIGKILL; starting another",
        "worker 0 (pid 101) is ready again",
    ]
    place.keeper.kill()
    await place.keeper.wait(5)


async def test_orders_wait_for_a_child_that_is_ready() -> None:
    place = Place()
    first = await place.up()
    place.keeper.order("drain")
    first.ended.set_result(1)
    second = await place.child(1)
    assert (first.told, second.told) == (["drain"], [])
    second.started.set_result(None)
    await place.until(lambda: second.told == ["drain"])
    place.keeper.kill()
    await place.keeper.wait(5)


async def test_a_mention_waits_for_a_child_that_is_ready_and_is_made_once() -> None:
    place = Place()
    first = await place.child(0)
    place.keeper.mention("reload")
    assert first.told == []
    first.started.set_result(None)
    await place.until(lambda: first.told == ["reload"])
    place.keeper.mention("reload")
    assert first.told == ["reload", "reload"]
    first.ended.set_result(1)
    second = await place.child(1)
    second.started.set_result(None)
    await place.until(lambda: "up" in repr(place.keeper))
    assert second.told == []
    place.keeper.kill()
    await place.keeper.wait(5)


async def test_the_first_start_fails() -> None:
    place = Place()
    child = await place.child(0)
    child.started.set_result("no luck")
    child.ended.set_result(1)
    assert await place.keeper.first == "worker 0 (pid 100) failed to start: no luck"
    await place.keeper.wait(5)
    assert place.keeper.gone
    assert len(place.children) == 1


async def test_a_process_that_can_not_be_made_at_first() -> None:
    place = Place(fails=1)
    assert await place.keeper.first == "worker 0 can't be started: Resource temporarily unavailable"
    await place.keeper.wait(5)
    assert place.keeper.gone


async def test_a_process_that_can_not_be_made_later_is_tried_again() -> None:
    place = Place()
    first = await place.up()
    place.fails = 2
    first.ended.set_result(1)
    second = await place.child(1)
    place.keeper.kill()
    await place.keeper.wait(5)
    assert second.ended.result() == -9


async def test_not_ready_in_time() -> None:
    place = Place(deadline=0.01)
    assert await place.keeper.first == "worker 0 (pid 100) failed to start: it was not ready within 0.01 s"
    assert place.children[0].ended.result() == -9


async def test_letting_go_while_it_starts_kills_it() -> None:
    place = Place()
    child = await place.child(0)
    place.keeper.let_go("drain")
    await place.keeper.wait(5)
    assert child.ended.result() == -9
    assert await place.keeper.first


async def test_letting_go_between_two_children() -> None:
    place = Place(fails=0)
    first = await place.up()
    place.fails = 1000
    first.ended.set_result(1)
    await place.until(lambda: place.fails < 998)
    place.keeper.let_go("drain")
    await place.keeper.wait(5)
    assert place.keeper.gone
    place.keeper.kill()


async def test_reaping_is_passed_on() -> None:
    place = Place()
    place.keeper.reap()
    child = await place.up()
    place.keeper.reap()
    assert child.told == ["reaped"]
    place.keeper.kill()
    await place.keeper.wait(5)
