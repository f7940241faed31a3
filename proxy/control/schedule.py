"""The schedule of control's work: its clock, the tasks that end with it, and turns of the event loop."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from proxy.ledger.journal import Rest, a_second

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Task = asyncio.Task[None]

AT_ONCE = 10
"""Items between two turns: of services, 1 to 2 ms."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Unix seconds for entries, steady ones for holds, monotonic ones for windows; the pause of ticks."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    pause: Rest = a_second
    """Waits between two ticks, two checkpoints, and two attempts at a ledger that fails."""
    offset: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "offset", self.wall() - self.monotonic())

    def steady(self) -> float:
        """Return unix seconds that pass as they should, though somebody sets the machine's clock meanwhile.

        Holds and deadlines are counted by them: one that is set back a day must not hold a step for a day.
        """
        return self.offset + self.monotonic()


class Tasks:
    """All tasks that run. `broken` is called when one of them fails.

    Without that task nothing is judged, kept or moved on: a new process is better than half of this one.
    """

    def __init__(self, broken: Callable[[], None] = lambda: None) -> None:
        self._broken = broken
        self._running: set[Task] = set()

    def __repr__(self) -> str:
        return f"<Tasks {', '.join(sorted(task.get_name() for task in self._running)) or 'none'}>"

    @property
    def running(self) -> frozenset[Task]:
        """The tasks that have not ended."""
        return frozenset(self._running)

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> Task:
        """Start a task that ends with control, and whose failure is a fault."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def cancel(self) -> None:
        """Cancel all of them and wait for their end."""
        tasks = self.running
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: Task) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("control is broken and ends: its task %s failed", task.get_name(), exc_info=error)
            self._broken()


async def in_turns(items: Iterable[Item], at_once: int = AT_ONCE) -> AsyncIterator[Item]:
    """Yield the items one by one, and give up the loop behind the first and every `at_once` more.

    So no verdict waits for long work.
    """
    for number, item in enumerate(items):
        yield item
        if number % at_once == 0:
            await asyncio.sleep(0)
