"""A control that needs neither workers nor a ledger, for what is served above it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from proxy.config.diff import Changes
from proxy.control import errors
from proxy.control.api import routes
from proxy.control.command import OrderTerms
from proxy.rollout.inputs import Order
from proxy.settings.plan import Planned
from tests.kits.control_stage import stage, stages

__all__ = ["stage", "stages"]

Json = dict[str, Any]
Serve = Callable[..., Awaitable[TestClient[web.Request, web.Application]]]


def a_view(name: str, canary: int, *, revision: int = 7, tripped: bool = False) -> Json:
    finding = {
        "check": "error-rate",
        "state": "failing",
        "value": 0.273,
        "limit": 0.1,
        "stable": 0.004,
        "sample": 55,
    }
    finding |= {
        "needed": 20,
        "window": 30,
        "unit": "ratio",
        "sentence": "error-rate 27.3 % is above its limit",
        "odds": None,
    }
    side = {"requests": 400, "failures": 2, "gave_up": 0, "error_rate": 0.005, "p50": 0.004, "p99": 0.012}
    trip = {
        "at": "2026-01-01T00:00:00Z",
        "check": "error-rate",
        "sentence": finding["sentence"],
        "finding": finding,
    }
    return {
        "name": name,
        "revision": revision,
        "phase": "rolled-back" if tripped else "idle",
        "weights": {"stable": 100 - canary / 100, "canary": canary / 100},
        "shares": None,
        "backends": {
            "stable": {"endpoints": ["http://127.0.0.1:9001"], "version": ""},
            "canary": {"endpoints": ["http://127.0.0.1:9002"], "version": "v3"},
        },
        "halted": ["canary"] if tripped else [],
        "enforce": True,
        "durable": True,
        "trip": trip | {"weight_before": 20.0, "acknowledged_ms": None} if tripped else None,
        "verdict": {
            "state": "failing" if tripped else "healthy",
            "findings": [finding],
            "odds": 12.5,
            "bar": 100.0,
            "assurance": {"odds": 3.0, "bar": 20.0, "requests": 130, "seconds": None},
            "sentence": "",
        },
        "evidence": {"odds": 12.5, "bar": 100.0, "cold_for": 0.0},
        "blast_radius": {
            "met": 9,
            "exposed_users": None,
            "harmed": 1,
            "gave_up": 0,
            "rescued": 2,
            "since": None,
        },
        "overdue": {"stable": 0, "canary": 1},
        "outage": {"since": "2026-01-01T00:00:00Z", "sentence": "5 of its 5 latest requests failed"},
        "window": {"seconds": 30, "stable": side, "canary": None},
        "drift": {"says": "not the same", "apply": "weir set-weight checkout canary=5", "write": None},
        "rollout": a_rollout() if tripped else None,
        "orders": ["start", "resume", "abort", "retry"] if tripped else ["start", "set-weight"],
        "undo": {"endpoints": ["http://127.0.0.1:9003"], "version": "v1"} if tripped else None,
        "origin": {"stable": "file", "canary": "ledger"},
    }


def a_rollout() -> Json:
    waiting = {
        "says": "31 of 200 answers; at this rate in about 11 min",
        "seconds": 660.0,
        "hold": 60.0,
        "sample": {"have": 31, "need": 200},
        "verdict": "inconclusive",
        "gate": {"at": "before-step", "says": "answered 503", "asked": 3},
        "pause": "",
    }
    return {
        "steps": [{"weight": 1.0, "hold": 120.0, "min_requests": 200}, {"pause": "ask"}],
        "step": 1,
        "of": 2,
        "began": "2026-01-01T00:00:00Z",
        "entered": "2026-01-01T00:00:00Z",
        "deadline": None,
        "expected": 660.0,
        "rate": 41.2,
        "assured": 434,
        "waiting": waiting,
    }


def an_entry(number: int, **more: Any) -> Json:
    entry = {"id": number, "service": "checkout", "revision": number, "at": "2026-01-01T00:00:00Z"}
    entry |= {
        "event": "weight",
        "actor": "ann@laptop",
        "reason": "",
        "from": 5.0,
        "to": 10.0,
        "finding": None,
        "phase": "idle",
        "step": 0,
        "generation": 12,
        "acknowledged_ms": None,
    }
    return entry | more


NOW = 1_700_000_000.0
"""Unix seconds, by the clock of the API."""


@dataclass
class FakeControl:
    """Answers like Control, remembers what it was asked, and fails with ``failure`` when that is set."""

    ready: bool = True
    generation: int = 12
    failing: int = 0
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    failure: Exception | None = None
    written: list[Json] = field(default_factory=list)
    callbacks: list[Callable[[Json], None]] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    """Orders wait for it; it is set unless a test clears it."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    part: tuple[int, float, int] = (-1, 0.0, 0)
    """The part of the entries that was asked for last: after, since, newest."""
    plans: Planned = field(default_factory=Planned)
    numbers: Any = None
    services: dict[str, Json] = field(
        default_factory=lambda: {
            "checkout": a_view("checkout", 1000),
            "pay": a_view("pay", 0, revision=9, tripped=True),
        }
    )

    def __post_init__(self) -> None:
        self.held.set()

    def names(self) -> list[str]:
        return list(self.services)

    def view(self, name: str) -> Json:
        return self.services[name]

    @property
    def overview(self) -> "FakeControl":
        return self

    @property
    def orders(self) -> "FakeControl":
        return self

    @property
    def history(self) -> "FakeControl":
        return self

    def explain(self, name: str) -> Json:
        view = self.services[name]
        shared = ("phase", "trip", "verdict", "evidence", "blast_radius", "overdue", "outage")
        failed = [{"method": "GET", "path": "/cart/#", "status": 500, "count": 8}]
        told = {"service": name, "text": f"{name} is explained.", "next": ["Wait."], "failed": failed}
        return told | {key: view[key] for key in shared}

    def planned(self, name: str) -> Planned:
        return self.plans

    async def apply(self, name: str, order: Order, terms: OrderTerms) -> Json:
        self.asked.set()
        await self.held.wait()
        if self.failure:
            raise self.failure
        revision = self.services[name]["revision"]
        if terms.if_match not in (None, revision):
            raise errors.StaleRevision(revision, terms.if_match)
        self.calls.append((name, order, terms))
        return a_view(name, getattr(order, "parts", None) or 0, revision=revision + 1)

    async def reload(self) -> Changes:
        if self.failure:
            raise self.failure
        return Changes({"checkout": ("timeouts",)}, added=("new",), restart=("listen",))

    async def entries(self, name: str, *, after: int, since: float, newest: int) -> list[Json]:
        self.part = (after, since, newest)
        found = [entry for entry in self.written if entry["service"] == name and entry["revision"] > after]
        return found[-newest:]

    async def entries_after(self, entry: int) -> list[Json]:
        return [known for known in self.written if known["id"] > entry]

    def subscribe(self, callback: Callable[[Json], None]) -> Callable[[], None]:
        self.callbacks.append(callback)

        def unsubscribe() -> None:
            self.callbacks.remove(callback)
            self.left.set()

        return unsubscribe

    def happen(self, entry: Json) -> None:
        self.written.append(entry)
        for callback in self.callbacks:
            callback(entry)

    async def snapshot(self) -> Any:
        if self.failure:
            raise self.failure
        return self.numbers


@dataclass(frozen=True)
class HostPort:
    host: str = "127.0.0.1"
    port: int = 9900


@dataclass(frozen=True)
class Admin:
    token: str | None = None
    open_metrics: bool = False
    listen: HostPort = HostPort()


@pytest.fixture
def fake_control() -> FakeControl:
    return FakeControl()


@pytest.fixture
def serve(aiohttp_client: Any, fake_control: FakeControl) -> Serve:
    """A client of the API over ``fake_control``, by the rules given: token, open_metrics, host."""

    async def serve(host: str = "127.0.0.1", **rules: Any) -> TestClient[web.Request, web.Application]:
        client: TestClient[web.Request, web.Application] = await aiohttp_client(
            routes.build(fake_control, Admin(listen=HostPort(host), **rules), fake_control, lambda: NOW)
        )
        return client

    return serve
