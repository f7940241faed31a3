"""The tasks of control, which live and end with it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)

Task = asyncio.Task[None]


class Tasks:
    """All tasks that run. `broken` is called when one of them fails.

    Without it nobody judges, keeps counts or moves rollouts: a new process is better than half of this one.
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
