"""A slot for one child: it starts the child, and the next one when that has ended."""

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

from proxy.supervisor.child import Child, cause

log = logging.getLogger("weir")

_EXIT_SECONDS = 2.0
"""Seconds in which a child that has reported `failed` must have exited."""
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
"""Seconds between two starts, at least and at most, when children end soon after their start."""
HEALTHY = 10.0
"""Seconds that a child must have been ready for the next restart to be immediate again."""


class RestartBackoff:
    """The pauses before restarts: none the first time, then doubled each time up to `LONGEST_PAUSE`."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = 0.0

    def __repr__(self) -> str:
        return f"<RestartBackoff next after {self._next:g} s>"

    def pause(self, ready: float) -> float:
        """Return the seconds to the next start, after a child that was ready for `ready` seconds."""
        if ready >= HEALTHY:
            self._next = 0.0
        pause, self._next = self._next, min(LONGEST_PAUSE, self._next * 2 or FIRST_PAUSE)
        return pause


class Slot:
    """The place of one child: control, or worker number i.

    The first start must succeed: `first_start` becomes None, or the reason why it failed, and then no other
    follows. After a later failure the start is tried again without limit, because the other children still
    work.
    """

    def __init__(self, name: str, spawn: Callable[[], Child], deadline: float) -> None:
        """Start the first child.

        Args:
            name: the child's name in messages.
            spawn: starts a child; it may raise OSError.
            deadline: seconds in which a child must be ready.
        """
        self.name = name
        self._spawn = spawn
        self._deadline = deadline
        self._backoff = RestartBackoff()
        self._phase: Literal["starting", "ready", "between", "closed"] = "between"
        self._child: Child | None = None
        self._standing_order = self._pending = ""
        self._closing = False
        loop = asyncio.get_running_loop()
        self.first_start: asyncio.Future[str | None] = loop.create_future()
        self._task = loop.create_task(self._keep_filled())
        self._task.add_done_callback(self._closed)

    def __repr__(self) -> str:
        return f"<Slot {self.name} {self._phase}{' closing' if self._closing else ''}>"

    @property
    def closed(self) -> bool:
        """Whether there is no child, and none will follow."""
        return self._phase == "closed"

    def send_to_each(self, word: str) -> None:
        """Send a word to the child and to each that follows it, as soon as it is ready."""
        self._standing_order = word
        if self._child and self._phase == "ready":
            self._child.send(word)

    def send_once(self, word: str) -> None:
        """Send a word to one child: the present one if it is ready, else the next that is."""
        self._pending = word
        if self._child and self._phase == "ready":
            self._send_pending(self._child)

    def _send_pending(self, child: Child) -> None:
        if self._pending:
            child.send(self._pending)
        self._pending = ""

    def close(self, word: str) -> None:
        """Send a word to the child and start no other.

        A child that is not ready yet is killed: it has no work.
        """
        self._closing = True
        if self._phase == "between":
            self._task.cancel()
        elif self._child and self._phase == "starting":
            self._child.kill()
        self.send_to_each(word)

    def kill(self) -> None:
        """Send SIGKILL to the child and start no other."""
        self.close("stop")
        if self._child:
            self._child.kill()

    def reap(self) -> None:
        """Collect the child's exit code, if it has ended. To be called on SIGCHLD."""
        if self._child:
            self._child.reap()

    async def wait_closed(self, seconds: float) -> None:
        """Wait until the slot is closed, at most `seconds`."""
        await asyncio.wait([self._task], timeout=seconds)

    def _closed(self, task: asyncio.Task[None]) -> None:
        self._phase = "closed"
        if not self.first_start.done():
            self.first_start.set_result("it was stopped")
        if not task.cancelled():
            task.result()  # raises if the task has failed by a bug

    async def _keep_filled(self) -> None:
        while not self._closing:
            ready, what = await self._run_child()
            self._phase, self._child = "between", None
            if self._closing:
                return
            pause = self._backoff.pause(ready)
            log.warning("%s; starting another%s", what, f" in {pause:g} s" if pause else "")
            await asyncio.sleep(pause)

    async def _run_child(self) -> tuple[float, str]:
        """Run one child from its start to its end; return the seconds it was ready for, and how it ended."""
        self._phase = "starting"
        try:
            self._child = child = self._spawn()
        except OSError as error:
            return 0.0, self._failed(f"{self.name} can't be started: {error}")
        reason = await self._await_start(child)
        if reason is not None:
            await _end(child)
            return 0.0, self._failed(f"{self.name} (pid {child.pid}) failed to start: {reason}")
        since = self._became_ready(child)
        code = await child.ended
        ready = asyncio.get_running_loop().time() - since
        return ready, f"{self.name} (pid {child.pid}) {cause(code)}"

    async def _await_start(self, child: Child) -> str | None:
        done, _ = await asyncio.wait([child.started], timeout=self._deadline)
        return child.started.result() if done else f"it was not ready within {self._deadline:g} s"

    def _became_ready(self, child: Child) -> float:
        self._phase = "ready"
        if not self.first_start.done():
            self.first_start.set_result(None)
        else:
            log.warning("%s (pid %d) is ready again", self.name, child.pid)
        if self._standing_order:
            child.send(self._standing_order)
        self._send_pending(child)
        return asyncio.get_running_loop().time()

    def _failed(self, what: str) -> str:
        if not self.first_start.done():
            self._closing = True
            self.first_start.set_result(what)
        return what


async def _end(child: Child) -> None:
    """Wait for the exit of a child that has failed to start, then kill it."""
    await asyncio.wait([child.ended], timeout=_EXIT_SECONDS if child.started.done() else 0)
    child.kill()
    await child.ended
