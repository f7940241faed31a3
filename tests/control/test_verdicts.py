"""From a report to a canary that is out."""

import asyncio

import pytest

from proxy.control.command import OrderTerms
from proxy.control.errors import Conflict
from proxy.ledger.errors import NotDurable
from proxy.link.messages import Report, ThresholdUpdate
from proxy.rollout.inputs import Resume, SetWeight
from proxy.telemetry.outcome import Outcome
from tests.kits.control_stage import Stage

PERSON = OrderTerms("because", "ann")


async def test_a_failing_canary_is_taken_out_in_the_call_that_brings_the_report(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    control = await stage.begin()
    heard = []
    control.history.subscribe(heard.append)
    worker = stage.worker(control)
    worker.ack()
    worker.serve("stable", good=99, bad=1).serve(good=10, bad=10).report()
    told = worker.told()
    assert (told.halted, told.split.part("canary"), told.revision) == ({"canary"}, 0, 2)
    shown = control.overview.view("checkout")
    assert (shown["phase"], shown["halted"]) == ("rolled-back", ["canary"])
    trip = shown["trip"]
    assert (trip["check"], trip["weight_before"], trip["acknowledged_ms"]) == ("errors", 20.0, None)
    assert trip["finding"]["value"] == 0.5
    assert trip["finding"]["odds"] >= 100
    assert trip["finding"]["stable"] == 0.01
    assert trip["finding"]["sample"] == 20
    assert trip["at"] == "2023-11-14T22:30:00.000+00:00"
    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "checkout" in warning.message
    assert trip["sentence"] in warning.message
    await stage.written(control)
    entry = (await control.history.entries("checkout"))[-1]
    assert heard == [entry]
    assert (entry["event"], entry["actor"], entry["reason"]) == ("trip", "weir", trip["sentence"])
    assert (entry["from"], entry["to"], entry["finding"]) == (20.0, 0.0, trip["finding"])


async def test_a_rollback_is_complete_when_every_connected_worker_has_it(stage: Stage) -> None:
    control = await stage.begin(workers=3)
    one, two, three = (stage.worker(control, f"b{index}", index) for index in range(3))
    for worker in (one, two, three):
        worker.ack()
    one.serve(bad=20).report()
    stage.time += 0.004
    one.ack()
    two.ack()
    assert control.overview.view("checkout")["trip"]["acknowledged_ms"] is None
    stage.time += 0.002
    three.gone()
    assert control.overview.view("checkout")["trip"]["acknowledged_ms"] == 6.0
    stage.time += 1
    one.ack()
    assert control.overview.view("checkout")["trip"]["acknowledged_ms"] == 6.0


async def test_a_failing_ledger_does_not_delay_a_trip(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    heard = []
    control.history.subscribe(heard.append)
    stage.ledger.failing = True
    worker.serve(bad=20).report()
    assert worker.told().halted == {"canary"}
    assert control.overview.view("checkout")["durable"] is False
    assert "in force but not durable" in control.overview.explain("checkout")["text"]
    with pytest.raises(NotDurable):
        await control.orders.apply("checkout", Resume(), PERSON)
    assert heard == []
    stage.ledger.failing = False
    stage.paused.set()
    await stage.written(control)
    assert control.overview.view("checkout")["durable"] is True
    assert [entry["event"] for entry in heard] == ["trip"]


async def test_a_ledger_that_hangs_does_not_delay_a_trip(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    stage.ledger.held.clear()
    raising = asyncio.create_task(control.orders.apply("checkout", SetWeight(5000), PERSON))
    await asyncio.sleep(0)
    worker.serve(bad=20).report()
    assert worker.told().halted == {"canary"}
    stage.ledger.held.set()
    with pytest.raises(Conflict):
        await raising


async def test_watching_only_shows_the_verdict_and_does_nothing(stage: Stage) -> None:
    control = await stage.begin(enforce="false")
    worker = stage.worker(control)
    worker.serve(bad=30).report()
    worker.serve(bad=30).report()
    shown = control.overview.view("checkout")
    assert (shown["verdict"]["state"], shown["phase"], shown["enforce"]) == ("failing", "idle", False)
    assert len(worker.tables) == 1
    snapshot = await control.overview.snapshot()
    assert snapshot.would_trips["checkout", "errors"] == 1, "once, however often it is looked at"
    assert snapshot.would_trips["checkout", "guard"] == 0
    assert {service for service, _ in snapshot.trips} == {"plain"}


async def test_pinned_requests_count_as_well(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve(bad=20, drawn=False).report()
    assert worker.told().halted == {"canary"}


async def test_a_report_sent_twice_is_judged_once(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve(bad=2).report()
    await control.tick()
    odds = control.overview.view("checkout")["evidence"]["odds"]
    for _ in range(3):
        worker.send(Report("b0", worker.tally.number, worker.tally.everything(), 0))
        worker.tally.number -= 1
    await control.tick()
    assert control.overview.view("checkout")["phase"] == "idle"
    assert control.overview.view("checkout")["evidence"]["odds"] == odds > 4
    assert control.overview.view("checkout")["window"]["canary"]["requests"] == 2


async def test_what_the_guard_sees_grows_old(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve(bad=15, drawn=False).report()
    stage.time += 31
    worker.serve(bad=15, drawn=False).report()
    assert control.overview.view("checkout")["phase"] == "idle"
    assert control.overview.view("checkout")["window"]["canary"]["requests"] == 15
    stage.time += 31
    await control.tick()
    assert control.overview.view("checkout")["window"] == {"seconds": 30, "stable": None, "canary": None}
    assert control.overview.view("checkout")["shares"] is None


async def test_evidence_begins_anew_after_a_resume(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve(bad=20).report()
    await control.orders.apply("checkout", Resume(500), PERSON)
    worker.serve(bad=30, revision=2).report()
    shown = control.overview.view("checkout")
    assert (shown["phase"], shown["window"]["canary"]) == ("idle", None), "routed before the resume"
    worker.serve(bad=20, revision=3).report()
    assert control.overview.view("checkout")["trip"]["weight_before"] == 5.0


@pytest.mark.parametrize("analysis", ["off", "{slower: off}", "auto"])
async def test_a_cap_on_harm_sees_clients_that_gave_up_waiting_however_the_canary_is_judged(
    stage: Stage, analysis: str
) -> None:
    text = f"""services:
      checkout: {{stable: http://a, canary: http://b, weight: 20%, analysis: {analysis}, caps: {{harmed: 3}}}}
    """
    control = await stage.begin(text=text)
    worker = stage.worker(control)
    worker.serve("stable", good=200).report()
    await stage.look(control)
    [told] = [each for each in worker.said if isinstance(each, ThresholdUpdate)]
    assert len(told.services["checkout"]["canary"]) == 3, "or nothing would be overdue"
    key = ("checkout", 1, "canary")
    for _ in range(3):
        worker.tally.begin(key)
        worker.tally.overdue(key, (), 0)
        left = Outcome(key, "POST", 0, "client-left", "excluded", True, None, 3.0, overdue=True, gave_up=True)
        worker.tally.add(left)
    worker.report()
    assert worker.told().halted == {"canary"}
    shown = control.overview.view("checkout")
    assert (shown["blast_radius"]["harmed"], shown["blast_radius"]["gave_up"]) == (3, 3)
    assert shown["trip"]["sentence"].startswith("harmed: 3 clients got a bad answer or gave up waiting")
    text = control.overview.explain("checkout")["text"]
    assert "3 clients gave up waiting" in text
    assert "no bad answer" not in text
