"""What people order, and what comes first: the ledger or the workers."""

import asyncio

import pytest

from proxy.control.command import Terms
from proxy.control.errors import Conflict, StaleRevision
from proxy.ledger.errors import NotDurable
from proxy.rollout.inputs import Resume, SetWeight

PERSON = Terms("because", "ann")


async def test_raising_is_written_before_it_is_told(stage):
    control = await stage.begin()
    worker = stage.worker(control)
    stage.ledger.held.clear()
    stage.ledger.reached.clear()
    order = asyncio.create_task(control.order("checkout", SetWeight(3000), PERSON))
    await asyncio.to_thread(stage.ledger.reached.wait)
    assert len(worker.tables) == 1
    assert control.view("checkout")["weights"]["canary"] == 20.0
    stage.ledger.held.set()
    shown = await order
    assert (shown["revision"], shown["weights"]["canary"], shown["durable"]) == (2, 30.0, True)
    assert worker.told().split.part("canary") == 3000
    assert not worker.tables[-1].complete
    entry = (await control.history("checkout"))[-1]
    assert (entry["event"], entry["actor"], entry["reason"]) == ("weight", "ann", "because")


async def test_raising_on_a_failing_ledger_is_refused_and_changes_nothing(stage):
    control = await stage.begin()
    worker = stage.worker(control)
    before = control.view("checkout")
    stage.ledger.failing = True
    with pytest.raises(NotDurable, match="disk is full"):
        await control.order("checkout", SetWeight(3000), PERSON)
    assert control.view("checkout") == before
    assert len(worker.tables) == 1
    stage.ledger.failing = False
    assert (await control.order("checkout", SetWeight(3000), PERSON))["weights"]["canary"] == 30.0


async def test_lowering_is_told_before_it_is_written(stage):
    control = await stage.begin()
    worker = stage.worker(control)
    stage.ledger.held.clear()
    stage.ledger.reached.clear()
    order = asyncio.create_task(control.order("checkout", SetWeight(1000), PERSON))
    await asyncio.to_thread(stage.ledger.reached.wait)
    assert worker.told().split.part("canary") == 1000
    assert control.view("checkout")["durable"] is False
    stage.ledger.held.set()
    assert (await order)["durable"] is True


async def test_what_is_already_so_makes_no_entry(stage):
    control = await stage.begin()
    assert (await control.order("checkout", SetWeight(2000), PERSON))["revision"] == 1
    assert len(await control.history("checkout")) == 1


async def test_an_order_on_an_old_picture_is_refused(stage):
    control = await stage.begin()
    stage.worker(control)
    await control.order("checkout", SetWeight(1000), PERSON)
    for parts in (500, 1500):
        with pytest.raises(StaleRevision) as refused:
            await control.order("checkout", SetWeight(parts), Terms("", "bob", 1))
        assert refused.value.current == 2
    await control.order("checkout", SetWeight(500), Terms("", "bob", 2))


async def test_of_two_orders_on_one_picture_one_wins(stage):
    control = await stage.begin()
    stage.worker(control)
    orders = [control.order("checkout", SetWeight(parts), Terms("", "ann", 1)) for parts in (3000, 4000)]
    first, second = await asyncio.gather(*orders, return_exceptions=True)
    assert first["weights"]["canary"] == 30.0
    assert isinstance(second, StaleRevision)
    assert [entry["revision"] for entry in await control.history("checkout")] == [1, 2]


async def test_a_lowering_overtakes_a_raise_that_waits_for_the_disk(stage):
    control = await stage.begin()
    worker = stage.worker(control)
    stage.ledger.held.clear()
    stage.ledger.reached.clear()
    raising = asyncio.create_task(control.order("checkout", SetWeight(5000), PERSON))
    await asyncio.to_thread(stage.ledger.reached.wait)
    worker.serve(bad=30).report()
    assert worker.told().halted == {"canary"}
    stage.ledger.held.set()
    with pytest.raises(Conflict, match="changed otherwise"):
        await raising
    await stage.written(control)
    assert worker.told().halted == {"canary"}
    assert worker.told().revision == 3
    assert [entry["to"] for entry in await control.history("checkout")] == [20.0, 50.0, 0.0]
    control = await stage.restart()
    assert control.view("checkout")["phase"] == "rolled-back"


async def test_there_is_no_weight_without_a_canary(stage):
    control = await stage.begin()
    with pytest.raises(Conflict, match="no canary"):
        await control.order("plain", SetWeight(100), PERSON)


async def test_lowering_waits_for_nobody(stage):
    control = await stage.begin()
    assert (await control.order("checkout", SetWeight(100), PERSON))["weights"]["canary"] == 1.0


async def test_a_tripped_canary_takes_no_weight_until_it_is_resumed(stage):
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve(bad=20).report()
    with pytest.raises(Conflict, match="weir resume checkout"):
        await control.order("checkout", SetWeight(100), PERSON)
    shown = await control.order("checkout", SetWeight(0), PERSON)
    assert shown["revision"] == 2
    shown = await control.order("checkout", Resume(), PERSON)
    assert (shown["phase"], shown["weights"]["canary"], shown["trip"]) == ("idle", 20.0, None)
    assert (worker.told().halted, worker.told().revision) == (frozenset(), 3)
    with pytest.raises(Conflict, match="resume is not possible while the rollout is idle"):
        await control.order("checkout", Resume(), PERSON)
