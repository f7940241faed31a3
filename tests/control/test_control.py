"""How it begins, and what it tells."""

import asyncio

import pytest

from proxy.config.reader import read
from proxy.control.command import OrderTerms
from proxy.ledger.checkpoints import GONE
from proxy.rollout.inputs import SetWeight, Start
from tests.kits.control_stage import FILE, Stage

PERSON = OrderTerms("because", "ann")


async def test_first_sight_is_a_release_with_the_weight_of_the_file(stage: Stage) -> None:
    control = await stage.begin()
    assert control.overview.names() == ["checkout", "plain"]
    shown = control.overview.view("checkout")
    assert (shown["revision"], shown["phase"], shown["weights"]) == (
        1,
        "idle",
        {"stable": 80.0, "canary": 20.0},
    )
    assert control.overview.view("plain")["weights"] == {"stable": 100.0}
    (entry,) = await control.history.entries("checkout")
    assert (entry["event"], entry["from"], entry["to"], entry["actor"]) == ("release", 0.0, 20.0, "weir")


async def test_unknown_services_are_key_errors(stage: Stage) -> None:
    control = await stage.begin()
    with pytest.raises(KeyError):
        control.overview.view("nobody")
    assert await control.history.entries("nobody") == []
    with pytest.raises(KeyError):
        await control.orders.apply("nobody", SetWeight(1), PERSON)


async def test_a_worker_is_told_settings_and_then_everything(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    told, table = worker.said
    assert (told.header, told.idle, told.access) == (3.0, 4.0, "json")
    assert table.complete
    assert table.generation == control.overview.generation > 0
    assert {service.name: service.revision for service in table.services} == {"checkout": 1, "plain": 1}
    assert worker.told().split.part("canary") == 2000
    assert (worker.told().timeouts.tunnel, worker.told().max_body) == (5.0, 1 << 20)


async def test_it_has_begun_when_the_names_of_all_endpoints_were_asked_for(stage: Stage) -> None:
    stage.outside.resolved.clear()
    beginning = asyncio.create_task(stage.begin())
    async with asyncio.timeout(20):
        while not stage.outside.located:  # noqa: ASYNC110  # nothing is set when it is called
            await asyncio.sleep(0.001)
    assert not beginning.done(), "and until then no worker can have its table"
    assert stage.outside.located == [([f"http://127.0.0.1:{port}" for port in (9001, 9002, 9003)], None)]
    stage.outside.resolved.set()
    await beginning


async def test_it_is_ready_when_every_worker_has_a_table_and_until_it_drains(stage: Stage) -> None:
    control = await stage.begin(workers=2)
    one, two = stage.worker(control, "b0", 0), stage.worker(control, "b1", 1)
    one.ack()
    assert not control.ready
    two.ack()
    assert control.ready
    two.gone()
    assert control.ready, "a worker that is being replaced is no reason to take all others out"
    control.drain()
    assert not control.ready


async def test_entries_after_and_unsubscribing(stage: Stage) -> None:
    control = await stage.begin()
    stage.worker(control)
    heard = []
    unsubscribe = control.history.subscribe(heard.append)
    await control.orders.apply("checkout", SetWeight(3000), PERSON)
    unsubscribe()
    await control.orders.apply("checkout", SetWeight(4000), PERSON)
    assert [entry["to"] for entry in heard] == [30.0]
    assert [entry["to"] for entry in await control.history.entries_after(heard[0]["id"])] == [40.0]


async def test_nothing_runs_once_it_has_stopped(stage: Stage) -> None:
    control = await stage.begin()
    assert [task.get_name() for task in stage.tasks.running if task.get_name() != "probe"]
    _, thread = stage.controls.pop()
    await control.stop()
    assert stage.tasks.running == frozenset()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    thread.shutdown()


async def test_a_tick_forgets_workers_that_are_gone_for_good(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve("stable", good=1).report()
    await control.checkpoints.keep()
    worker.gone()
    await control.tick()
    assert control.checkpoints.totals.boots == {"b0"}
    await stage.look(control, GONE)
    assert control.checkpoints.totals.boots == set()


async def test_an_order_is_followed_at_once_and_not_with_the_next_tick(stage: Stage) -> None:
    control = await stage.begin(
        text="services: {checkout: {stable: http://a, canary: http://b, rollout: {steps: [1%, 100%]}}}"
    )
    stage.worker(control)
    await control.orders.apply("checkout", Start(None, ""), PERSON)
    assert stage.under_way("ask"), "the canary is asked whether it answers"


async def test_its_repr_says_its_state(stage: Stage) -> None:
    control = await stage.begin()
    assert repr(control).startswith("<Control starting: 2 services")
    stage.worker(control).ack()
    assert repr(control).startswith("<Control ready")
    control.drain()
    assert repr(control).startswith("<Control draining")


async def test_names_are_resolved_before_workers_are_served_and_asked_anew_at_a_reload(stage: Stage) -> None:
    control = await stage.begin()
    urls = [f"http://127.0.0.1:{port}" for port in (9001, 9002, 9003)]
    assert stage.outside.located == [(urls, None)]
    text = FILE.format(weight="20%", version="v1", enforce="true") + "resolver: {servers: 10.0.0.2}\n"
    await control.reload(read(text, "weir.yaml", {}))
    assert stage.outside.located[1:] == [(urls, ("10.0.0.2:53",))]
