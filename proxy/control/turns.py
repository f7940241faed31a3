"""Long work cut into turns of the event loop, so that no verdict waits for it."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

Item = TypeVar("Item")

AT_ONCE = 10
"""Items between two turns: of services, 1 to 2 ms."""


async def in_turns(items: Iterable[Item], at_once: int = AT_ONCE) -> AsyncIterator[Item]:
    """Yield the items one by one; others have the loop behind the first and every `at_once` more."""
    for number, item in enumerate(items):
        yield item
        if number % at_once == 0:
            await asyncio.sleep(0)
