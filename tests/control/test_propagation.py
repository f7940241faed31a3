import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from proxy.config.reader import read
from proxy.control.managed_service import ManagedService
from proxy.control.propagation import Propagation
from proxy.ledger.record import Record
from proxy.rollout.entry import Entry
from proxy.rollout.rollout import Rollout
from proxy.routing.service import Service
from proxy.settings.service import template

FILE = "services: {checkout: {stable: http://a, canary: http://b, weight: 20%}}"


class Workers:
    """What all workers use, and what is written down of it."""

    def __init__(self) -> None:
        self.generation = 0
        self.told = []
        self.kept = []
        self.writes = 0
        self.news = []

    def publish(self, *services: Service, removed: tuple[str, ...] = ()) -> int:
        self.told.append(([(each.name, each.revision) for each in services], removed))
        return len(self.told)

    def acknowledged(self, generation: int) -> bool:
        return generation <= self.generation

    def call_later(self, write: Callable[..., Any], *args: list[tuple[str, int, int, float]]) -> None:
        write(*args)

    def keep(self, acknowledged: list[tuple[str, int, int, float]]) -> None:
        self.kept += acknowledged
        self.writes += 1

    def hear(self, managed: ManagedService, record: Record) -> None:
        self.news.append((managed.name, record.entry.event))


@pytest.fixture
def workers() -> Workers:
    return Workers()


@pytest.fixture
def propagation(workers: Workers) -> Propagation:
    return Propagation(workers, workers, workers.keep, workers.hear)


@pytest.fixture
def managed() -> ManagedService:
    config = read(FILE, "weir.yaml", {})
    file = config.services["checkout"]
    return ManagedService(template("checkout", file, config.timeouts, None), file, Rollout(revision=4))


def entry(managed: ManagedService, event: str, revision: int) -> tuple[ManagedService, Record]:
    rollout = replace(managed.rollout, revision=revision)
    return managed, Record("checkout", 5.0, "ann", "", Entry(revision, event, 0, 0, ""), rollout)


async def test_entries_come_into_force_by_one_table_and_are_news(
    propagation: Propagation, workers: Workers, managed: ManagedService
) -> None:
    propagation.put_in_force([entry(managed, "weight", 5)], 1.0, removed=["pay"])
    assert workers.told == [([("checkout", 5)], ("pay",))]
    assert workers.news == [], "it delays nothing"
    await asyncio.sleep(0)
    assert workers.news == [("checkout", "weight")]
    assert managed.rollout.revision == 5


async def test_an_entry_is_complete_when_every_worker_uses_its_table(
    propagation: Propagation, workers: Workers, managed: ManagedService
) -> None:
    propagation.put_in_force([entry(managed, "weight", 5)], 1.0)
    assert repr(propagation) == "<Propagation, 1 entries on their way>"
    propagation.acknowledge(1.5)
    assert workers.kept == []
    workers.generation = 1
    propagation.acknowledge(2.0045)
    propagation.acknowledge(3.0)
    assert workers.kept == [("checkout", 5, 1, 1004.5)]


async def test_what_all_have_at_once_is_written_at_once(
    propagation: Propagation, workers: Workers, managed: ManagedService
) -> None:
    propagation.put_in_force([entry(managed, "weight", 5), entry(managed, "weight", 6)], 1.0)
    propagation.put_in_force([entry(managed, "weight", 7)], 1.0)
    workers.generation = 1
    propagation.acknowledge(2.0)
    propagation.acknowledge(2.5)
    assert (workers.kept, workers.writes) == ([("checkout", 5, 1, 1000.0), ("checkout", 6, 1, 1000.0)], 1)
    assert repr(propagation) == "<Propagation, 1 entries on their way>"


@pytest.mark.parametrize("event", ["trip", "abort"])
async def test_a_rollback_is_timed_and_only_that(
    propagation: Propagation,
    workers: Workers,
    managed: ManagedService,
    caplog: pytest.LogCaptureFixture,
    event: str,
) -> None:
    caplog.set_level("INFO")
    propagation.put_in_force([entry(managed, "weight", 5)], 1.0)
    propagation.put_in_force([entry(managed, event, 6)], 2.0)
    workers.generation = 1
    propagation.acknowledge(2.001)
    assert propagation.rollback_ms(managed) is None
    workers.generation = 2
    propagation.acknowledge(2.0045)
    assert propagation.rollback_ms(managed) == 4.5
    assert [kept[1:] for kept in workers.kept] == [(5, 1, 1001.0), (6, 2, 4.5)]
    resumed = replace(managed.rollout, revision=7, since=7)
    managed.enter(resumed)
    assert propagation.rollback_ms(managed) is None, "that was another attempt"
    assert caplog.text.count("every worker has the rollback, after 4.5 ms") == 1


async def test_news_that_nobody_can_tell_break_nothing(workers: Workers, managed: ManagedService) -> None:
    def fail(managed: ManagedService, record: Record) -> None:
        raise RuntimeError("a surprise")

    said = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: said.append(context["exception"]))
    propagation = Propagation(workers, workers, workers.keep, fail)
    propagation.put_in_force([entry(managed, "trip", 5)], 1.0)
    assert len(workers.told) == 1
    await asyncio.sleep(0)
    assert [str(each) for each in said] == ["a surprise"]
