"""Keeps one place filled: control's, or that of worker number i."""

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

from proxy.supervisor.child import Child, cause
from proxy.supervisor.restarts import Restarts

log = logging.getLogger("weir")

_LAST_WORDS = 2.0
"""Seconds in which a child that has said `failed` must have exited."""


class Keeper:
    """Starts a child, waits for its end and starts the next one, until it is told to let go.

    The first start must succeed: `first` becomes None, or the reason why it did not, and no other follows.
    Later failures are tried again for ever, because the others still work.
    """

    def __init__(self, name: str, spawn: Callable[[], Child], deadline: float) -> None:
        """`spawn` may raise OSError. `deadline`: seconds in which a child must be ready."""
        self.name = name
        self._spawn = spawn
        self._deadline = deadline
        self._restarts = Restarts()
        self._phase: Literal["starting", "up", "between", "gone"] = "between"
        self._child: Child | None = None
        self._order = self._mention = ""
        self._leaving = False
        loop = asyncio.get_running_loop()
        self.first: asyncio.Future[str | None] = loop.create_future()
        self._task = loop.create_task(self._keep())
        self._task.add_done_callback(self._emptied)

    def __repr__(self) -> str:
        return f"<Keeper {self.name} {self._phase}{' leaving' if self._leaving else ''}>"

    @property
    def gone(self) -> bool:
        """Whether the place is empty for good."""
        return self._phase == "gone"

    def order(self, word: str) -> None:
        """Tell the child, and each that takes its place, as soon as it is ready."""
        self._order = word
        if self._child and self._phase == "up":
            self._child.tell(word)

    def mention(self, word: str) -> None:
        """Tell the child, once: the one that is there, or else the next that is ready."""
        self._mention = word
        if self._child and self._phase == "up":
            self._pass_on(self._child)

    def _pass_on(self, child: Child) -> None:
        if self._mention:
            child.tell(self._mention)
        self._mention = ""

    def let_go(self, word: str) -> None:
        """Tell the child and start no other after it. One that is not ready yet has nothing to finish."""
        self._leaving = True
        if self._phase == "between":
            self._task.cancel()
        elif self._child and self._phase == "starting":
            self._child.kill()
        self.order(word)

    def kill(self) -> None:
        """SIGKILL to the child, and no other after it."""
        self.let_go("stop")
        if self._child:
            self._child.kill()

    def reap(self) -> None:
        """Notice the child's end. To be called on SIGCHLD."""
        if self._child:
            self._child.reap()

    async def wait(self, seconds: float) -> None:
        """Until the place is empty, at most `seconds`."""
        await asyncio.wait([self._task], timeout=seconds)

    def _emptied(self, task: asyncio.Task[None]) -> None:
        self._phase = "gone"
        if not self.first.done():
            self.first.set_result("it was told to stop")
        if not task.cancelled():
            task.result()  # a mistake of ours must be seen

    async def _keep(self) -> None:
        while not self._leaving:
            worked, what = await self._live()
            self._phase, self._child = "between", None
            if self._leaving:
                return
            pause = self._restarts.pause(worked)
            log.warning("%s; starting another%s", what, f" in {pause:g} s" if pause else "")
            await asyncio.sleep(pause)

    async def _live(self) -> tuple[float, str]:
        """One child from its start to its end: the seconds that it was ready for, and what became of it."""
        self._phase = "starting"
        try:
            self._child = child = self._spawn()
        except OSError as error:
            return 0.0, self._failed(f"{self.name} can't be started: {error}")
        reason = await self._start(child)
        if reason is not None:
            await _end(child)
            return 0.0, self._failed(f"{self.name} (pid {child.pid}) failed to start: {reason}")
        since = self._ready(child)
        code = await child.ended
        worked = asyncio.get_running_loop().time() - since
        return worked, f"{self.name} (pid {child.pid}) {cause(code)}"

    async def _start(self, child: Child) -> str | None:
        done, _ = await asyncio.wait([child.started], timeout=self._deadline)
        return child.started.result() if done else f"it was not ready within {self._deadline:g} s"

    def _ready(self, child: Child) -> float:
        self._phase = "up"
        if not self.first.done():
            self.first.set_result(None)
        else:
            log.warning("%s (pid %d) is ready again", self.name, child.pid)
        if self._order:
            child.tell(self._order)
        self._pass_on(child)
        return asyncio.get_running_loop().time()

    def _failed(self, what: str) -> str:
        if not self.first.done():
            self._leaving = True
            self.first.set_result(what)
        return what


async def _end(child: Child) -> None:
    """Let a child that will never be ready exit by itself, or kill it."""
    await asyncio.wait([child.ended], timeout=_LAST_WORDS if child.started.done() else 0)
    child.kill()
    await child.ended
