import asyncio

from proxy.control.roll_call import RollCall


async def test_it_waits_for_all_that_are_expected() -> None:
    roll = RollCall(2)
    roll.begin(patience=60)
    waiting = asyncio.create_task(roll.called())
    roll.reported("b1")
    roll.reported("b1")
    await asyncio.sleep(0)
    assert not waiting.done()
    assert repr(roll) == "<RollCall waiting: 1 of 2>"
    roll.reported("b2")
    await waiting
    assert repr(roll) == "<RollCall complete: 2 of 2>"


async def test_patience_ends() -> None:
    roll = RollCall(2)
    roll.begin(patience=0)
    await roll.called()
