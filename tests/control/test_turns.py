import asyncio

from proxy.control.turns import in_turns


async def turns_between(items, **more):
    """The items, and at which turn of the loop each was given."""
    loop, turns = asyncio.get_running_loop(), 0

    def turn():
        nonlocal turns, waiting
        turns += 1
        waiting = loop.call_soon(turn)

    waiting = loop.call_soon(turn)
    given = [(item, turns) async for item in in_turns(items, **more)]
    waiting.cancel()
    return given


async def test_all_are_given_in_order_and_others_have_the_loop_between_them():
    given = await turns_between(iter("abcdefg"), at_once=3)
    assert [item for item, _ in given] == list("abcdefg")
    assert [turn for _, turn in given] == [0, 1, 1, 1, 2, 2, 2]


async def test_nothing_is_given_of_nothing():
    assert await turns_between(()) == []
