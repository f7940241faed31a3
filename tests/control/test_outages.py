"""Outages of stable: found, shown while they last, and logged now and then."""

import logging
from dataclasses import replace

import pytest

from proxy.control.outages import REMIND
from proxy.telemetry.outcome import Outcome
from tests.kits.control_stage import Stage, Worker

KEY = ("plain", 1, "stable")
URL = "http://127.0.0.1:9003"


def refuse(worker: Worker, number: int) -> None:
    for _ in range(number):
        worker.tally.begin(KEY)
        worker.tally.add(Outcome(KEY, "GET", 502, "connect", "failure", True, None, 0.01))
    worker.report()


async def test_a_stable_whose_answers_are_all_502_is_shown_and_logged_now_and_then(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    with caplog.at_level(logging.WARNING, "proxy.control.outages"):
        await stage.look(control, 1.0)
        assert control.overview.view("plain")["outage"] is None
        for _ in range(int(REMIND) + 5):
            refuse(worker, 3)
            await stage.look(control, 1.0)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2, "one at the beginning, and one a minute"
    assert lines[0].startswith("plain: stable is failing: 6 of its 6 latest requests failed (connect 6x)")
    outage = control.overview.view("plain")["outage"]
    assert outage["sentence"].endswith("latest requests failed (connect 78x)")
    assert control.overview.explain("plain")["text"].startswith("Stable of plain is failing since ")
    assert control.overview.failing == 1
    assert control.overview.view("checkout")["outage"] is None


async def test_it_ends_with_good_answers(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    refuse(worker, 9)
    await stage.look(control)
    assert control.overview.failing == 1
    worker.serve("stable", good=9, service="plain").report()
    await stage.look(control, 1.0)
    assert (control.overview.failing, control.overview.view("plain")["outage"]) == (0, None)
    assert caplog.records[-1].getMessage() == "plain: stable is failing no longer"


async def test_a_stable_without_an_endpoint_that_gets_requests_is_out(stage: Stage) -> None:
    control = await stage.begin()
    one, other = stage.worker(control, "b0"), stage.worker(control, "b1", 1)
    one.ejects(URL)
    await stage.look(control)
    side = control.overview.view("plain")["backends"]["stable"]
    assert side["conditions"] == {URL: "in service, but ejected by 1 of 2 workers, because it failed"}
    assert control.overview.failing == 0
    other.ejects(URL)
    await stage.look(control)
    assert control.overview.view("plain")["outage"]["sentence"] == (
        f"it has no endpoint alive: {URL} is ejected by 2 of 2 workers, because it failed"
    )
    shown = await control.overview.snapshot()
    assert shown.operations.endpoints["plain", "stable", URL] is False
    assert shown.operations.endpoints["checkout", "canary", "http://127.0.0.1:9002"] is True
    one.ejects()
    await stage.look(control)
    assert control.overview.failing == 0


async def test_a_stable_that_is_dead_by_its_probes_is_out(stage: Stage) -> None:
    stage.outside.known = {URL: "dead: connection refused"}
    control = await stage.begin()
    await stage.look(control)
    sentence = control.overview.view("plain")["outage"]["sentence"]
    assert sentence == f"it has no endpoint alive: {URL} is dead: connection refused"


async def test_another_stable_is_not_charged_with_it(stage: Stage) -> None:
    control = await stage.begin()
    worker = stage.worker(control)
    worker.serve("stable", bad=30).report()
    await stage.look(control)
    assert control.overview.view("checkout")["outage"]
    checkout = control.services["checkout"]
    checkout.assessment.enter(checkout.file, replace(checkout.rollout, stable=checkout.rollout.canary))
    await stage.look(control)
    assert control.overview.view("checkout")["outage"] is None
