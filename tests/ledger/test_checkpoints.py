import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest

from proxy.ledger.checkpoints import GONE, Checkpoints
from proxy.ledger.errors import NotDurable
from proxy.ledger.journal import Journal
from proxy.ledger.ledger import Kept
from proxy.ledger.totals import Totals
from proxy.link.messages import Report
from proxy.telemetry.counts import Counts

KEY = ("checkout", 1, "canary")


def report(number: int, boot: str = "b1") -> Report:
    return Report(boot, number, {KEY: Counts(drawn={"success": number}, life=1)}, 0)


class FakeLedger:
    def __init__(self) -> None:
        self.kept = []
        self.forgotten = []
        self.failing = False
        self.open = threading.Event()
        self.open.set()
        self.reached = threading.Event()

    def keep(self, kept: Kept) -> None:
        self.reached.set()
        self.open.wait(10)
        if self.failing:
            raise NotDurable("the disk is full")
        self.kept.append(kept)

    def forget(self, boots: list[str]) -> None:
        if self.failing:
            raise NotDurable("the disk is full")
        self.forgotten += boots

    def append(self, record: object) -> None:
        raise AssertionError("nothing to append")

    def close(self) -> None:
        pass


class Stage:
    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self.ledger = FakeLedger()
        self.counted = []
        self.confirmed = asyncio.Event()
        self.judged = count(1)
        self.rests = asyncio.Semaphore(0)
        self.resting = asyncio.Semaphore(0)
        journal = Journal(self.ledger, thread)
        self.books = Checkpoints(
            Totals(Kept()),
            journal,
            self.ledger,
            confirm=self.confirm,
            pause=self.pause,
            evidence=lambda services: {service: next(self.judged) for service in services},
        )

    def confirm(self, boot: str, number: int) -> None:
        self.counted.append((boot, number))
        self.confirmed.set()

    async def pause(self) -> None:
        self.resting.release()
        await self.rests.acquire()


@pytest.fixture
async def stage() -> AsyncIterator[Any]:
    with ThreadPoolExecutor(1) as thread:
        made = Stage(thread)
        yield made
        made.ledger.open.set()


async def test_a_report_is_acknowledged_when_it_is_kept(stage: Stage) -> None:
    stage.books.take(report(1))
    assert stage.counted == []
    await stage.books.keep()
    assert stage.counted == [("b1", 1)]
    assert stage.ledger.kept[0].totals["checkout", "canary"].requests == 1


async def test_nothing_new_is_not_kept(stage: Stage) -> None:
    await stage.books.keep()
    stage.books.take(report(1))
    await stage.books.keep()
    stage.books.take(report(1))
    await stage.books.keep()
    assert len(stage.ledger.kept) == 1


async def test_a_failing_ledger_is_said_once_and_nothing_is_lost(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.ledger.failing = True
    for number in (1, 2):
        stage.books.take(report(number))
        await stage.books.keep()
    assert stage.counted == []
    assert caplog.text.count("the disk is full") == 1
    assert "failing" in repr(stage.books)
    stage.ledger.failing = False
    await stage.books.keep()
    assert stage.counted == [("b1", 2)]
    assert stage.ledger.kept[0].totals["checkout", "canary"].requests == 2


async def test_evidence_is_kept_with_the_counts_that_it_rests_on(stage: Stage) -> None:
    stage.books.take(report(1))
    await stage.books.keep()
    stage.ledger.failing = True
    stage.books.take(report(2))
    await stage.books.keep()
    stage.ledger.failing = False
    await stage.books.keep()
    assert [each.evidence for each in stage.ledger.kept] == [{"checkout": 1}, {"checkout": 3}]
    stage.books.take(Report("b2", 1, {}, 0))
    await stage.books.keep()
    assert stage.ledger.kept[-1].evidence == {}, "nothing was heard of it since"


async def test_it_runs_at_most_once_in_a_pause(stage: Stage) -> None:
    running = asyncio.create_task(stage.books.run())
    stage.books.take(report(1))
    await stage.resting.acquire()
    assert stage.counted == [("b1", 1)]
    stage.books.take(report(2))
    await asyncio.sleep(0)
    assert stage.counted == [("b1", 1)]
    stage.rests.release()
    await stage.resting.acquire()
    assert stage.counted == [("b1", 1), ("b1", 2)]
    running.cancel()


async def test_it_tries_again_after_a_pause(stage: Stage) -> None:
    running = asyncio.create_task(stage.books.run())
    stage.ledger.failing = True
    stage.books.take(report(1))
    await stage.resting.acquire()
    stage.ledger.failing = False
    stage.rests.release()
    await stage.resting.acquire()
    assert stage.counted == [("b1", 1)]
    running.cancel()


async def test_a_hurry_cuts_the_pause_short(stage: Stage) -> None:
    running = asyncio.create_task(stage.books.run())
    stage.books.take(report(1))
    await stage.resting.acquire()
    stage.confirmed.clear()
    stage.books.take(report(2))
    stage.books.hurry()
    await stage.confirmed.wait()
    running.cancel()


async def test_what_was_being_kept_when_it_was_stopped_is_kept_again(stage: Stage) -> None:
    stage.ledger.open.clear()
    running = asyncio.create_task(stage.books.run())
    stage.books.take(report(1))
    await asyncio.to_thread(stage.ledger.reached.wait)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    stage.ledger.open.set()
    await stage.books.keep()
    assert stage.counted == [("b1", 1)]


async def test_boots_that_stay_away_are_forgotten_and_their_counts_are_not(stage: Stage) -> None:
    for boot in ("b1", "b2", "b3"):
        stage.books.take(report(1, boot))
    await stage.books.keep()
    await stage.books.forget_gone(["b1"], 0.0)
    await stage.books.forget_gone(["b1", "b2"], GONE - 1)
    await stage.books.forget_gone(["b1"], GONE)
    assert stage.ledger.forgotten == ["b3"]
    assert stage.books.totals.boots == {"b1", "b2"}
    assert dict(stage.books.totals.sums([]))["checkout", "canary"].requests == 3


async def test_boots_are_kept_in_mind_when_the_ledger_fails(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.books.take(report(1))
    await stage.books.keep()
    await stage.books.forget_gone([], 0.0)
    stage.ledger.failing = True
    await stage.books.forget_gone([], GONE)
    assert stage.books.totals.boots == {"b1"}
    assert "cannot be forgotten" in caplog.text
