"""The ledger, from the event loop: one thread of its own, entries in order, and patience with a failing disk.

There are two ways to write an entry. `append_later` is for what has happened already (a trip): it never
waits, keeps the record until the ledger takes it, and tries again for as long as that needs. `append_now` is
for what may only happen once it is written (a higher weight): it goes behind everything that waits, or fails
and leaves nothing. `call_later` is for what is added to an entry and decides nothing.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

from proxy.counted import are, counted
from proxy.ledger.errors import NotDurable
from proxy.ledger.ledger import Ledger, Recalled
from proxy.ledger.record import Record

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
Rest = Callable[[], Awaitable[None]]
Written = Callable[[int, Record], None]
"""Called with the id and the record of an entry once it is durable."""
Spawn = Callable[[str, Coroutine[Any, Any, None]], "asyncio.Task[None]"]
"""Starts a task of this name."""


class Appends(Protocol):
    """The part of a ledger that a journal writes to."""

    def append(self, *records: Record) -> list[int]: ...

    def close(self) -> None: ...


async def a_second() -> None:
    """Leave a failing disk alone for a second."""
    await asyncio.sleep(1.0)


def spawned(name: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    """Start a task whose failure is not watched."""
    return asyncio.create_task(work, name=name)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An entry that the ledger hasn't taken yet, or (`record` is None) a note beside one."""

    write: Callable[[], list[int]]
    record: Record | None
    attempt: asyncio.Future[bool]


class Journal:
    """Writes to the ledger, and reads from it, on its thread.

    Args:
        ledger: what is written to.
        thread: the one thread that may touch the ledger.
        pause: waits between two attempts at a ledger that fails.
        spawn: starts the task that writes what waits.
    """

    def __init__(
        self, ledger: Appends, thread: ThreadPoolExecutor, pause: Rest = a_second, spawn: Spawn = spawned
    ) -> None:
        self._ledger = ledger
        self._thread = thread
        self._pause = pause
        self._spawn = spawn
        self._subscribers: list[Written] = []
        self._waiting: deque[_Waiting] = deque()
        self._writing = asyncio.Lock()
        self._catching_up: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Journal of {self._ledger!r}: {len(self._waiting)} waiting>"

    def subscribe(self, written: Written) -> Callable[[], None]:
        """Call back for each entry that becomes durable from now on; return what ends that."""
        self._subscribers.append(written)
        return lambda: self._subscribers.remove(written)

    def durable(self, service: str) -> bool:
        """Return whether all entries of a service are on the disk."""
        return all(each.record is None or each.record.service != service for each in self._waiting)

    def append_later(self, record: Record) -> "asyncio.Future[bool]":
        """Write a record as soon as the ledger takes it.

        The future is done after the first attempt: whether that succeeded.
        """
        return self._wait(lambda: self._ledger.append(record), record)

    def call_later(self, write: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call the ledger behind all that waits, as often as it takes to succeed."""

        def note() -> list[int]:
            write(*args, **kwargs)
            return []

        self._wait(note, None)

    async def append_now(self, make: Callable[[], Sequence[Record]]) -> Sequence[Record]:
        """Write records, all or none, and return them when they are durable.

        `make` is called when everything before it is durable, and nothing comes between it and the ledger: it
        decides on what is in force at that moment. What it raises goes to the caller; (): nothing to write.
        NotDurable: none of them is in the ledger.
        """
        async with self._writing:
            await self._drain()
            records = make()
            numbers = await self.call(self._ledger.append, *records) if records else []
        for number, record in zip(numbers, records, strict=True):
            self._publish(number, record)
        return records

    def _wait(self, write: Callable[[], list[int]], record: Record | None) -> "asyncio.Future[bool]":
        attempt = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(write, record, attempt))
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = self._spawn("write what waits", self._catch_up())
        return attempt

    async def call(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call what blocks on the ledger, on its thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: call(*args, **kwargs))

    async def close(self) -> None:
        """Make one last attempt to write what waits, and close the ledger."""
        if self._catching_up:
            self._catching_up.cancel()
        try:
            async with self._writing:
                await self._drain()
        except NotDurable as error:
            entries = counted(len(self._waiting), "entry", "entries")
            log.error("%s %s lost: %s", entries, are(len(self._waiting)), error.detail)
        await self.call(self._ledger.close)

    async def _catch_up(self) -> None:
        why = ""
        while self._waiting:
            try:
                async with self._writing:
                    await self._drain()
            except NotDurable as error:
                if error.detail != why:  # a disk may be full for days: logged once, and tried every second
                    log.error("in force but not durable: %s; it is tried until it works", error.detail)
                why = error.detail
                await self._pause()
        if why:
            log.warning("the ledger can be written again, and has all that is in force")

    async def _drain(self) -> None:
        """Write what waits, oldest first. A failure counts as the first attempt of all that wait."""
        while self._waiting:
            waiting = self._waiting[0]
            try:
                numbers = await self.call(waiting.write)
            except NotDurable:
                for each in self._waiting:
                    _settle(each.attempt, False)
                raise
            self._waiting.popleft()
            _settle(waiting.attempt, True)
            if waiting.record:
                self._publish(numbers[0], waiting.record)

    def _publish(self, number: int, record: Record) -> None:
        for written in list(self._subscribers):
            written(number, record)


def _settle(attempt: "asyncio.Future[bool]", success: bool) -> None:
    if not attempt.done():
        attempt.set_result(success)


@dataclass(frozen=True, slots=True)
class OpenLedger:
    """A ledger that is open, the one thread that may touch it, and what it recalled."""

    ledger: Ledger
    thread: ThreadPoolExecutor
    recalled: Recalled


async def open_ledger(path: Path) -> OpenLedger:
    """Open the ledger and recall what is in it. LedgerUnusable when that can't be done."""
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
    loop = asyncio.get_running_loop()
    ledger = await loop.run_in_executor(thread, Ledger, path)
    return OpenLedger(ledger, thread, await loop.run_in_executor(thread, ledger.recall))
