import asyncio
import time

from proxy.control.clock import Clock


async def test_it_is_the_time_of_this_machine_unless_a_test_has_its_own(monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    clock, before = Clock(), (time.time(), time.monotonic())
    await clock.pause()
    assert before <= (clock.wall(), clock.monotonic())
    assert slept == [1.0]
