"""What a control finds that begins where another ended, or died."""

import asyncio

import pytest

from proxy.analysis.verdict import UNRECORDED
from proxy.control.command import OrderTerms
from proxy.control.errors import Conflict
from proxy.rollout.inputs import SetWeight
from tests.kits.control_stage import Stage

PERSON = OrderTerms("because", "ann")


@pytest.mark.parametrize("weight", ["20%", "50%"])
async def test_a_tripped_canary_stays_tripped_over_restarts(stage: Stage, weight: str) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve(bad=20).report()
    await stage.written(control)
    before = control.overview.view("checkout")
    control = await stage.restart(weight=weight)
    after = control.overview.view("checkout")
    for key in ("revision", "phase", "weights", "halted"):
        assert after[key] == before[key]
    assert after["trip"] == before["trip"]
    assert after["drift"] is None
    assert stage.worker(control).told().halted == {"canary"}


async def test_a_new_canary_in_the_file_is_a_new_release(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    salt = worker.told().sticky.salt
    worker.serve(bad=20).report()
    await stage.written(control)
    control = await stage.restart(version="v2", weight="1%")
    shown = control.overview.view("checkout")
    assert (shown["phase"], shown["halted"], shown["weights"]["canary"]) == ("idle", [], 1.0)
    assert (shown["revision"], shown["trip"]) == (3, None)
    told = stage.worker(control).told()
    assert told.sticky.salt != salt
    entry = (await control.history.entries("checkout"))[-1]
    assert (entry["event"], entry["to"]) == ("release", 1.0)


async def test_another_weight_in_the_file_is_drift(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    await stage.begin(weight="5%")
    control = await stage.restart(weight="7.5%")
    shown = control.overview.view("checkout")
    assert shown["weights"]["canary"] == 5.0
    command = "weir set-weight checkout canary=7.5"
    assert shown["drift"]["apply"] == command
    assert command in caplog.text
    stage.worker(control)
    await control.orders.apply("checkout", SetWeight(750), PERSON)
    assert control.overview.view("checkout")["drift"] is None


async def test_an_untold_trip_is_learned_from_a_worker(stage: Stage) -> None:
    """Control dies between telling a trip and writing it."""
    control = await stage.begin()
    worker = stage.worker(control)
    stage.ledger.failing = True
    worker.serve(bad=20).report()
    assert worker.told().revision == 2
    control = await stage.restart()
    assert control.overview.view("checkout")["phase"] == "idle"
    held = {"checkout": 2, "plain": 1}
    worker.connect(control, held, {"checkout": ("canary",)})
    assert control.overview.view("checkout")["phase"] == "rolled-back"
    assert (worker.told().revision, worker.told().halted) == (3, {"canary"})
    await stage.written(control)
    entry = (await control.history.entries("checkout"))[-1]
    assert (entry["event"], entry["revision"], entry["to"]) == ("trip", 3, 0.0)
    trips = (await control.overview.snapshot()).trips
    assert (trips["checkout", UNRECORDED], trips["checkout", "errors"]) == (1, 0)
    control = await stage.restart()
    assert control.overview.view("checkout")["phase"] == "rolled-back"
    assert control.overview.view("plain")["revision"] == 1


async def test_raising_waits_for_what_workers_hold(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    stage.ledger.failing = True
    worker.serve(bad=20).report()
    control = await stage.restart()
    raising = asyncio.create_task(control.orders.apply("checkout", SetWeight(5000), PERSON))
    await asyncio.sleep(0)
    worker.connect(control, {"checkout": 2}, {"checkout": ("canary",)})
    with pytest.raises(Conflict, match="weir resume"):
        await raising


async def test_other_workers_are_told_what_one_of_them_held(stage: Stage) -> None:
    control = await stage.begin(workers=2)
    one = stage.worker(control, "b0", 0)
    stage.worker(control, "b1", 1).connect(control, {"checkout": 4}, {"checkout": ("canary",)})
    assert one.told().halted == {"canary"}


async def test_generations_go_on_over_restarts(stage: Stage) -> None:
    control = await stage.begin()
    stage.worker(control)
    await control.orders.apply("checkout", SetWeight(3000), PERSON)
    before = control.overview.generation
    control = await stage.restart()
    assert control.overview.generation >= before


async def test_stopping_keeps_what_was_counted_last(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve("stable", good=7).report()
    (_, thread) = stage.controls.pop()
    await control.stop()
    thread.shutdown()
    control = await stage.begin()
    stage.worker(control, "another boot")
    assert (await control.overview.snapshot()).totals["checkout", "stable"].requests == 7
