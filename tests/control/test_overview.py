"""What is counted, and what of it is shown."""

import asyncio

import pytest

import proxy
from proxy.config.reader import read
from proxy.ledger.ledger import Kept
from proxy.link.messages import ReportStored
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import refused
from tests.kits.control_stage import FILE, Stage


async def test_counted_comes_when_it_is_kept(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    stage.ledger.failing = True
    worker.serve(good=3).report()
    await control.checkpoints.keep()
    assert ReportStored not in map(type, worker.said)
    stage.ledger.failing = False
    await control.checkpoints.keep()
    assert worker.said[-1] == ReportStored(worker.tally.number)


async def test_counts_are_kept_without_a_rest_once_it_drains(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve(good=1).report()
    while ReportStored(worker.tally.number) not in worker.said:
        await control.history.entries("plain")  # a turn on the ledger's thread
    worker.serve(good=1).report()
    for _ in range(3):
        await control.history.entries("plain")
    assert ReportStored(worker.tally.number) not in worker.said
    control.drain()
    while ReportStored(worker.tally.number) not in worker.said:
        await control.history.entries("plain")


async def test_metrics_over_a_restart(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve("stable", good=7).serve(good=2, bad=1).report()
    shown = await control.overview.snapshot()
    worker.serve("stable", good=1).report()
    control = await stage.restart()
    worker.connect(control, {"checkout": 1, "plain": 1})
    after = await control.overview.snapshot()
    assert shown.totals["checkout", "stable"].requests == 7
    assert after.totals["checkout", "stable"].requests == 8
    assert after.totals["checkout", "canary"].requests == shown.totals["checkout", "canary"].requests == 3
    assert after.weights == {
        ("checkout", "stable"): 0.8,
        ("checkout", "canary"): 0.2,
        ("plain", "stable"): 1.0,
    }
    assert after.version == proxy.__version__


async def test_what_metrics_showed_is_in_the_ledger_even_if_all_die(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve("stable", good=7).report()
    await control.overview.snapshot()
    control = await stage.restart()
    stage.worker(control, "another boot")
    assert (await control.overview.snapshot()).totals["checkout", "stable"].requests == 7


async def test_metrics_do_not_show_what_is_reported_while_they_are_kept(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve("stable", good=7).report()
    loop, keep = asyncio.get_running_loop(), stage.ledger.keep

    def interrupted(kept: Kept) -> None:
        loop.call_soon_threadsafe(lambda: worker.serve("stable", good=1).report())
        keep(kept)

    stage.ledger.keep = interrupted
    shown = await control.overview.snapshot()
    stage.ledger.keep = keep
    assert worker.tally.number > 2
    assert shown.totals["checkout", "stable"].requests == 7


async def test_metrics_wait_for_the_workers(stage: Stage) -> None:
    control = await stage.begin(workers=2)
    stage.worker(control, "b0", 0)
    scrape = asyncio.create_task(control.overview.snapshot())
    for _ in range(3):
        await control.history.entries(
            "plain"
        )  # whatever else it waited for on the ledger's thread is over then
    assert not scrape.done()
    stage.worker(control, "b1", 1)
    await scrape


async def test_metrics_of_checks_and_shares(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve("stable", good=30).serve(good=10).report()
    shown = await control.overview.snapshot()
    errors = shown.checks[0]
    assert (errors.service, errors.check, errors.value, errors.samples) == ("checkout", "errors", None, 0)
    await control.tick()
    errors = (await control.overview.snapshot()).checks[0]
    assert (errors.value, errors.threshold, errors.samples) == (0.0, pytest.approx(0.001), 10)
    assert shown.shares == {("checkout", "stable"): 0.75, ("checkout", "canary"): 0.25}
    assert control.overview.view("checkout")["shares"] == {"stable": 75.0, "canary": 25.0}


async def test_trips_are_counted_over_restarts(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    checks = ("errors", "p50", "p90", "p99", "guard")
    none = {(service, check): 0 for service in ("checkout", "plain") for check in checks}
    assert (await control.overview.snapshot()).trips == none
    worker.serve(bad=20).report()
    await stage.written(control)
    assert (await control.overview.snapshot()).trips == none | {("checkout", "errors"): 1}
    control = await stage.restart()
    stage.worker(control)
    assert (await control.overview.snapshot()).trips == none | {("checkout", "errors"): 1}


async def test_a_service_is_counted_from_zero_after_a_reload_and_no_longer_once_it_is_gone(
    stage: Stage,
) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve("stable", good=3, service="plain").report()
    text = FILE.format(weight="20%", version="v1", enforce="true")
    await control.reload(read(text.replace("plain", "other"), "weir.yaml", {}))
    shown = await control.overview.snapshot()
    assert {service for service, _ in shown.totals} == {"checkout", "other"}
    assert {service for service, _ in shown.trips} == {"checkout", "other"}
    assert shown.totals["other", "canary"] == Counts()
    assert set(shown.trips.values()) == {0}
    await control.reload(read(text, "weir.yaml", {}))
    shown = await control.overview.snapshot()
    assert shown.totals["plain", "stable"].requests == 3, "it goes on from what was counted"


async def test_refusals_are_shown_by_their_reason_from_zero_on_and_over_a_restart(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    assert set((await control.overview.snapshot()).refused.values()) == {0}
    for _ in range(2):
        worker.tally.add(refused("host", b"GET", 400))
    worker.serve("stable", good=1).report()
    await control.overview.snapshot()
    control = await stage.restart()
    shown = await control.overview.snapshot()
    assert (shown.refused["host"], shown.refused["malformed"]) == (2, 0)
    assert {service for service, _ in shown.totals} <= {"checkout", "plain"}
