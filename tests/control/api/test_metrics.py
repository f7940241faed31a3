"""A scrape: the snapshot of now, in the format and with the content type that Prometheus expects."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from proxy.control.api import metrics
from proxy.telemetry.counts import Counts
from proxy.telemetry.exposition import CheckSample, Snapshot
from proxy.telemetry.outcome import Outcome
from tests.control.conftest import FakeControl

SNAPSHOT = Snapshot(
    totals={},
    weights={("checkout", "canary"): 0.05},
    shares={},
    checks=[CheckSample(service="checkout", check="error-rate", value=None, threshold=0.1, samples=3)],
    trips={("checkout", "error-rate"): 2},
    refused={},
    version="1.2.3",
)


async def test_a_scrape_shows_the_snapshot(serve: Callable[..., Any], fake_control: FakeControl) -> None:
    fake_control.numbers = SNAPSHOT
    client = await serve()
    response = await client.get("/metrics")
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(await response.text())
        for sample in family.samples
    }
    assert samples[("weir_backend_weight_ratio", ("backend", "canary"), ("service", "checkout"))] == 0.05
    assert (
        samples[("weir_trips_total", ("check", "error-rate"), ("enforced", "true"), ("service", "checkout"))]
        == 2
    )
    assert samples[("weir_build_info", ("version", "1.2.3"))] == 1
    assert not any(name == "weir_check_value" for name, *_ in samples)


async def test_every_scrape_is_collected_anew(serve: Callable[..., Any], fake_control: FakeControl) -> None:
    client = await serve()
    for version in ("1", "2"):
        fake_control.numbers = Snapshot({}, {}, {}, [], {}, version, {})
        text = await (await client.get("/metrics")).text()
        assert f'weir_build_info{{version="{version}"}} 1.0' in text
        assert text.count("\nweir_build_info{") == 1
        assert "python_info" not in text  # nothing of the library's own registry


def many(services: int) -> Snapshot:
    sides = [(f"s{number}", backend) for number in range(services) for backend in ("stable", "canary")]
    counts = {side: counted(number) for number, side in enumerate(sides)}
    checks = [CheckSample(name, "errors", 0.1, 0.2, 3) for name, _ in sides[::2]]
    return Snapshot(counts, dict.fromkeys(sides, 0.5), {}, checks, {("s0", "errors"): 1}, "1", {"host": 3})


def counted(successes: int) -> Counts:
    counts = Counts(in_flight=successes)
    for _ in range(successes):
        counts.record(Outcome(("s", 1, "stable"), "GET", 200, "complete", "success", True, 0.01, 0.02))
    return counts


@pytest.mark.parametrize("services", [0, 1, metrics.SERVICES, 3 * metrics.SERVICES + 1])
async def test_what_is_written_in_turns_is_what_is_written_in_one_go(
    serve: Callable[..., Any], fake_control: FakeControl, services: int
) -> None:
    snapshot = fake_control.numbers = many(services)
    client = await serve()
    shown = await (await client.get("/metrics")).read()
    whole = metrics.written(snapshot)
    assert shown.splitlines() == whole.splitlines()
    assert shown.endswith(b"\n")


async def test_others_have_the_loop_while_a_scrape_is_written(
    fake_control: FakeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_control.numbers = many(3 * metrics.SERVICES)
    said, write = [], metrics.written

    def noted(part: Snapshot) -> bytes:
        said.append("part")
        asyncio.get_running_loop().call_soon(said.append, "other")
        return write(part)

    monkeypatch.setattr(metrics, "written", noted)
    await metrics.scrape(fake_control)
    assert said == ["part", "other"] * 3


async def test_a_snapshot_that_fails_is_a_500(serve: Callable[..., Any], fake_control: FakeControl) -> None:
    fake_control.failure = OSError("ledger")
    client = await serve()
    response = await client.get("/metrics")
    assert response.status == 500
    assert response.content_type == "application/problem+json"
