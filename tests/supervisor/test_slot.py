"""A slot and the pauses of its restarts, with children made of futures."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from proxy.supervisor.slot import HEALTHY, LONGEST_PAUSE, RestartBackoff, Slot


class FakeChild:
    """Starts and ends when a test says so; killing it ends it."""

    def __init__(self, pid: int) -> None:
        loop = asyncio.get_running_loop()
        self.pid = pid
        self.started: asyncio.Future[str | None] = loop.create_future()
        self.ended: asyncio.Future[int] = loop.create_future()
        self.sent: list[str] = []

    def send(self, word: str) -> None:
        self.sent.append(word)

    def kill(self) -> None:
        if not self.started.done():
            self.started.set_result("it was killed by SIGKILL before it was ready")
        if not self.ended.done():
            self.ended.set_result(-9)

    def reap(self) -> None:
        self.send("reaped")


class Place:
    """A slot and the children that it has started so far."""

    def __init__(self, fails: int = 0, deadline: float = 10) -> None:
        self.children: list[FakeChild] = []
        self.fails = fails
        self.slot = Slot("worker 0", self._spawn, deadline)  # type: ignore[arg-type]  # a child in all but name

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

    async def ready(self) -> FakeChild:
        child = await self.child(0)
        child.started.set_result(None)
        assert await self.slot.first_start is None
        return child


async def test_from_the_start_to_closing() -> None:
    place = Place()
    assert repr(place.slot) == "<Slot worker 0 between>"
    child = await place.child(0)
    assert repr(place.slot) == "<Slot worker 0 starting>"
    child.started.set_result(None)
    assert await place.slot.first_start is None
    assert repr(place.slot) == "<Slot worker 0 ready>"
    place.slot.close("drain")
    assert repr(place.slot) == "<Slot worker 0 ready closing>"
    child.ended.set_result(0)
    await place.slot.wait_closed(5)
    assert place.slot.closed
    assert (child.sent, len(place.children)) == (["drain"], 1)


async def test_the_first_death_is_answered_at_once_and_named(caplog: pytest.LogCaptureFixture) -> None:
    place = Place()
    first = await place.ready()
    with caplog.at_level(logging.WARNING, "weir"):
        first.ended.set_result(-9)
        second = await place.child(1)
        second.started.set_result(None)
        await place.until(lambda: "again" in caplog.text)
    assert caplog.messages == [
        "worker 0 (pid 100) was killed by SIGKILL; starting another",
        "worker 0 (pid 101) is ready again",
    ]
    place.slot.kill()
    await place.slot.wait_closed(5)


async def test_orders_wait_for_a_child_that_is_ready() -> None:
    place = Place()
    first = await place.ready()
    place.slot.send_to_each("drain")
    first.ended.set_result(1)
    second = await place.child(1)
    assert (first.sent, second.sent) == (["drain"], [])
    second.started.set_result(None)
    await place.until(lambda: second.sent == ["drain"])
    place.slot.kill()
    await place.slot.wait_closed(5)


async def test_a_word_for_one_child_waits_until_it_is_ready_and_is_sent_once() -> None:
    place = Place()
    first = await place.child(0)
    place.slot.send_once("reload")
    assert first.sent == []
    first.started.set_result(None)
    await place.until(lambda: first.sent == ["reload"])
    place.slot.send_once("reload")
    assert first.sent == ["reload", "reload"]
    first.ended.set_result(1)
    second = await place.child(1)
    second.started.set_result(None)
    await place.until(lambda: "ready" in repr(place.slot))
    assert second.sent == []
    place.slot.kill()
    await place.slot.wait_closed(5)


async def test_the_first_start_fails() -> None:
    place = Place()
    child = await place.child(0)
    child.started.set_result("no luck")
    child.ended.set_result(1)
    assert await place.slot.first_start == "worker 0 (pid 100) failed to start: no luck"
    await place.slot.wait_closed(5)
    assert place.slot.closed
    assert len(place.children) == 1


async def test_a_process_that_can_not_be_made_at_first() -> None:
    place = Place(fails=1)
    assert await place.slot.first_start == "worker 0 can't be started: Resource temporarily unavailable"
    await place.slot.wait_closed(5)
    assert place.slot.closed


async def test_a_process_that_can_not_be_made_later_is_tried_again() -> None:
    place = Place()
    first = await place.ready()
    place.fails = 2
    first.ended.set_result(1)
    second = await place.child(1)
    place.slot.kill()
    await place.slot.wait_closed(5)
    assert second.ended.result() == -9


async def test_not_ready_in_time() -> None:
    place = Place(deadline=0.01)
    assert (
        await place.slot.first_start == "worker 0 (pid 100) failed to start: it was not ready within 0.01 s"
    )
    assert place.children[0].ended.result() == -9


async def test_closing_while_it_starts_kills_it() -> None:
    place = Place()
    child = await place.child(0)
    place.slot.close("drain")
    await place.slot.wait_closed(5)
    assert child.ended.result() == -9
    assert await place.slot.first_start


async def test_closing_between_two_children() -> None:
    place = Place(fails=0)
    first = await place.ready()
    place.fails = 1000
    first.ended.set_result(1)
    await place.until(lambda: place.fails < 998)
    place.slot.close("drain")
    await place.slot.wait_closed(5)
    assert place.slot.closed
    place.slot.kill()


async def test_reaping_is_passed_on() -> None:
    place = Place()
    place.slot.reap()
    child = await place.ready()
    place.slot.reap()
    assert child.sent == ["reaped"]
    place.slot.kill()
    await place.slot.wait_closed(5)


def pauses(ready: list[float]) -> list[float]:
    backoff = RestartBackoff()
    return [backoff.pause(seconds) for seconds in ready]


@pytest.mark.parametrize(
    ("ready", "expected"),
    [
        pytest.param([3.0], [0.0], id="the first time at once"),
        pytest.param([0, 0, 0, 0, 0, 0, 0, 0], [0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0], id="then doubling"),
        pytest.param([0, 0, 0, HEALTHY, 0], [0, 0.05, 0.1, 0, 0.05], id="forgotten after good work"),
        pytest.param([0, 0, HEALTHY - 0.1], [0, 0.05, 0.1], id="not good enough"),
    ],
)
def test_pauses(ready: list[float], expected: list[float]) -> None:
    assert pauses(ready) == pytest.approx(expected)


def test_never_longer_than_the_longest() -> None:
    assert max(pauses([0] * 100)) == LONGEST_PAUSE


def test_shows_its_state() -> None:
    backoff = RestartBackoff()
    backoff.pause(0)
    assert repr(backoff) == "<RestartBackoff next after 0.05 s>"
