"""The ledger, from the event loop: one thread of its own, entries in order, and patience with a failing disk.

There are two ways to write. `later` is for what has happened already (a trip): it never waits, keeps the
record until the ledger takes it, and tries again for as long as that needs. `now` is for what may only happen
once it is written (a higher weight): it goes behind everything that waits, or fails and leaves nothing.
`beside` is for what is to be known of an entry and decides nothing.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from proxy.ledger.errors import NotDurable
from proxy.ledger.ledger import Ledger
from proxy.ledger.record import Record

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
Rest = Callable[[], Awaitable[None]]
Told = Callable[[int, Record], None]


class Appends(Protocol):
    """The part of a ledger that a journal writes to."""

    def append(self, *records: Record) -> list[int]: ...

    def close(self) -> None: ...


async def a_second() -> None:
    """How long to leave a failing disk alone."""
    await asyncio.sleep(1.0)


@dataclass(slots=True)
class _Waiting:
    """An entry that the ledger hasn't taken yet, or (`record` is None) a note beside one."""

    write: Callable[[], list[int]]
    record: Record | None
    attempt: asyncio.Future[bool]


class Journal:
    """`told` is called with the id and the record of each entry once it is durable."""

    def __init__(
        self, ledger: Appends, thread: ThreadPoolExecutor, told: Told, pause: Rest = a_second
    ) -> None:
        self._ledger = ledger
        self._thread = thread
        self._told = told
        self._pause = pause
        self._waiting: deque[_Waiting] = deque()
        self._writing = asyncio.Lock()
        self._catching_up: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Journal of {self._ledger!r}: {len(self._waiting)} waiting>"

    def durable(self, service: str) -> bool:
        """Whether all that happened to a service is on the disk."""
        return all(each.record is None or each.record.service != service for each in self._waiting)

    def later(self, record: Record) -> "asyncio.Future[bool]":
        """Keep a record as soon as the ledger takes it. The future: whether it did at the first attempt."""
        return self._wait(lambda: self._ledger.append(record), record)

    def beside(self, write: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call the ledger behind all that waits, as often as that needs."""

        def noted() -> list[int]:
            write(*args, **kwargs)
            return []

        self._wait(noted, None)

    async def now(self, make: Callable[[], Sequence[Record]]) -> Sequence[Record]:
        """Keep records, all or none, and come back when they are durable; NotDurable: they are nowhere.

        `make` is called when everything before it is durable, and nothing comes between it and the ledger: it
        decides on what is in force at that moment. What it raises goes to the caller; (): nothing to keep.
        """
        async with self._writing:
            await self._drain()
            records = make()
            numbers = await self.ask(self._ledger.append, *records) if records else []
        for number, record in zip(numbers, records, strict=True):
            self._told(number, record)
        return records

    def _wait(self, write: Callable[[], list[int]], record: Record | None) -> "asyncio.Future[bool]":
        attempt = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(write, record, attempt))
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.create_task(self._catch_up())
        return attempt

    async def ask(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Anything that blocks on the ledger, on its thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: call(*args, **kwargs))

    async def close(self) -> None:
        """Make one last attempt on what waits, and give the ledger back."""
        if self._catching_up:
            self._catching_up.cancel()
        try:
            async with self._writing:
                await self._drain()
        except NotDurable as error:
            log.error("%d entries are lost: %s", len(self._waiting), error.detail)
        await self.ask(self._ledger.close)

    async def _catch_up(self) -> None:
        why = ""
        while self._waiting:
            try:
                async with self._writing:
                    await self._drain()
            except NotDurable as error:
                if error.detail != why:  # a disk may be full for days: said once, and tried every second
                    log.error("in force but not durable: %s; it is tried until it works", error.detail)
                why = error.detail
                await self._pause()
        if why:
            log.warning("the ledger can be written again, and has all that is in force")

    async def _drain(self) -> None:
        """Write what waits, oldest first. At the first failure nobody's first attempt is still to come."""
        while self._waiting:
            waiting = self._waiting[0]
            try:
                numbers = await self.ask(waiting.write)
            except NotDurable:
                for each in self._waiting:
                    _settle(each.attempt, False)
                raise
            self._waiting.popleft()
            _settle(waiting.attempt, True)
            if waiting.record:
                self._told(numbers[0], waiting.record)


def _settle(attempt: "asyncio.Future[bool]", success: bool) -> None:
    if not attempt.done():
        attempt.set_result(success)


async def open_ledger(path: Path) -> tuple[Ledger, ThreadPoolExecutor]:
    """The ledger and the one thread that may touch it. LedgerUnusable when it can't be had."""
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(thread, Ledger, path), thread
