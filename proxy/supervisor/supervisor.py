"""The life of the whole proxy: its start, its signals, and its shutdown in order.

A first SIGTERM or SIGINT drains, a second one ends everything at once; SIGHUP reads config and certificates
again. When the supervisor itself is killed, the lifelines of the children end, and the children exit.
"""

import asyncio
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial

from proxy.counted import counted
from proxy.supervisor import commands, sockets
from proxy.supervisor.child import Child
from proxy.supervisor.plan import LaunchPlan
from proxy.supervisor.slot import Slot

log = logging.getLogger("weir")

START = 30.0
"""Seconds in which a child must be ready."""
MARGIN = 2.0
"""Seconds after its grace in which a worker sends its last counts to control."""
STOP = 5.0
"""Seconds in which control must end after `stop`, and any child after SIGKILL."""


class Supervisor:
    """One run of the proxy."""

    def __init__(self, plan: LaunchPlan, programs: commands.Commands = commands.COMMANDS) -> None:
        self._plan = plan
        self._programs = programs
        self._environ = commands.environment(os.environ)
        self._sockets: sockets.Sockets | None = None
        self._slots: list[Slot] = []
        self._stopping = asyncio.Event()
        self._code: int | None = None
        self._task: asyncio.Task[int] | None = None

    def __repr__(self) -> str:
        return f"<Supervisor {'stopping ' if self._stopping.is_set() else ''}{self._slots}>"

    async def run(self) -> int:
        """Run to the end; return 0, 1 when it can't start, 128 + n after a second signal n."""
        self._task = asyncio.current_task()
        self._add_signal_callbacks()
        try:
            return await self._serve()
        except asyncio.CancelledError:
            if self._code is None:
                raise
            return self._code
        finally:
            await self._clean_up()

    def _add_signal_callbacks(self) -> None:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stop, signum)
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        # SIG_IGN would be inherited by the children, a Python function is not.
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    def _stop(self, signum: signal.Signals) -> None:
        if not self._stopping.is_set():
            log.info("%s: finishing requests in flight; send it again to end at once", signum.name)
            self._stopping.set()
        elif self._code is None and self._task:
            self._code = 128 + signum
            self._task.cancel()

    def _reload(self) -> None:
        """Make control read the config again, and the workers their certificates.

        A worker that starts later gets the word too, and reads its certificates a second time.
        """
        if not self._stopping.is_set():
            log.info("SIGHUP: reading the config and the certificates again")
            control, *workers = self._slots
            control.send_once("reload")
            for worker in workers:
                worker.send_to_each("reload")

    def _reap(self) -> None:
        for slot in self._slots:
            slot.reap()

    async def _serve(self) -> int:
        try:
            self._sockets = sockets.bind(self._plan)
        except sockets.CannotListen as error:
            return _refuse(str(error))
        started = asyncio.ensure_future(self._start_all(self._sockets))
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({started, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not started.done():  # nothing is in flight yet
            started.cancel()
            return 0
        if reason := started.result():
            stopping.cancel()
            return _refuse(reason)
        _print(self._announcement(self._sockets))
        await stopping
        await self._shut_down(self._sockets)
        return 0

    async def _start_all(self, bound: sockets.Sockets) -> str | None:
        """Start control and workers at once; return the reason when a child fails to start.

        The workers wait at control's socket for their first table.
        """
        plan, programs = self._plan, self._programs
        self._add_slot("control", lambda: commands.control_line(programs.control, plan, bound))

        def line(index: int) -> commands.CommandLine:
            return commands.worker_line(programs.worker, plan, bound, index)

        for index in range(plan.workers):
            self._add_slot(f"worker {index}", partial(line, index))
        for first in asyncio.as_completed([slot.first_start for slot in self._slots]):
            if reason := await first:
                return reason
        return None

    def _add_slot(self, name: str, line: Callable[[], commands.CommandLine]) -> None:
        self._slots.append(Slot(name, lambda: Child(*line(), self._environ), START))

    def _announcement(self, bound: sockets.Sockets) -> str:
        secure = {index for index, pairs in enumerate(self._plan.tls) if pairs}
        balanced = {index for index, peers in enumerate(self._plan.balancers) if peers}
        where = ", ".join(
            sockets.url(one, secure=index in secure) + " (PROXY protocol)" * (index in balanced)
            for index, one in enumerate(bound.listen)
        )
        workers = counted(self._plan.workers, "worker")
        admin, state = sockets.url(bound.admin_at), self._plan.state
        return f"listening on {where} ({workers}), admin {admin}, ledger {state}"

    async def _shut_down(self, bound: sockets.Sockets) -> None:
        """Answer /readyz with 503 and wait for load balancers, finish requests in flight, stop control."""
        control, *workers = self._slots
        control.send_to_each("drain")
        await asyncio.sleep(self._plan.delay)
        for worker in workers:
            worker.close("drain")
        bound.close_listeners()
        await _wait_or_kill(workers, self._plan.grace + MARGIN)
        control.close("stop")
        await _wait_or_kill([control], STOP)

    async def _clean_up(self) -> None:
        """End all processes, close all sockets, remove all files."""
        await _wait_or_kill(self._slots, 0)
        if self._sockets:
            self._sockets.close()
        shutil.rmtree(self._plan.directory, ignore_errors=True)


async def _wait_or_kill(slots: Sequence[Slot], seconds: float) -> None:
    """Wait until all slots are closed, at most `seconds`; then kill the other children."""
    await asyncio.gather(*(slot.wait_closed(seconds) for slot in slots))
    rest = [slot for slot in slots if not slot.closed]
    for slot in rest:
        if seconds:
            log.warning("%s has not ended within %g s: killed", slot.name, seconds)
        slot.kill()
    await asyncio.gather(*(slot.wait_closed(STOP) for slot in rest))


def _refuse(reason: str) -> int:
    _print(reason)
    return 1


def _print(line: str) -> None:
    """Print a line that is shown at any log level."""
    print(f"weir: {line}", file=sys.stderr, flush=True)
