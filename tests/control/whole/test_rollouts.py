"""Rollouts as control carries them: what moves them, what holds them, and what survives."""

import asyncio
import logging

import pytest

from proxy.control.command import OrderTerms
from proxy.control.control import Control
from proxy.control.errors import Conflict, KeyReused
from proxy.ledger.errors import NotDurable
from proxy.rollout.inputs import (
    Abort,
    Pause,
    Promote,
    Resume,
    Retry,
    SetWeight,
    Start,
    Undo,
)
from proxy.rollout.plan import Plan, Step
from proxy.rollout.side import Side
from proxy.routing.endpoint import Endpoint
from tests.kits.control_stage import Stage, Worker

PERSON = OrderTerms("because", "ann")
FILE = """
services:
  checkout:
    stable: {endpoints: [http://127.0.0.1:9001], version: v1}
    canary: {endpoints: [http://127.0.0.1:9002], version: v2}
    analysis: {step_up: off}
    rollout:
      start: %s
      steps: [{weight: 1%%, min_requests: 30}, {pause: "ask"}, {weight: 50%%, hold: 20s}, 100%%]
      hold: 10s
      min_requests: 0
      deadline: 1h
    hooks: [%s]
"""


def text(start: str = "manual", hooks: str = "") -> str:
    return FILE % (start, hooks)


def where(control: Control) -> tuple[str, int | None, float | None]:
    shown = control.overview.view("checkout")
    rollout = shown["rollout"]
    return shown["phase"], rollout and rollout["step"], shown["weights"].get("canary")


async def begun(stage: Stage, **file: str) -> tuple[Control, Worker]:
    """A rollout in its first step, and the worker that hears of it."""
    control = await stage.begin(text=text(**file))
    worker = stage.worker(control)
    await control.orders.apply("checkout", Start(None, ""), PERSON)
    await stage.look(control)
    return control, worker


async def judged(
    stage: Stage, control: Control, worker: Worker, good: int = 30, bad: int = 0, seconds: float = 10.0
) -> None:
    """The canary has answered, the step has lasted, and control has looked."""
    revision = control.overview.view("checkout")["revision"]
    worker.serve("stable", good=500, revision=revision).serve(good=good, bad=bad, revision=revision).report()
    await stage.look(control, seconds)


async def test_a_plan_from_its_start_to_its_undo(stage: Stage) -> None:
    control, worker = await begun(stage)
    assert where(control) == ("progressing", 1, 1.0)
    assert stage.outside.asked == ["canary"]
    await judged(stage, control, worker)
    assert where(control) == ("paused", 2, 1.0)
    assert control.overview.view("checkout")["rollout"]["waiting"]["pause"] == "ask"
    await control.orders.apply("checkout", Promote(), PERSON)
    assert where(control) == ("progressing", 3, 50.0)
    await judged(stage, control, worker, good=500)
    assert where(control) == ("progressing", 3, 50.0), "its own hold is longer"
    await judged(stage, control, worker)
    assert where(control) == ("progressing", 4, 100.0)
    await judged(stage, control, worker, good=100)
    await stage.look(control)
    assert where(control) == ("promoted", 4, None)
    told = worker.told()
    assert [(side.name, side.version) for side in told.backends] == [("stable", "v2")]
    assert stage.outside.watched[-1] == ("checkout", ["stable"]), "who is stable has changed"
    shown = control.overview.view("checkout")
    assert (shown["verdict"]["findings"], shown["evidence"]["odds"]) == ([], None), "nobody is on trial"
    await control.orders.apply("checkout", Undo(""), PERSON)
    assert [(side.name, side.version) for side in worker.told().backends] == [("stable", "v1")]
    await stage.written(control)
    events = [entry["event"] for entry in await control.history.entries("checkout")]
    assert events == [
        "release", "start", "step", "gate", "step", "step", "promoting", "promotion", "undo",
    ]  # fmt: skip
    assert [event for _, event in stage.outside.notified] == events


async def test_a_step_waits_for_its_sample_and_says_how_much_is_missing(stage: Stage) -> None:
    control, worker = await begun(stage)
    await judged(stage, control, worker, good=29, seconds=60)
    assert where(control) == ("progressing", 1, 1.0)
    assert control.overview.view("checkout")["rollout"]["waiting"]["sample"] == {"have": 29, "need": 30}
    await judged(stage, control, worker, good=1, seconds=0)
    assert where(control) == ("paused", 2, 1.0)


async def test_answers_of_the_step_before_are_no_sample_for_this_one(stage: Stage) -> None:
    control, worker = await begun(stage)
    worker.serve(good=30, revision=2).report()
    await stage.look(control, 60)
    assert where(control) == ("progressing", 1, 1.0)


@pytest.mark.parametrize(
    "order", [None, Pause(), SetWeight(5000), Promote(full=True)], ids=["step", "paused", "by hand", "full"]
)
async def test_a_failing_canary_goes_out_whatever_the_rollout_is_doing(
    stage: Stage, order: Pause | Promote | SetWeight | None
) -> None:
    control, worker = await begun(stage)
    if order:
        await control.orders.apply("checkout", order, PERSON)
    revision = control.overview.view("checkout")["revision"]
    worker.serve("stable", good=500, revision=revision).serve(bad=60, revision=revision).report()
    assert control.overview.view("checkout")["phase"] == "rolled-back"
    assert worker.told().halted == {"canary"}
    await stage.look(control, 3600)
    assert where(control)[::2] == ("rolled-back", 0.0)


HOOKS = "{at: before-start, url: 'http://ci/s'}, {at: before-step, url: 'http://ci/t'}"


async def test_a_gate_that_refuses_holds_the_rollout_and_is_asked_again(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.outside.agrees["before-step"] = "answered 503"
    control, _ = await begun(stage, hooks=HOOKS)
    assert where(control) == ("progressing", 0, 0.0)
    assert stage.outside.asked == [
        "canary",
        ("before-start", "checkout", 0, 1.0),
        ("before-step", "checkout", 0, 1.0),
    ]
    gate = control.overview.view("checkout")["rollout"]["waiting"]["gate"]
    assert (gate["says"], gate["asked"]) == ("answered 503", 1)
    await stage.look(control, 4)
    assert len(stage.outside.asked) == 3, "not so soon"
    await stage.look(control, 1)
    assert len(stage.outside.asked) == 6
    assert caplog.text.count("answered 503") == 1, "the same is not said twice"
    stage.outside.agrees.clear()
    await stage.look(control, 5)
    assert where(control) == ("progressing", 1, 1.0)


async def test_a_canary_that_does_not_answer_gets_no_traffic(stage: Stage) -> None:
    stage.outside.answers = "connection refused"
    control, _ = await begun(stage)
    assert where(control) == ("progressing", 0, 0.0)
    assert "connection refused" in control.overview.view("checkout")["rollout"]["waiting"]["says"]


async def test_a_gate_that_hangs_does_not_delay_a_rollback(stage: Stage) -> None:
    control, worker = await begun(stage, hooks="{at: before-promotion, url: 'http://ci/p'}")
    await control.orders.apply("checkout", Promote(full=True), PERSON)
    stage.outside.open.clear()
    await stage.look(control)
    assert where(control) == ("promoting", 4, 100.0)
    assert stage.outside.asked[-1][0] == "before-promotion"
    revision = control.overview.view("checkout")["revision"]
    worker.serve(bad=30, revision=revision).report()
    assert worker.told().halted == {"canary"}
    stage.outside.open.set()
    await stage.look(control)
    assert where(control)[0] == "rolled-back", "an answer that comes too late promotes nobody"


async def test_promote_goes_past_a_gate_that_refuses(stage: Stage) -> None:
    stage.outside.agrees["before-promotion"] = "answered 403"
    control, worker = await begun(stage, hooks="{at: before-promotion, url: 'http://ci/p'}")
    await control.orders.apply("checkout", Promote(full=True), PERSON)
    await stage.look(control)
    assert where(control)[0] == "promoting"
    await control.orders.apply("checkout", Promote(), PERSON)
    assert where(control)[0] == "promoted"
    assert worker.told().backends[0].version == "v2"


async def test_a_new_canary_begins_by_itself_with_on_change(stage: Stage) -> None:
    control = await stage.begin(text=text("on-change"))
    assert where(control) == ("progressing", 0, 0.0)
    stage.worker(control)
    await stage.look(control)
    assert where(control) == ("progressing", 1, 1.0)
    assert [entry["event"] for entry in await control.history.entries("checkout")] == ["start", "step"]


async def test_control_goes_on_in_the_same_step_with_the_evidence_it_had(stage: Stage) -> None:
    control, worker = await begun(stage)
    worker.serve("stable", good=500, revision=3).serve(good=20, revision=3).report()
    await stage.look(control, 6)
    await control.checkpoints.keep()
    before = control.overview.view("checkout")["evidence"]["odds"]
    control = await stage.restart(text=text())
    worker = stage.worker(control, "b1")
    assert where(control) == ("progressing", 1, 1.0)
    assert control.overview.view("checkout")["rollout"]["waiting"]["sample"] == {"have": 20, "need": 30}
    assert control.overview.view("checkout")["evidence"]["odds"] == pytest.approx(before)
    worker.serve("stable", good=10, revision=3).serve(good=10, revision=3).report()
    await stage.look(control, 3)
    assert where(control) == ("progressing", 1, 1.0), "9 of 10 seconds, the time without control included"
    await stage.look(control, 1)
    assert where(control) == ("paused", 2, 1.0)


async def test_a_ledger_that_fails_holds_the_rollout_and_no_trip(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    control, worker = await begun(stage)
    stage.ledger.failing = True
    await judged(stage, control, worker)
    assert where(control) == ("paused", 2, 1.0), "a pause raises nothing"
    assert control.overview.view("checkout")["durable"] is False
    with pytest.raises(NotDurable, match="the disk is full"):
        await control.orders.apply("checkout", Promote(), PERSON)
    assert where(control) == ("paused", 2, 1.0)
    worker.serve(bad=60, revision=control.overview.view("checkout")["revision"]).report()
    assert worker.told().halted == {"canary"}
    assert control.overview.view("checkout")["durable"] is False


async def test_a_step_that_cannot_be_written_is_said_and_tried_again(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    control = await stage.begin(text=text())
    stage.worker(control)
    await control.orders.apply("checkout", Start(None, ""), PERSON)
    stage.ledger.failing = True
    for _ in range(3):
        await stage.look(control, 1)
    assert where(control) == ("progressing", 0, 0.0)
    assert "the disk is full" in control.overview.view("checkout")["rollout"]["waiting"]["says"]
    assert caplog.text.count("the rollout can't go on") == 1
    stage.ledger.failing = False
    await stage.look(control, 1)
    assert where(control) == ("progressing", 1, 1.0)


async def test_why_it_could_not_go_on_is_forgotten_when_something_else_has_come(stage: Stage) -> None:
    control = await stage.begin(text=text(hooks=HOOKS))
    worker = stage.worker(control)
    await control.orders.apply("checkout", Start(None, ""), PERSON)
    stage.ledger.failing = True
    await stage.look(control)
    assert "the disk is full" in control.overview.view("checkout")["rollout"]["waiting"]["says"]
    stage.ledger.failing = False
    await control.orders.apply("checkout", Abort(), PERSON)
    stage.outside.agrees["before-step"] = "answered 503"
    await control.orders.apply("checkout", Resume(), PERSON)
    await stage.look(control)
    assert worker.told().halted == set()
    says = control.overview.view("checkout")["rollout"]["waiting"]["says"]
    assert says == "held at before-step: answered 503"


async def test_a_canary_that_is_named_at_runtime(stage: Stage) -> None:
    control = await stage.begin(text=text())
    worker = stage.worker(control)
    canary = Side((Endpoint.parse("http://127.0.0.1:9009"),), "v9")
    plan = Plan((Step(10_000, 0.0, 0),))
    await control.orders.apply("checkout", Start(plan, "", canary), PERSON)
    await stage.look(control)
    told = worker.told()
    assert [(side.name, side.version) for side in told.backends] == [("stable", "v1"), ("canary", "v9")]
    assert stage.outside.watched[-1] == ("checkout", ["stable", "canary"])
    control = await stage.restart(text=text())
    assert control.overview.view("checkout")["backends"]["canary"]["version"] == "v9", (
        "the file's is as it was"
    )
    control = await stage.restart(text=text().replace("version: v2", "version: v3"))
    assert control.overview.view("checkout")["backends"]["canary"]["version"] == "v3", (
        "the file's is another one"
    )
    assert where(control)[0] == "idle"


async def test_a_service_without_canary_gets_one_at_runtime_and_it_is_judged(stage: Stage) -> None:
    bare = "services: {checkout: {stable: 'http://127.0.0.1:9001', segments: []}}"
    control = await stage.begin(text=bare)
    worker = stage.worker(control)
    plan = Plan((Step(5000, 60.0, 0), Step(10_000, 0.0, 0)))
    with pytest.raises(Conflict, match="no canary to start"):
        await control.orders.apply("checkout", Start(plan, ""), PERSON)
    await control.orders.apply("checkout", Start(plan, "", Side((Endpoint.parse("http://b"),), "v2")), PERSON)
    await stage.look(control)
    assert where(control) == ("progressing", 1, 50.0)
    worker.serve("stable", good=300, revision=3).serve(bad=60, revision=3).report()
    assert worker.told().halted == {"canary"}
    await stage.written(control)
    trips = (await control.overview.snapshot()).trips
    assert (trips["checkout", "errors"], trips["checkout", "p99"]) == (1, 0), "a series begins at 0"


async def test_a_repeated_order_is_answered_and_not_repeated(stage: Stage) -> None:
    control, _ = await begun(stage)
    keyed = OrderTerms("because", "ann", None, "key-1", "digest")
    await control.orders.apply("checkout", Pause(), keyed)
    await control.orders.apply("checkout", Resume(), PERSON)
    revision = control.overview.view("checkout")["revision"]
    assert (await control.orders.apply("checkout", Pause(), keyed))["revision"] == revision
    with pytest.raises(KeyReused):
        await control.orders.apply("checkout", Abort(), OrderTerms("", "ann", None, "key-1", "another"))
    control = await stage.restart(text=text())
    assert (await control.orders.apply("checkout", Pause(), keyed))["revision"] == revision
    assert where(control)[0] == "progressing"


async def test_of_two_at_once_under_one_key_one_is_carried_out(stage: Stage) -> None:
    control = await stage.begin(text=text())
    stage.worker(control)
    stage.ledger.held.clear()
    stage.ledger.reached.clear()
    keyed = OrderTerms("", "ann", None, "key-1", "digest")
    first = asyncio.create_task(control.orders.apply("checkout", Start(None, ""), keyed))
    await asyncio.to_thread(stage.ledger.reached.wait)
    with pytest.raises(Conflict, match="still under way"):
        await control.orders.apply("checkout", Start(None, ""), keyed)
    with pytest.raises(KeyReused, match="is under way"):
        await control.orders.apply("checkout", Abort(), OrderTerms("", "ann", None, "key-1", "another"))
    stage.ledger.held.set()
    await first
    assert [entry["event"] for entry in await control.history.entries("checkout")] == ["release", "start"]


async def test_an_order_that_fails_may_be_sent_again_under_its_key(stage: Stage) -> None:
    control = await stage.begin(text=text())
    stage.worker(control)
    keyed = OrderTerms("", "ann", None, "key-1", "digest")
    stage.ledger.failing = True
    with pytest.raises(NotDurable):
        await control.orders.apply("checkout", Start(None, ""), keyed)
    stage.ledger.failing = False
    await control.orders.apply("checkout", Start(None, ""), keyed)
    assert where(control)[0] == "progressing"


async def test_an_order_that_changed_nothing_is_known_by_its_key_all_the_same(stage: Stage) -> None:
    control, _ = await begun(stage)
    await control.orders.apply("checkout", Abort(), PERSON)
    keyed = OrderTerms("", "ann", None, "key-1", "digest")
    await control.orders.apply("checkout", Abort(), keyed)
    await stage.written(control)
    control = await stage.restart(text=text())
    stage.worker(control)
    await control.orders.apply("checkout", Retry(""), PERSON)
    await control.orders.apply("checkout", Abort(), keyed)
    assert where(control)[0] == "progressing"


async def test_refusals_name_what_is_possible(stage: Stage) -> None:
    control, _ = await begun(stage)
    with pytest.raises(Conflict, match="undo is not possible while the rollout is progressing") as caught:
        await control.orders.apply("checkout", Undo(""), PERSON)
    assert (caught.value.phase, caught.value.legal) == (
        "progressing",
        ("start", "promote", "pause", "abort", "set-weight"),
    )


async def test_fifty_orders_on_one_picture_and_exactly_one_wins_each_revision(stage: Stage) -> None:
    control = await stage.begin()
    stage.worker(control)
    for revision in range(1, 4):
        orders = [
            control.orders.apply("checkout", SetWeight(revision * 100 + n), OrderTerms("", "ann", revision))
            for n in range(50)
        ]
        outcomes = await asyncio.gather(*orders, return_exceptions=True)
        assert sum(not isinstance(each, Exception) for each in outcomes) == 1
    assert control.overview.view("checkout")["revision"] == 4


async def test_what_is_told_is_acknowledged_into_the_ledger(stage: Stage) -> None:
    control, worker = await begun(stage)
    stage.time += 0.25
    worker.ack()
    await stage.written(control)
    entry = (await control.history.entries("checkout"))[-1]
    assert (entry["event"], entry["acknowledged_ms"]) == ("step", 250.0)
    assert entry["generation"] == worker.tables[-1].generation


async def test_its_deadline_pauses_a_rollout(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    control, _ = await begun(stage)
    await stage.look(control, 3600)
    assert where(control) == ("paused", 1, 1.0)
    await stage.written(control)
    assert stage.outside.notified[-1] == ("checkout", "deadline")
    await control.orders.apply("checkout", Resume(), PERSON)
    await stage.look(control, 60)
    assert where(control) == ("progressing", 1, 1.0), "it runs anew from the resume"


DAY = 86_400.0


@pytest.mark.parametrize("by", [-DAY, DAY])
async def test_a_clock_that_is_set_holds_no_step_and_hurries_none(stage: Stage, by: float) -> None:
    control, worker = await begun(stage)
    stage.set_by = by
    await judged(stage, control, worker, seconds=9)
    assert where(control) == ("progressing", 1, 1.0), "its time isn't over"
    assert control.overview.view("checkout")["rollout"]["waiting"]["hold"] == pytest.approx(1.0)
    await stage.look(control, 1)
    assert where(control) == ("paused", 2, 1.0)


async def test_a_clock_that_was_set_back_before_a_restart_begins_the_hold_anew_at_most(stage: Stage) -> None:
    control, worker = await begun(stage)
    await judged(stage, control, worker, seconds=5)
    stage.set_by = -DAY
    control = await stage.restart(text=text())
    worker = stage.worker(control, "b1")
    await judged(stage, control, worker, seconds=9)
    assert where(control) == ("progressing", 1, 1.0)
    await stage.look(control, 1)
    assert where(control) == ("paused", 2, 1.0)
