"""What /metrics shows is put together from all services, each thing in its place."""

import asyncio
from types import SimpleNamespace

import pytest

from proxy.control.views import snapshot
from proxy.routing.endpoint import Endpoint
from proxy.telemetry.control_metrics import Operations
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import REASONS, UNROUTED, BackendKey, refused

NAMES = [f"shop{number}" for number in range(25)]
ONE_BY_NAME = ("odds", "exposed", "cold")
ONE_BY_SIDE = ("weights", "shares", "halted")


@pytest.fixture(autouse=True)
def _views(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services are names here, and all that is seen of one tells what was asked and of whom."""
    seen = {what: lambda one, *now, what=what: {one.name: (what, one.name, *now)} for what in ONE_BY_NAME}
    seen |= {what: lambda one, *now, what=what: {(one.name, "stable"): (what, *now)} for what in ONE_BY_SIDE}
    views = SimpleNamespace(samples=lambda one: [("sample", one.name)], **seen)
    monkeypatch.setattr(snapshot, "view", views)


def managed(name: str) -> SimpleNamespace:
    stable = SimpleNamespace(name="stable", endpoints=(Endpoint.parse(f"http://{name}"),))
    return SimpleNamespace(name=name, service=SimpleNamespace(backends=(stable,)))


def taken(totals: dict[BackendKey, Counts]) -> snapshot.Snapshot:
    gone = ("gone", "errors")
    operations = Operations(
        hooks={("shop0", "after", "open"): 1, ("gone", "after", "open"): 1},
        notices={("shop0", "sent"): 1, ("gone", "sent"): 1},
        reloaded=False,
    )
    would = {("shop1", "errors"): 2, gone: 1}
    return asyncio.run(
        snapshot.collect(
            totals=totals,
            managed_services=[managed(name) for name in NAMES],  # type: ignore[misc]
            trips={("shop0", "errors"): 1, gone: 1},
            would_trips=would,
            now=7.0,
            conditions=lambda one: {f"http://{one.name}": "dead"} if one.name == "shop1" else {},
            operations=operations,
        )
    )


def test_what_is_seen_of_each_service_is_in_its_place() -> None:
    got = taken({})
    assert got.weights == {(name, "stable"): ("weights",) for name in NAMES}
    assert got.shares == {(name, "stable"): ("shares", 7.0) for name in NAMES}
    assert got.halted == {(name, "stable"): ("halted",) for name in NAMES}
    assert got.evidence == {name: ("odds", name) for name in NAMES}
    assert got.exposed == {name: ("exposed", name) for name in NAMES}
    assert got.cold == {name: ("cold", name) for name in NAMES}
    assert got.checks == [("sample", name) for name in NAMES]
    assert got.trips == {("shop0", "errors"): 1}
    assert got.would_trips == {("shop1", "errors"): 2}
    up = {(name, "stable", f"http://{name}"): name != "shop1" for name in NAMES}
    assert got.operations == Operations(
        {("shop0", "after", "open"): 1}, {("shop0", "sent"): 1}, up, reloaded=False
    )


def test_both_backends_of_each_service_are_counted_from_zero_and_none_of_others() -> None:
    some = Counts(harmed=3)
    got = taken({("shop0", "canary"): some, ("gone", "stable"): Counts(harmed=9)})
    assert got.totals.keys() == {(name, backend) for name in NAMES for backend in ("stable", "canary")}
    assert got.totals["shop0", "canary"] is some
    assert got.totals["shop1", "canary"] == Counts()


def test_what_was_turned_away_is_told_by_its_reason_and_is_no_service() -> None:
    reason = next(iter(REASONS))
    shop, turned = Counts(), Counts()
    for _ in range(5):
        turned.record(refused(reason, b"GET", 400))
    got = taken({("shop0", "stable"): shop, (UNROUTED, reason): turned})
    assert got.totals["shop0", "stable"] is shop
    assert UNROUTED not in {service for service, _ in got.totals}
    assert got.refused == dict.fromkeys(REASONS, 0) | {reason: 5}
