"""Long work in many turns of the loop, so that no verdict waits for it."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

Item = TypeVar("Item")

AT_ONCE = 10
"""Items that are given before others have the loop: of services, 1 to 2 ms."""


async def in_turns(items: Iterable[Item], at_once: int = AT_ONCE) -> AsyncIterator[Item]:
    """Give these one by one, and let others have the loop behind the first and every so many more."""
    for number, item in enumerate(items):
        yield item
        if number % at_once == 0:
            await asyncio.sleep(0)
