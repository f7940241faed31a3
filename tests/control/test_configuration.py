"""Another file is put in force while control runs: as a whole, and never a weight with it."""

import asyncio

import pytest

from proxy.config.reader import read
from proxy.config.schema import Config
from proxy.control.command import OrderTerms
from proxy.control.control import Control
from proxy.control.errors import Conflict
from proxy.ledger.errors import NotDurable
from proxy.link.messages import Settings
from proxy.rollout.inputs import Abort, Pause, Promote, SetWeight, Start
from tests.kits.control_stage import Stage, Worker

PERSON = OrderTerms("because", "ann")
TEXT = """
services:
  checkout:
    stable: {endpoints: http://127.0.0.1:9001, version: v1}
    canary: {endpoints: http://127.0.0.1:9002, version: v2}
    weight: 20%
  pay: {match: {path: /pay}, stable: http://127.0.0.1:9003}
"""
PLANNED = TEXT.replace("weight: 20%", "rollout: {steps: [10%, 100%], min_requests: 0}")


def config(text: str) -> Config:
    return read(text, "weir.yaml", {})


async def begun(stage: Stage, text: str = TEXT) -> tuple[Control, Worker]:
    control = await stage.begin(text=text)
    return control, stage.worker(control)


async def events(control: Control, service: str = "checkout") -> list[str]:
    return [entry["event"] for entry in await control.history.entries(service)]


async def test_what_a_service_says_otherwise_reaches_the_workers_at_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    control, worker = await begun(stage)
    tables = len(worker.tables)
    changes = await control.reload(config(TEXT.replace("weight: 20%", "weight: 20%\n    upgrades: []")))
    assert changes.services == {"checkout": ("upgrades",)}
    assert (worker.told().upgrades, worker.told().revision) == ((), 2)
    assert len(worker.tables) == tables + 1
    assert worker.told().split.part("canary") == 2000
    assert await events(control) == ["release", "reload"]
    assert (await control.history.entries("checkout"))[-1]["reason"] == "the file changed upgrades"
    assert caplog.messages[-1] == "checkout: reload: the file changed upgrades"
    assert await events(control, "pay") == ["release"]


async def test_news_of_a_canary_that_is_out_have_how_long_that_took(stage: Stage) -> None:
    control, worker = await begun(stage)
    await control.orders.apply("checkout", Abort("ann"), PERSON)
    stage.time += 0.25
    worker.ack()
    await control.reload(config(TEXT.replace("weight: 20%", "weight: 20%\n    upgrades: []")))
    await asyncio.sleep(0)
    assert (stage.outside.notified[-1], stage.outside.rollback_ms) == (("checkout", "reload"), 250.0)


async def test_all_services_change_by_one_table(stage: Stage) -> None:
    control, worker = await begun(stage)
    tables = len(worker.tables)
    await control.reload(config("timeouts: {body: 9s}\n" + TEXT))
    assert len(worker.tables) == tables + 1
    assert {service.name: service.timeouts.body for service in worker.tables[-1].services} == {
        "checkout": 9.0,
        "pay": 9.0,
    }


async def test_the_same_file_changes_nothing(stage: Stage) -> None:
    control, worker = await begun(stage)
    tables = len(worker.tables)
    changes = await control.reload(config(TEXT))
    assert not any(changes.to_json().values())
    assert len(worker.tables) == tables
    assert await events(control) == ["release"]


async def test_a_weight_in_the_file_moves_none(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    control, worker = await begun(stage)
    await control.reload(config(TEXT.replace("20%", "70%")))
    assert worker.told().split.part("canary") == 2000
    assert control.overview.view("checkout")["drift"]["apply"] == "weir set-weight checkout canary=70"
    assert "weir set-weight checkout canary=70" in caplog.text


async def test_services_come_and_go_and_keep_their_state(stage: Stage) -> None:
    control, worker = await begun(stage)
    await control.orders.apply("checkout", Abort(), PERSON)
    only = "services: {other: {stable: 'http://127.0.0.1:9009'}}"
    changes = await control.reload(config(only))
    assert (changes.added, changes.removed) == (("other",), ("checkout", "pay"))
    assert worker.tables[-1].removed == ("checkout", "pay")
    assert control.overview.names() == ["other"]
    assert stage.outside.probed == {"other"}
    with pytest.raises(KeyError):
        control.overview.view("checkout")
    worker.serve(service="checkout", bad=3, revision=2).report()
    tables = len(worker.tables)
    await control.reload(config(TEXT))
    assert control.overview.names() == ["checkout", "pay"]
    back = {service.name: service for table in worker.tables[tables:] for service in table.services}
    assert set(back) == {"checkout", "pay"}, "the workers had forgotten them"
    assert back["checkout"].halted == {"canary"}, "what was taken out stays out"
    assert await events(control) == ["release", "abort", "reload"]


async def test_what_was_shown_against_a_canary_is_known_when_its_service_comes_back(stage: Stage) -> None:
    control, worker = await begun(stage)
    worker.serve("stable", good=300).serve(good=80, bad=3).report()
    await stage.look(control)
    before = control.overview.view("checkout")
    assert (before["phase"], before["evidence"]["odds"] > 2.0) == ("idle", True)
    await control.reload(config(ALONE))
    await control.reload(config(TEXT))
    after = control.overview.view("checkout")
    assert (after["evidence"], after["blast_radius"]) == (before["evidence"], before["blast_radius"])


HOOKED = PLANNED.replace("    rollout", "    hooks: [{at: before-start, url: 'http://ci/'}]\n    rollout")
ALONE = TEXT[: TEXT.index("  checkout")] + TEXT[TEXT.index("  pay") :]
WITHOUT = "services: {other: {stable: 'http://127.0.0.1:9009'}}"


async def test_an_answer_that_comes_when_the_service_is_gone_brings_nothing_back(stage: Stage) -> None:
    control, worker = await begun(stage, HOOKED)
    stage.outside.open.clear()
    await control.orders.apply("checkout", Start(None, ""), PERSON)
    await stage.look(control)
    (asking,) = stage.under_way("ask")
    await control.reload(config(WITHOUT))
    tables = len(worker.tables)
    stage.outside.open.set()
    await asking
    await stage.look(control)
    await stage.written(control)
    assert len(worker.tables) == tables
    assert await stage.entries("checkout") == ["release", "start"]


@pytest.mark.parametrize("order", [SetWeight(3000), Promote(full=True)], ids=["weight", "promote"])
async def test_an_order_that_waits_when_its_service_goes_is_refused(
    stage: Stage, order: Promote | SetWeight
) -> None:
    control = await stage.begin(text=TEXT, workers=2)
    worker = stage.worker(control)
    late = asyncio.create_task(control.orders.apply("checkout", order, PERSON))
    await asyncio.sleep(0)
    await control.reload(config(WITHOUT))
    tables = len(worker.tables)
    stage.worker(control, "b1", 1)
    with pytest.raises(Conflict, match="checkout: it is no longer in the file"):
        await late
    assert len(worker.tables) == tables
    assert stage.outside.probed == {"other"}
    assert await stage.entries("checkout") == ["release"]


@pytest.mark.parametrize("order", [Abort(), SetWeight(3000)], ids=["lower", "raise"])
async def test_an_order_that_is_carried_out_is_answered_though_its_service_goes_meanwhile(
    stage: Stage, order: Abort | SetWeight
) -> None:
    control, worker = await begun(stage)
    stage.ledger.held.clear()
    stage.ledger.reached.clear()
    ordered = asyncio.create_task(control.orders.apply("checkout", order, PERSON))
    await asyncio.to_thread(stage.ledger.reached.wait)
    going = asyncio.create_task(control.reload(config(ALONE)))
    await asyncio.sleep(0)
    stage.ledger.held.set()
    await going
    assert (await ordered)["revision"] == 2
    assert worker.tables[-1].removed == ("checkout",)
    assert stage.outside.probed == {"pay"}
    assert (await stage.entries("checkout"))[1:] == ["abort" if order == Abort() else "weight"]


async def test_another_canary_is_a_new_release(stage: Stage) -> None:
    control, worker = await begun(stage)
    salt = worker.told().sticky.salt
    await control.reload(config(TEXT.replace("version: v2", "version: v3")))
    assert worker.told().backends[1].version == "v3"
    assert worker.told().sticky.salt != salt
    assert await events(control) == ["release", "release"]


async def test_a_rollout_keeps_the_plan_that_it_began_with(stage: Stage) -> None:
    control, _ = await begun(stage, PLANNED)
    await control.orders.apply("checkout", Start(None, ""), PERSON)
    await stage.look(control)
    await control.reload(config(PLANNED.replace("[10%, 100%]", "[50%, 100%]")))
    view = control.overview.view("checkout")
    assert (view["phase"], view["rollout"]["step"], view["weights"]["canary"]) == ("progressing", 1, 10.0)
    assert [step["weight"] for step in view["rollout"]["steps"]] == [10.0, 100.0]
    assert control.orders.planned("checkout").plan.steps[0].weight == 5000


async def test_a_promotion_stays_and_the_moved_line_is_no_release(stage: Stage) -> None:
    control, worker = await begun(stage, PLANNED)
    await control.orders.apply("checkout", Promote(full=True), PERSON)
    await stage.look(control)
    assert worker.told().backends[0].version == "v2"
    await control.reload(config(PLANNED))
    assert worker.told().backends[0].version == "v2"
    moved = PLANNED.replace("9001, version: v1}", "9002, version: v2}").replace(
        "    canary: {endpoints: http://127.0.0.1:9002, version: v2}\n", ""
    )
    await control.reload(config(moved))
    view = control.overview.view("checkout")
    assert (view["phase"], view["drift"], view["origin"]["stable"]) == ("promoted", None, "file")
    assert view["undo"]["version"] == "v1"
    assert (await events(control))[-1] == "reload"


async def test_settings_reach_those_who_are_there_and_those_who_come(stage: Stage) -> None:
    control, worker = await begun(stage)
    assert stage.outside.limits.fields == 200
    await control.reload(config("limits: {fields: 77}\n" + TEXT))
    assert stage.outside.limits.fields == 77, "probes read as workers do"
    assert [each.fields for each in worker.said if isinstance(each, Settings)] == [200, 77]
    later = stage.worker(control, "b1", 1)
    assert [each.fields for each in later.said if isinstance(each, Settings)] == [77]
    assert await events(control) == ["release"], "it is nothing to a service"


async def test_a_ledger_that_fails_lets_nothing_change(stage: Stage) -> None:
    control, worker = await begun(stage)
    tables = len(worker.tables)
    stage.ledger.failing = True
    with pytest.raises(NotDurable):
        await control.reload(config(TEXT.replace("weight: 20%", "weight: 20%\n    upgrades: []")))
    assert len(worker.tables) == tables
    assert control.overview.names() == ["checkout", "pay"]
    stage.ledger.failing = False
    await control.reload(config(TEXT.replace("weight: 20%", "weight: 20%\n    upgrades: []")))
    assert worker.told().upgrades == ()


async def test_a_trip_overtakes_a_reload_and_both_are_in_force_in_the_end(stage: Stage) -> None:
    control, worker = await begun(stage)
    stage.ledger.held.clear()
    stage.ledger.reached.clear()
    wanted = config(TEXT.replace("weight: 20%", "weight: 20%\n    upgrades: []"))
    reloading = asyncio.create_task(control.reload(wanted))
    await asyncio.to_thread(stage.ledger.reached.wait)
    worker.serve("stable", good=300).serve(bad=60).report()
    assert worker.told().halted == {"canary"}
    assert worker.told().upgrades == ("websocket",)
    stage.ledger.held.set()
    await reloading
    assert worker.told().halted == {"canary"}
    assert worker.told().upgrades == ()
    await stage.written(control)
    assert control.overview.view("checkout")["phase"] == "rolled-back"


@pytest.mark.parametrize("first", ["order", "reload"])
async def test_an_order_and_a_reload_come_one_after_the_other(stage: Stage, first: str) -> None:
    control, worker = await begun(stage)
    stage.ledger.held.clear()
    stage.ledger.reached.clear()
    wanted = config(TEXT.replace("weight: 20%", "weight: 20%\n    upgrades: []"))
    both = [control.orders.apply("checkout", SetWeight(3000), PERSON), control.reload(wanted)]
    both = [asyncio.create_task(each) for each in (both if first == "order" else both[::-1])]
    await asyncio.to_thread(stage.ledger.reached.wait)
    stage.ledger.held.set()
    await asyncio.gather(*both)
    told = worker.told()
    assert (told.revision, told.upgrades, told.split.part("canary")) == (3, (), 3000)
    # Either may be written first, as a reload gives others their turn while it compares.
    assert sorted(await events(control)) == ["release", "reload", "weight"]


async def test_other_checks_begin_anew_and_know_how_far_the_harm_went(stage: Stage) -> None:
    control, worker = await begun(stage)
    worker.serve("stable", good=100).serve(good=20, bad=1).report()
    met = control.overview.view("checkout")["blast_radius"]["met"]
    await control.reload(config(TEXT.replace("weight: 20%", "weight: 20%\n    analysis: off")))
    view = control.overview.view("checkout")
    assert view["evidence"]["odds"] is None
    assert view["blast_radius"]["met"] == met == 21


async def test_what_needs_a_restart_is_named_until_there_is_one(stage: Stage) -> None:
    control, _ = await begun(stage)
    for _ in range(2):
        assert (await control.reload(config("workers: 7\n" + TEXT))).restart == ("workers",)
    assert (await control.reload(config(TEXT))).restart == ()


async def test_a_pause_outlives_a_reload(stage: Stage) -> None:
    control, _ = await begun(stage, PLANNED)
    await control.orders.apply("checkout", Start(None, ""), PERSON)
    await stage.look(control)
    await control.orders.apply("checkout", Pause("ann"), PERSON)
    await control.reload(config(PLANNED.replace("min_requests: 0", "min_requests: 5")))
    assert control.overview.view("checkout")["phase"] == "paused"


async def test_the_name_servers_of_the_new_file_are_asked_before_anybody_has_its_table(stage: Stage) -> None:
    control, worker = await begun(stage)
    tables = len(worker.tables)
    stage.outside.resolved.clear()
    moved = TEXT.replace("127.0.0.1:9003", "pay.test:9003") + "resolver: {servers: 10.0.0.2}\n"
    reload = asyncio.create_task(control.reload(config(moved)))
    while len(stage.outside.located) == 1:  # noqa: ASYNC110  # nothing is set when it is called
        await asyncio.sleep(0)
    urls = ["http://127.0.0.1:9001", "http://127.0.0.1:9002", "http://pay.test:9003"]
    assert stage.outside.located[-1] == (urls, ("10.0.0.2:53",))
    assert (reload.done(), len(worker.tables), await events(control, "pay")) == (False, tables, ["release"])
    stage.outside.resolved.set()
    await reload
    [stable] = worker.told("pay").backends
    assert [each.url for each in stable.endpoints] == ["http://pay.test:9003"]


async def test_every_reload_asks_anew_also_without_servers_of_its_own(stage: Stage) -> None:
    control, _ = await begun(stage)
    await control.reload(config(TEXT))
    assert [servers for _, servers in stage.outside.located] == [None, ()]
