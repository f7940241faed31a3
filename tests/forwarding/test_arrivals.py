"""Clients come in, each by itself: who stalls or fails holds up nobody and leaves nothing."""

import asyncio
import select
import socket

from proxy.forwarding import arrivals as module
from tests.kits.door import Door, end_of, until, with_a_door


@with_a_door()
async def test_those_who_stall_hold_up_nobody(door: Door) -> None:
    stalled = [door.stalled() for _ in range(50)]
    await door.under_way(50)
    for number in range(1, 4):
        _, writer = await door.client()
        await until(lambda number=number: len(door.met) == number)
        writer.transport.abort()
    await door.under_way(50)
    for one in stalled:
        one.close()
    await door.under_way(0)


@with_a_door()
async def test_the_oldest_makes_room_when_there_are_too_many(door: Door) -> None:
    door.room = module.FEWEST + 1
    stalled = [door.stalled() for _ in range(door.room)]
    await door.under_way(door.room)
    _, writer = await door.client()
    await end_of(stalled[0])
    await until(lambda: door.met)
    await door.under_way(module.FEWEST)
    writer.transport.abort()
    for one in stalled[1:]:
        one.close()


@with_a_door()
async def test_a_burst_makes_no_more_room_than_there_is(door: Door) -> None:
    door.room = module.FEWEST
    stalled = [door.stalled() for _ in range(2 * module.FEWEST - 4)]
    await asyncio.gather(*(end_of(one) for one in stalled[: -module.FEWEST]))
    await door.under_way(module.FEWEST)
    assert len(door.failed) == len(stalled) - module.FEWEST
    for one in stalled:
        one.close()


@with_a_door()
async def test_some_accept_some_even_when_there_is_no_room_to_be_told_so(door: Door) -> None:
    door.room = 0
    stalled = [door.stalled() for _ in range(module.FEWEST)]
    await door.under_way(module.FEWEST)
    for one in stalled:
        one.close()


@with_a_door()
async def test_closing_takes_in_who_queues_and_nobody_after_that(door: Door) -> None:
    asyncio.get_running_loop().remove_reader(door.socket)
    _, writer = await hurried(door)
    await until(lambda: door.met)
    writer.transport.abort()
    late = door.stalled()
    for _ in range(5):
        await asyncio.sleep(0)
    assert repr(door.arrivals) == "<Arrivals 0 under way>"
    late.close()


async def hurried(door: Door) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that is in the queue when the door closes."""
    queued = in_the_queue(door)
    door.arrivals.close()
    return await asyncio.open_connection(sock=queued, ssl=door.trusting, server_hostname="localhost")


@with_a_door()
async def test_who_is_on_the_way_in_at_the_end_is_awaited_then_cut(door: Door) -> None:
    stalled = door.stalled()
    await door.under_way(1)
    await door.arrivals.wait_closed(0.05)
    await end_of(stalled)


@with_a_door()
async def test_who_is_cut_before_the_first_step_leaves_nothing(door: Door) -> None:
    client = in_the_queue(door)
    door.arrivals.close()  # accepts it at once
    begun = asyncio.all_tasks() - {asyncio.current_task()}
    assert len(begun) == 1
    begun.pop().cancel()
    await end_of(client)


@with_a_door()
async def test_without_a_file_descriptor_it_pauses_and_goes_on(door: Door) -> None:
    pause, module.RETRY_SECONDS = module.RETRY_SECONDS, 0.5
    door.socket.exhausted = True
    try:
        coming = asyncio.ensure_future(door.client())
        await until(lambda: door.socket.refused)
        for _ in range(5):
            await asyncio.sleep(0)
        assert door.socket.refused == 1, "it doesn't try again at once"
        door.socket.exhausted = False
        _, writer = await coming
        await until(lambda: door.met)
    finally:
        module.RETRY_SECONDS = pause
    writer.transport.abort()


def in_the_queue(door: Door) -> socket.socket:
    """A client that has connected and waits to be accepted, in this very turn of the event loop."""
    client = door.stalled()
    assert select.select([door.socket], [], [], 10)[0]
    return client
