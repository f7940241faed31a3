"""The life of the whole: start in order, stay, leave in order.

A first SIGTERM or SIGINT drains, a second one ends everything at once; SIGHUP reads config and certificates
again. However the supervisor itself dies, the children see the end of their lifelines and go too.
"""

import asyncio
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial

from proxy.supervisor import commands, sockets
from proxy.supervisor.child import Child
from proxy.supervisor.keeper import Keeper
from proxy.supervisor.plan import LaunchPlan

log = logging.getLogger("weir")

START = 30.0
"""Seconds in which a child must be ready."""
MARGIN = 2.0
"""Seconds beyond its grace in which a worker hands its last counts to control."""
STOP = 5.0
"""Seconds in which control must have ended after `stop`, and any child after SIGKILL."""


class Supervisor:
    """One run of the proxy. The exit code is 0, 1 when it can't start, 128 + n after a second signal."""

    def __init__(self, plan: LaunchPlan, programs: commands.Commands = commands.OURS) -> None:
        self._plan = plan
        self._programs = programs
        self._environ = commands.environment(os.environ)
        self._sockets: sockets.Sockets | None = None
        self._keepers: list[Keeper] = []
        self._asked = asyncio.Event()
        self._code: int | None = None
        self._task: asyncio.Task[int] | None = None

    def __repr__(self) -> str:
        return f"<Supervisor {'leaving ' if self._asked.is_set() else ''}{self._keepers}>"

    async def run(self) -> int:
        """Start everything and stay until a signal or a failing start."""
        self._task = asyncio.current_task()
        self._own_signals()
        try:
            return await self._lead()
        except asyncio.CancelledError:
            if self._code is None:
                raise
            return self._code
        finally:
            await self._clear()

    def _own_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._leave_on, signum)
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        # A handler and not SIG_IGN, which the children would inherit.
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    def _leave_on(self, signum: signal.Signals) -> None:
        if not self._asked.is_set():
            log.info("%s: finishing what is in flight; once more to end at once", signum.name)
            self._asked.set()
        elif self._code is None and self._task:
            self._code = 128 + signum
            self._task.cancel()

    def _reload(self) -> None:
        """Have control read the config again, and the workers their certificates.

        Workers that start meanwhile do it once more.
        """
        if not self._asked.is_set():
            log.info("SIGHUP: reading the config and the certificates again")
            control, *workers = self._keepers
            control.mention("reload")
            for worker in workers:
                worker.order("reload")

    def _reap(self) -> None:
        for keeper in self._keepers:
            keeper.reap()

    async def _lead(self) -> int:
        try:
            self._sockets = sockets.bind(self._plan)
        except sockets.CannotListen as error:
            return _refuse(str(error))
        begun = asyncio.ensure_future(self._begin(self._sockets))
        asked = asyncio.ensure_future(self._asked.wait())
        await asyncio.wait({begun, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not begun.done():  # nothing is in flight yet
            begun.cancel()
            return 0
        if reason := begun.result():
            asked.cancel()
            return _refuse(reason)
        _say(self._announcement(self._sockets))
        await asked
        await self._leave(self._sockets)
        return 0

    async def _begin(self, bound: sockets.Sockets) -> str | None:
        """All at once: workers await their table at control's socket. The reason when a child can't start."""
        plan, programs = self._plan, self._programs
        self._keep("control", lambda: commands.control_line(programs.control, plan, bound))

        def line(index: int) -> commands.Line:
            return commands.worker_line(programs.worker, plan, bound, index)

        for index in range(plan.workers):
            self._keep(f"worker {index}", partial(line, index))
        for first in asyncio.as_completed([keeper.first for keeper in self._keepers]):
            if reason := await first:
                return reason
        return None

    def _keep(self, name: str, line: Callable[[], commands.Line]) -> None:
        self._keepers.append(Keeper(name, lambda: Child(*line(), self._environ), START))

    def _announcement(self, bound: sockets.Sockets) -> str:
        secure = {index for index, pairs in enumerate(self._plan.tls) if pairs}
        where = ", ".join(sockets.url(one, secure=index in secure) for index, one in enumerate(bound.listen))
        workers = "1 worker" if self._plan.workers == 1 else f"{self._plan.workers} workers"
        return f"listening on {where} ({workers}), admin {sockets.url(bound.admin_at)}"

    async def _leave(self, bound: sockets.Sockets) -> None:
        """Answer /readyz with 503 and wait for balancers to look, finish what is in flight, stop control."""
        control, *workers = self._keepers
        control.order("drain")
        await asyncio.sleep(self._plan.delay)
        for worker in workers:
            worker.let_go("drain")
        bound.close_listeners()
        await _part(workers, self._plan.grace + MARGIN)
        control.let_go("stop")
        await _part([control], STOP)

    async def _clear(self) -> None:
        """Leave nothing behind: no process, no socket, no file."""
        await _part(self._keepers, 0)
        if self._sockets:
            self._sockets.close()
        shutil.rmtree(self._plan.directory, ignore_errors=True)


async def _part(keepers: Sequence[Keeper], seconds: float) -> None:
    """Wait until all are gone, at most `seconds`; then kill the rest, together."""
    await asyncio.gather(*(keeper.wait(seconds) for keeper in keepers))
    rest = [keeper for keeper in keepers if not keeper.gone]
    for keeper in rest:
        if seconds:
            log.warning("%s has not ended within %g s: killed", keeper.name, seconds)
        keeper.kill()
    await asyncio.gather(*(keeper.wait(STOP) for keeper in rest))


def _refuse(reason: str) -> int:
    _say(reason)
    return 1


def _say(line: str) -> None:
    """Something that a person must read at any log level."""
    print(f"weir: {line}", file=sys.stderr, flush=True)
