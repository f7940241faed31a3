"""What /metrics shows is put together from all services, each thing in its place."""

import asyncio
from types import SimpleNamespace

import pytest

from proxy.control.views import snapshot
from proxy.telemetry.control_metrics import Operations
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import REASONS, UNROUTED, BackendKey, refused

NAMES = [f"shop{number}" for number in range(25)]
ONE_BY_NAME = ("odds", "exposed")
ONE_BY_SIDE = ("weights", "shares", "halted")


@pytest.fixture(autouse=True)
def _views(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services are names here, and all that is seen of one tells what was asked and of whom."""
    seen = {what: lambda name, *now, what=what: {name: (what, name, *now)} for what in ONE_BY_NAME}
    seen |= {what: lambda name, *now, what=what: {(name, "stable"): (what, *now)} for what in ONE_BY_SIDE}
    views = SimpleNamespace(samples=lambda name: [("sample", name)], **seen)
    monkeypatch.setattr(snapshot, "view", views)


def taken(totals: dict[BackendKey, Counts]) -> snapshot.Snapshot:
    operations = Operations(reloaded=False)
    would = {("shop1", "errors"): 2}
    return asyncio.run(
        snapshot.collect(
            totals=totals,
            managed_services=NAMES,  # type: ignore[arg-type]
            trips={("shop0", "errors"): 1},
            would_trips=would,
            now=7.0,
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
    assert got.checks == [("sample", name) for name in NAMES]
    assert got.trips == {("shop0", "errors"): 1}
    assert got.would_trips == {("shop1", "errors"): 2}
    assert got.operations == Operations(reloaded=False)


def test_what_was_turned_away_is_told_by_its_reason_and_is_no_service() -> None:
    reason = next(iter(REASONS))
    shop, turned = Counts(), Counts()
    for _ in range(5):
        turned.record(refused(reason, b"GET", 400))
    got = taken({("shop0", "stable"): shop, (UNROUTED, reason): turned})
    assert got.totals == {("shop0", "stable"): shop}
    assert got.refused == dict.fromkeys(REASONS, 0) | {reason: 5}
