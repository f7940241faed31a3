"""What an order leaves open, and what comes first: the ledger or the workers."""

import asyncio
from dataclasses import replace

import pytest

from proxy.config import schema
from proxy.config.reader import read
from proxy.control.command import OrderTerms
from proxy.control.errors import Conflict, StaleRevision
from proxy.control.managed_service import ManagedService
from proxy.control.orders import complete, fresh_salt, planned
from proxy.ledger.errors import NotDurable
from proxy.rollout.inputs import Abort, Pause, Resume, Retry, SetWeight, Start, Undo
from proxy.rollout.plan import Plan, Step
from proxy.rollout.rollout import Rollout
from proxy.rollout.side import Side
from proxy.routing.endpoint import Endpoint, Trust
from proxy.settings.plan import Planned
from proxy.settings.service import side, template
from tests.kits.control_stage import Stage

PERSON = OrderTerms("because", "ann")
TEXT = """
services:
  shop:
    stable: {endpoints: https://a, tls: {ca: /ca.pem}}
    rollout: {steps: [10%, 100%], hold: 30s, min_requests: 7, deadline: 1h}
  bare: {match: {path: /bare}, stable: http://b}
"""
FILE_PLAN = Plan((Step(1000, 30.0, 7), Step(10_000, 30.0, 7)), 3600.0)
OWN = Plan((Step(10_000, 0.0, 0),))


def managed(name: str, **rollout: Plan | Side | str) -> ManagedService:
    config = read(TEXT, "weir.yaml", {})
    file = config.services[name]
    state = Rollout(revision=1, stable=side(file.stable), **rollout)
    return ManagedService(template(name, file, config.timeouts, None), file, state)


def test_a_start_gets_the_files_plan_and_a_salt_of_its_own() -> None:
    one, other = (complete(Start(None, ""), managed("shop"), fresh_salt) for _ in range(2))
    assert one.plan == FILE_PLAN
    assert len(one.salt) == 32
    assert one.salt != other.salt
    assert complete(Start(OWN, ""), managed("shop"), fresh_salt).plan == OWN
    assert complete(Start(None, ""), managed("bare"), fresh_salt).plan is None


def test_new_endpoints_are_trusted_as_the_files() -> None:
    named = Side((Endpoint.parse("https://c"),), "v2")
    made = complete(Start(OWN, "", named), managed("shop"), fresh_salt).canary
    assert made.endpoints[0].trust == Trust(ca="/ca.pem")
    assert made.version == "v2"


def test_a_retry_goes_by_the_files_plan_as_it_is_now_unless_it_was_begun_by_another() -> None:
    canary = Side((Endpoint.parse("http://c"),), "v2")
    by_file = managed("shop", plan=OWN, canary=canary, definition=canary.definition)
    assert complete(Retry(""), by_file, fresh_salt).plan == FILE_PLAN
    at_runtime = managed("shop", plan=OWN, canary=canary)
    assert complete(Retry(""), at_runtime, fresh_salt).plan is None
    assert complete(Retry(""), managed("shop", canary=canary), fresh_salt).plan == FILE_PLAN


@pytest.mark.parametrize("order", [Undo(""), Undo("", OWN)])
def test_what_begins_anew_gets_a_salt(order: Undo) -> None:
    made = complete(order, managed("shop"), fresh_salt)
    assert len(made.salt) == 32
    assert replace(made, salt="") == order


@pytest.mark.parametrize("order", [Pause("ann"), Abort("ann"), SetWeight(5)])
def test_others_are_complete_as_they_are(order: Abort | Pause | SetWeight) -> None:
    assert complete(order, managed("shop"), fresh_salt) is order


def test_what_holds_for_steps_that_say_nothing() -> None:
    found = planned(managed("shop"))
    assert (found.plan, found.hold, found.min_requests, found.deadline) == (FILE_PLAN, 30.0, 7, 3600.0)
    assert planned(managed("bare")) == Planned()
    usual = {name: getattr(Planned(), name) for name in ("hold", "min_requests", "deadline")}
    assert usual == {name: schema.Rollout.model_fields[name].default for name in usual}, "as in the file"
    assert planned(managed("bare", plan=OWN)).plan == OWN, "undo goes back by the plan that led here"


async def test_raising_is_written_before_it_is_told(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    stage.ledger.held.clear()
    stage.ledger.reached.clear()
    order = asyncio.create_task(control.orders.apply("checkout", SetWeight(3000), PERSON))
    await asyncio.to_thread(stage.ledger.reached.wait)
    assert len(worker.tables) == 1
    assert control.overview.view("checkout")["weights"]["canary"] == 20.0
    stage.ledger.held.set()
    shown = await order
    assert (shown["revision"], shown["weights"]["canary"], shown["durable"]) == (2, 30.0, True)
    assert worker.told().split.part("canary") == 3000
    assert not worker.tables[-1].complete
    entry = (await control.history.entries("checkout"))[-1]
    assert (entry["event"], entry["actor"], entry["reason"]) == ("weight", "ann", "because")


async def test_raising_on_a_failing_ledger_is_refused_and_changes_nothing(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    before = control.overview.view("checkout")
    stage.ledger.failing = True
    with pytest.raises(NotDurable, match="disk is full"):
        await control.orders.apply("checkout", SetWeight(3000), PERSON)
    assert control.overview.view("checkout") == before
    assert len(worker.tables) == 1
    stage.ledger.failing = False
    assert (await control.orders.apply("checkout", SetWeight(3000), PERSON))["weights"]["canary"] == 30.0


async def test_lowering_is_told_before_it_is_written(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    stage.ledger.held.clear()
    stage.ledger.reached.clear()
    order = asyncio.create_task(control.orders.apply("checkout", SetWeight(1000), PERSON))
    await asyncio.to_thread(stage.ledger.reached.wait)
    assert worker.told().split.part("canary") == 1000
    assert control.overview.view("checkout")["durable"] is False
    stage.ledger.held.set()
    assert (await order)["durable"] is True


async def test_what_is_already_so_makes_no_entry(stage: Stage) -> None:
    control = await stage.begin()
    assert (await control.orders.apply("checkout", SetWeight(2000), PERSON))["revision"] == 1
    assert len(await control.history.entries("checkout")) == 1


async def test_an_order_on_an_old_picture_is_refused(stage: Stage) -> None:
    control = await stage.begin()
    stage.worker(control)
    await control.orders.apply("checkout", SetWeight(1000), PERSON)
    for parts in (500, 1500):
        with pytest.raises(StaleRevision) as refused:
            await control.orders.apply("checkout", SetWeight(parts), OrderTerms("", "bob", 1))
        assert refused.value.current == 2
    await control.orders.apply("checkout", SetWeight(500), OrderTerms("", "bob", 2))


async def test_of_two_orders_on_one_picture_one_wins(stage: Stage) -> None:
    control = await stage.begin()
    stage.worker(control)
    orders = [
        control.orders.apply("checkout", SetWeight(parts), OrderTerms("", "ann", 1)) for parts in (3000, 4000)
    ]
    first, second = await asyncio.gather(*orders, return_exceptions=True)
    assert first["weights"]["canary"] == 30.0
    assert isinstance(second, StaleRevision)
    assert [entry["revision"] for entry in await control.history.entries("checkout")] == [1, 2]


async def test_a_lowering_overtakes_a_raise_that_waits_for_the_disk(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    stage.ledger.held.clear()
    stage.ledger.reached.clear()
    raising = asyncio.create_task(control.orders.apply("checkout", SetWeight(5000), PERSON))
    await asyncio.to_thread(stage.ledger.reached.wait)
    worker.serve(bad=30).report()
    assert worker.told().halted == {"canary"}
    stage.ledger.held.set()
    with pytest.raises(Conflict, match="changed otherwise"):
        await raising
    await stage.written(control)
    assert worker.told().halted == {"canary"}
    assert worker.told().revision == 3
    assert [entry["to"] for entry in await control.history.entries("checkout")] == [20.0, 50.0, 0.0]
    control = await stage.restart()
    assert control.overview.view("checkout")["phase"] == "rolled-back"


async def test_there_is_no_weight_without_a_canary(stage: Stage) -> None:
    control = await stage.begin()
    with pytest.raises(Conflict, match="no canary"):
        await control.orders.apply("plain", SetWeight(100), PERSON)


async def test_lowering_waits_for_nobody(stage: Stage) -> None:
    control = await stage.begin()
    assert (await control.orders.apply("checkout", SetWeight(100), PERSON))["weights"]["canary"] == 1.0


async def test_a_tripped_canary_takes_no_weight_until_it_is_resumed(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve(bad=20).report()
    with pytest.raises(Conflict, match="weir resume checkout"):
        await control.orders.apply("checkout", SetWeight(100), PERSON)
    shown = await control.orders.apply("checkout", SetWeight(0), PERSON)
    assert shown["revision"] == 2
    shown = await control.orders.apply("checkout", Resume(), PERSON)
    assert (shown["phase"], shown["weights"]["canary"], shown["trip"]) == ("idle", 20.0, None)
    assert (worker.told().halted, worker.told().revision) == (frozenset(), 3)
    with pytest.raises(Conflict, match="resume is not possible while the rollout is idle"):
        await control.orders.apply("checkout", Resume(), PERSON)
