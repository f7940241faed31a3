"""What control makes of evidence beside trips: thresholds, what survives, and what is told of it."""

import pytest

from proxy.link.messages import ThresholdUpdate
from proxy.telemetry.outcome import COMPLETE, Outcome
from tests.kits.control_stage import Stage, Worker


def serve_slowly(worker: Worker, number: int, seconds: float, backend: str = "stable") -> None:
    """Answers that took so long."""
    key = ("checkout", 1, backend)
    for _ in range(number):
        worker.tally.begin(key)
        worker.tally.add(Outcome(key, "GET", 200, COMPLETE, "success", True, seconds, seconds))


def thresholds(worker: Worker) -> list[dict[str, dict[str, tuple[float, float, float]]]]:
    return [message.services for message in worker.said if isinstance(message, ThresholdUpdate)]


async def test_workers_are_told_from_when_on_requests_are_slow(stage: Stage) -> None:
    control = await stage.begin(workers=2)
    worker = stage.worker(control)
    assert thresholds(worker) == []
    serve_slowly(worker, 100, 0.040)
    worker.report()
    [told] = thresholds(worker)
    stable, canary = told["checkout"]["stable"], told["checkout"]["canary"]
    assert len(stable) == len(canary) == 3
    assert stable[0] == pytest.approx(0.040, rel=0.09)
    assert canary == pytest.approx([each + 0.25 for each in stable]), "it is cold"
    late = stage.worker(control, "b1", 1)
    assert thresholds(late) == [told], "a new worker is told at once"


async def test_thresholds_are_told_when_they_change_and_stay_over_a_restart_of_control(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    serve_slowly(worker, 100, 0.040)
    worker.report()
    serve_slowly(worker, 1, 0.040)
    worker.report()
    assert len(thresholds(worker)) == 1, "nothing new within ten seconds"
    stage.time += 11
    serve_slowly(worker, 900, 0.400)
    worker.report()
    assert len(thresholds(worker)) == 2
    await control.checkpoints.keep()
    control = await stage.restart()
    worker.connect(control)
    worker.serve("stable", good=1).report()
    await control.tick()
    assert thresholds(worker) == [], "the worker keeps those that it has until there is a sample"


async def test_evidence_survives_control_and_counts_once(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve("stable", good=50).serve(bad=2).report()
    await control.tick()
    odds = control.overview.view("checkout")["evidence"]["odds"]
    await control.checkpoints.keep()
    control = await stage.restart()
    worker.connect(control)
    await control.tick()
    assert control.overview.view("checkout")["evidence"]["odds"] == pytest.approx(odds)
    assert control.overview.view("checkout")["blast_radius"]["met"] == 2
    worker.serve(bad=3).report()
    assert control.overview.view("checkout")["phase"] == "rolled-back", (
        "with what was there before it is enough"
    )


async def test_what_was_never_kept_is_told_again_and_counts_once(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve(bad=2).report()
    await control.tick()
    odds = control.overview.view("checkout")["evidence"]["odds"]
    control = await stage.restart()
    worker.connect(control)
    await control.tick()
    assert control.overview.view("checkout")["evidence"]["odds"] == pytest.approx(odds)
    assert control.overview.view("checkout")["blast_radius"]["met"] == 2


async def test_the_explanation_names_what_fails(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    key = ("checkout", 1, "canary")
    for number in range(20):
        worker.tally.begin(key)
        route = b"/cart/%d" % number
        worker.tally.add(Outcome(key, "GET", 500, COMPLETE, "failure", True, 0.01, 0.02, route))
    worker.report()
    told = control.overview.explain("checkout")
    assert told["failed"] == [{"method": "GET", "path": "/cart/#", "status": 500, "count": 20}]
    assert told["blast_radius"]["harmed"] == 20
    assert "/cart/#" in told["text"]
