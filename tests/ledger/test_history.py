from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from proxy.ledger.history import History
from proxy.ledger.journal import Journal
from proxy.ledger.ledger import Ledger
from proxy.ledger.record import Record
from proxy.rollout.entry import Entry
from proxy.rollout.rollout import Rollout


def record(revision: int, service: str = "shop") -> Record:
    return Record(service, 5.0, "ann", "", Entry(revision, "weight", 0, 500, ""), Rollout(revision=revision))


@pytest.fixture
async def written(tmp_path: Path) -> AsyncIterator[Any]:
    """A journal, and the history of what it writes."""
    with ThreadPoolExecutor(1) as thread:
        ledger = thread.submit(Ledger, tmp_path / "weir.db").result()
        journal = Journal(ledger, thread)
        yield journal, History(journal, ledger)
        await journal.close()


async def test_entries_are_read_by_service_and_by_number(written: tuple[Journal, History]) -> None:
    journal, history = written
    await journal.append_now(lambda: [record(1), record(1, "pay"), record(2)])
    assert [entry["revision"] for entry in await history.entries("shop")] == [1, 2]
    assert [entry["service"] for entry in await history.entries_after(1)] == ["pay", "shop"]
    assert await history.entries("unknown") == []


async def test_entries_are_followed_as_the_api_shows_them(written: tuple[Journal, History]) -> None:
    journal, history = written
    seen = []
    unsubscribe = history.subscribe(seen.append)
    await journal.append_now(lambda: [record(1)])
    unsubscribe()
    await journal.append_now(lambda: [record(2)])
    assert seen == [record(1).to_json(1)] == (await history.entries("shop"))[:1]


async def test_each_of_several_followers_ends_by_itself(written: tuple[Journal, History]) -> None:
    journal, history = written
    one, other = [], []
    end, _ = history.subscribe(one.append), history.subscribe(other.append)
    end()
    await journal.append_later(record(1))
    assert (len(one), len(other)) == (0, 1)
