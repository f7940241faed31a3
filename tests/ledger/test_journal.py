import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from proxy.control.errors import Conflict
from proxy.ledger.errors import LedgerUnusable, NotDurable
from proxy.ledger.journal import Journal, open_ledger
from proxy.ledger.record import Record
from proxy.rollout.entry import Entry
from proxy.rollout.rollout import Rollout


def record(revision: int, service: str = "checkout") -> Record:
    return Record(service, 5.0, "ann", "", Entry(revision, "weight", 0, 0, ""), Rollout(revision=revision))


class FakeLedger:
    """Keeps records in a list; fails or blocks when told to. Remembers the threads that came."""

    def __init__(self) -> None:
        self.kept = []
        self.failing = False
        self.closed = False
        self.threads = set()
        self.attempts = 0
        self.open = threading.Event()
        self.open.set()

    def append(self, *records: Record) -> list[int]:
        self.threads.add(threading.current_thread().name)
        self.attempts += 1
        self.open.wait(10)
        if self.failing:
            raise NotDurable("the disk is full")
        self.kept += records
        return list(range(len(self.kept) - len(records) + 1, len(self.kept) + 1))

    def close(self) -> None:
        self.closed = True


class Rest:
    """A pause that ends when the test says so; `begun` counts them."""

    def __init__(self) -> None:
        self.begun = asyncio.Semaphore(0)
        self.over = asyncio.Semaphore(0)

    async def __call__(self) -> None:
        self.begun.release()
        await self.over.acquire()


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
def told() -> list[Any]:
    return []


@pytest.fixture
async def pause() -> Rest:
    return Rest()


@pytest.fixture
async def journal(ledger: FakeLedger, told: list[Any], pause: Rest) -> AsyncIterator[Any]:
    with ThreadPoolExecutor(1, thread_name_prefix="ledger") as thread:
        made = Journal(ledger, thread, pause)
        made.subscribe(lambda number, record: told.append((number, record)))
        yield made
        ledger.open.set()
        await made.close()


async def test_what_is_kept_is_told_with_its_id(
    journal: Journal, ledger: FakeLedger, told: list[Any]
) -> None:
    assert await journal.append_now(lambda: [record(1)]) == [record(1)]
    assert await journal.append_later(record(2)) is True
    assert told == [(1, record(1)), (2, record(2))]
    assert journal.durable("checkout")
    assert ledger.threads == {"ledger_0"}


async def test_what_comes_when_all_is_written_is_written_too(journal: Journal, ledger: FakeLedger) -> None:
    for revision in (1, 2, 3):
        assert await asyncio.wait_for(journal.append_later(record(revision)), 10) is True
    assert ledger.kept == [record(1), record(2), record(3)]


async def test_later_does_not_wait_for_a_ledger_that_hangs(
    journal: Journal, ledger: FakeLedger, told: list[Any]
) -> None:
    ledger.open.clear()
    attempt = journal.append_later(record(1))
    assert not attempt.done()
    assert not journal.durable("checkout")
    assert journal.durable("pay")
    ledger.open.set()
    assert await attempt is True
    assert journal.durable("checkout")


async def test_later_tries_again_until_the_ledger_takes_it(
    journal: Journal, ledger: FakeLedger, told: list[Any], pause: Rest
) -> None:
    ledger.failing = True
    first, second = journal.append_later(record(1)), journal.append_later(record(2))
    assert [await first, await second] == [False, False]
    for _ in range(3):
        await pause.begun.acquire()
        assert not journal.durable("checkout")
        pause.over.release()
    await pause.begun.acquire()
    ledger.failing = False
    pause.over.release()
    assert await journal.append_later(record(3)) is True
    assert ledger.kept == [record(1), record(2), record(3)]
    assert [number for number, _ in told] == [1, 2, 3]


async def test_a_ledger_that_fails_is_told_once_and_so_is_its_recovery(
    journal: Journal, ledger: FakeLedger, pause: Rest, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.failing = True
    journal.append_later(record(1))
    for _ in range(3):
        await pause.begun.acquire()
        pause.over.release()
    await pause.begun.acquire()
    ledger.failing = False
    pause.over.release()
    await journal.append_later(record(2))
    await journal.close()
    assert caplog.messages == [
        "in force but not durable: the disk is full; it is tried until it works",
        "the ledger can be written again, and has all that is in force",
    ]


async def test_now_on_a_failing_ledger_is_refused_and_leaves_nothing(
    journal: Journal, ledger: FakeLedger, told: list[Any]
) -> None:
    ledger.failing = True
    with pytest.raises(NotDurable, match="disk is full"):
        await journal.append_now(lambda: [record(1)])
    ledger.failing = False
    await journal.append_now(lambda: [record(2)])
    assert ledger.kept == [record(2)]


async def test_now_goes_behind_what_waits(journal: Journal, ledger: FakeLedger, pause: Rest) -> None:
    ledger.failing = True
    await journal.append_later(record(1))
    await pause.begun.acquire()
    with pytest.raises(NotDurable):
        await journal.append_now(lambda: [record(2)])
    ledger.failing = False
    await journal.append_now(lambda: [record(3)])
    assert ledger.kept == [record(1), record(3)]


async def test_now_is_made_when_all_before_it_is_durable(journal: Journal, ledger: FakeLedger) -> None:
    ledger.open.clear()
    seen = []

    def make() -> list[Record]:
        seen.extend(ledger.kept)
        return [record(2)]

    journal.append_later(record(1))
    order = asyncio.create_task(journal.append_now(make))
    ledger.open.set()
    await order
    assert seen == [record(1)]


async def test_later_during_now_comes_after_it(journal: Journal, ledger: FakeLedger) -> None:
    ledger.open.clear()
    made = asyncio.Event()

    def make() -> list[Record]:
        made.set()
        return [record(1)]

    order = asyncio.create_task(journal.append_now(make))
    await made.wait()
    attempt = journal.append_later(record(2))
    ledger.open.set()
    await order
    await attempt
    assert ledger.kept == [record(1), record(2)]


async def test_what_making_refuses_goes_to_the_caller_and_holds_nobody_up(
    journal: Journal, ledger: FakeLedger
) -> None:
    def refuse() -> None:
        raise Conflict("tripped meanwhile")

    with pytest.raises(Conflict):
        await journal.append_now(refuse)
    await journal.append_now(lambda: [record(1)])
    assert ledger.kept == [record(1)]


async def test_closing_makes_a_last_attempt(ledger: FakeLedger, told: list[Any], pause: Rest) -> None:
    with ThreadPoolExecutor(1) as thread:
        journal = Journal(ledger, thread, pause)
        journal.subscribe(lambda number, record: told.append(number))
        ledger.failing = True
        await journal.append_later(record(1))
        await pause.begun.acquire()
        ledger.failing = False
        await journal.close()
    assert (ledger.kept, told, ledger.closed) == ([record(1)], [1], True)


async def test_closing_on_a_failing_ledger_says_what_is_lost(
    ledger: FakeLedger, pause: Rest, caplog: pytest.LogCaptureFixture
) -> None:
    with ThreadPoolExecutor(1) as thread:
        journal = Journal(ledger, thread, pause)
        ledger.failing = True
        await journal.append_later(record(1))
        await journal.close()
    assert ledger.closed
    assert "1 entry is lost: the disk is full" in caplog.text


async def test_its_repr_says_what_waits(journal: Journal, ledger: FakeLedger) -> None:
    ledger.open.clear()
    journal.append_later(record(1))
    assert "1 waiting" in repr(journal)


async def test_a_ledger_is_opened_on_the_thread_that_keeps_it(tmp_path: Path) -> None:
    opened = await open_ledger(tmp_path / "weir.db")
    journal = Journal(opened.ledger, opened.thread)
    assert (await journal.call(opened.ledger.last), opened.recalled.last) == (0, 0)
    await journal.close()
    with pytest.raises(LedgerUnusable, match="nowhere"):
        await open_ledger(tmp_path / "nowhere" / "weir.db")
