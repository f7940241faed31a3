import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from proxy.analysis.verdict import Finding, Verdict
from proxy.config.reading import read
from proxy.control.errors import Conflict, NotDurable, StaleRevision
from proxy.control.journal import Journal
from proxy.control.release import release, template
from proxy.control.standing import Standing
from proxy.control.steering import Clock, Order, Steering
from proxy.rollout.inputs import Held, Look, Resume, SetWeight
from proxy.rollout.rollout import Rollout

FILE = "services: {checkout: {stable: http://a, canary: http://b, weight: 20%}}"
FINDING = Finding("error-rate", "failing", 0.5, 0.1, None, 40, 20, 30.0, "ratio", "it fails")
FAILING = Look(Verdict("failing", (FINDING,)), enforce=True)


class Stage:
    """A steering between a ledger and a broadcast that note in one list what comes first."""

    def __init__(self, thread):
        self.done = []
        self.failing = False
        self.generation = 0
        self.everywhere_up_to = 0
        self.time = 0.0
        self.paused = asyncio.Event()
        self.journal = Journal(self, thread, lambda number, record: None, self.paused.wait)
        self.steering = Steering(self.journal, self, Clock(lambda: 5.0, lambda: self.time))
        config = read(FILE, "weir.yaml", {})
        service = config.services["checkout"]
        self.standing = Standing(template("checkout", service, config.timeouts, None), service, Rollout())

    def append(self, record):
        if self.failing:
            raise NotDurable("the disk is full")
        self.done.append(("written", record.entry.event, record.entry.after))
        return len(self.done)

    def close(self):
        pass

    def tell(self, service):
        self.generation += 1
        self.done.append(("told", service.revision, service.split.part("canary")))
        return self.generation

    def everywhere(self, generation):
        return self.everywhere_up_to >= generation

    async def released(self):
        await self.steering.release(self.standing, release(self.standing.file, "salt"))
        self.done.clear()
        return self

    async def order(self, wants, if_match=None, after=None):
        async def nothing():
            self.done.append(("heard all",))

        order = Order(wants, "because", "ann", if_match)
        await self.steering.order(self.standing, order, after or nothing)


@pytest.fixture
async def stage():
    with ThreadPoolExecutor(1) as thread:
        made = Stage(thread)
        yield await made.released()
        made.failing = False
        await made.journal.close()


async def test_a_release_is_written_first_and_once(stage):
    assert stage.standing.rollout.weight == 2000
    await stage.steering.release(stage.standing, release(stage.standing.file, "other salt"))
    assert stage.done == []
    assert stage.standing.rollout.salt == "salt"


async def test_raising_hears_all_writes_and_tells(stage):
    await stage.order(SetWeight(3000))
    assert stage.done == [("heard all",), ("written", "weight", 3000), ("told", 2, 3000)]


async def test_lowering_tells_and_writes(stage):
    await stage.order(SetWeight(1000))
    assert stage.done == [("told", 2, 1000), ("written", "weight", 1000)]


async def test_a_raise_that_waits_its_turn_gives_way_to_a_later_lowering(stage):
    heard = asyncio.Event()
    raising = asyncio.create_task(stage.order(SetWeight(3000), after=heard.wait))
    await asyncio.sleep(0)
    await stage.order(SetWeight(0))
    heard.set()
    with pytest.raises(Conflict, match="changed otherwise: it is at revision 2, its canary at 0 %"):
        await raising
    assert stage.done == [("told", 2, 0), ("written", "weight", 0)]
    await stage.order(SetWeight(3000))
    assert stage.done[-1] == ("told", 3, 3000)


async def test_an_order_for_what_is_in_force_is_the_last_word_over_a_raise_on_its_way(stage):
    heard = asyncio.Event()
    raising = asyncio.create_task(stage.order(SetWeight(3000), after=heard.wait))
    staying = asyncio.create_task(stage.order(SetWeight(2000)))
    await asyncio.sleep(0)
    heard.set()
    await asyncio.gather(raising, staying)
    assert stage.done[-2:] == [("told", 3, 2000), ("written", "weight", 2000)]


async def test_a_verdict_tells_before_anything_else_can_run(stage, caplog):
    stage.failing = True
    stage.steering.happened(stage.standing, FAILING)
    assert stage.done == [("told", 2, 0)]
    assert "checkout: the canary is taken out at 20 %: it fails" in caplog.text
    stage.steering.happened(stage.standing, FAILING)
    assert stage.done == [("told", 2, 0)]


async def test_a_lowering_on_a_failing_ledger_is_in_force_all_the_same(stage):
    stage.failing = True
    await stage.order(SetWeight(1000))
    assert stage.done == [("told", 2, 1000)]
    assert not stage.journal.durable("checkout")


async def test_a_raise_that_failed_leaves_its_number_unused(stage):
    stage.failing = True
    with pytest.raises(NotDurable):
        await stage.order(SetWeight(3000))
    assert stage.done == [("heard all",)]
    assert (stage.standing.rollout.revision, stage.standing.rollout.weight) == (1, 2000)
    stage.failing = False
    await stage.order(SetWeight(3000))
    assert stage.done[1:] == [("heard all",), ("written", "weight", 3000), ("told", 3, 3000)]


@pytest.mark.parametrize("wants", [SetWeight(3000), SetWeight(1000)])
async def test_an_old_picture(stage, wants):
    with pytest.raises(StaleRevision, match="at revision 1, the order expects 7"):
        await stage.order(wants, if_match=7)
    assert stage.done == []


async def test_refusals_say_what_to_do(stage):
    with pytest.raises(Conflict, match="nothing to resume; it has 20 %"):
        await stage.order(Resume())
    stage.steering.happened(stage.standing, FAILING)
    with pytest.raises(Conflict, match=r"\(it fails\).*weir resume checkout"):
        await stage.order(SetWeight(1))
    await stage.order(Resume(100))
    assert stage.done[-2:] == [("written", "resume", 100), ("told", 3, 100)]


async def test_what_a_worker_holds_is_taken_over(stage):
    stage.steering.happened(stage.standing, Held(1, halted=False))
    assert stage.done == []
    stage.steering.happened(stage.standing, Held(4, halted=True))
    assert stage.done == [("told", 5, 0)]
    assert stage.standing.rollout.halted


async def test_a_rollback_is_timed_until_it_is_everywhere(stage, caplog):
    caplog.set_level("INFO")
    stage.steering.happened(stage.standing, FAILING)
    stage.time = 0.002
    stage.steering.acknowledged()
    assert stage.standing.rollback.acknowledged_ms is None
    assert repr(stage.steering) == "<Steering, 1 rollbacks on their way>"
    stage.everywhere_up_to = stage.generation
    stage.time = 0.0045
    stage.steering.acknowledged()
    assert stage.standing.rollback.acknowledged_ms == 4.5
    assert "every worker has the rollback, after 4.5 ms" in caplog.text
    stage.time = 1.0
    stage.steering.acknowledged()
    assert stage.standing.rollback.acknowledged_ms == 4.5
