"""A tiny admin API in a thread, and what it shows of services."""

import os
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.cli.fake_admin import FakeAdmin, Handler, Json

A_FINDING = {"check": "error-rate", "state": "healthy", "value": 0.002, "limit": 0.1, "stable": 0.001}
A_FINDING |= {"sample": 400, "needed": 20, "window": 30.0, "unit": "ratio", "odds": None}
A_FINDING |= {"sentence": "error-rate 0.2 % is within its limit of 10 %"}


def a_view(name: str = "checkout", **more: Any) -> Json:
    side = {"requests": 1234, "failures": 2, "gave_up": 0, "error_rate": 0.0016, "p50": 0.004, "p99": 0.0123}
    view = {
        "name": name,
        "revision": 7,
        "phase": "idle",
        "weights": {"stable": 95.0, "canary": 5.0},
        "shares": {"stable": 94.8123, "canary": 5.1877},
        "backends": {
            "stable": {"endpoints": ["http://127.0.0.1:9001"], "version": ""},
            "canary": {"endpoints": ["http://127.0.0.1:9002"], "version": "v3"},
        },
        "halted": [],
        "enforce": True,
        "durable": True,
        "trip": None,
        "verdict": {
            "state": "healthy",
            "findings": [A_FINDING],
            "assurance": None,
        },
        "evidence": {"odds": None, "bar": None, "cold_for": 0.0},
        "blast_radius": {
            "met": 0,
            "exposed_users": None,
            "harmed": 0,
            "gave_up": 0,
            "rescued": 0,
            "since": None,
        },
        "overdue": {"stable": 0, "canary": 0},
        "outage": None,
        "window": {"seconds": 30, "stable": side, "canary": None},
        "drift": None,
        "rollout": None,
        "orders": ["start", "set-weight", "promote", "abort"],
        "undo": None,
        "origin": {"stable": "file", "canary": "file"},
    }
    return view | more


def a_rolling_view(name: str = "checkout", *, step: int = 1, **more: Any) -> Json:
    """In a step of three that has 31 of its 200 answers, or at the gate that is the second."""
    waiting: Json = {"hold": 60.0, "sample": {"have": 31, "need": 200}, "verdict": "inconclusive"}
    waiting |= {"says": "31 of 200 answers; at this rate in about 11 min", "seconds": 660.0}
    waiting |= {"gate": None, "pause": ""}
    rollout = {
        "steps": [
            {"weight": 5.0, "hold": 600.0, "min_requests": 200},
            {"pause": "ask the on-call"},
            {"weight": 100.0, "hold": 0.0, "min_requests": 0},
        ],
        "step": step,
        "of": 3,
        "began": "2026-01-02T03:00:00Z",
        "entered": "2026-01-02T03:04:05Z",
        "deadline": 86_400.0,
        "expected": 2520.0,
        "rate": 41.2,
        "assured": 434,
        "waiting": waiting,
    }
    orders = ["promote", "pause", "abort", "set-weight"]
    return a_view(name, phase="progressing", rollout=rollout, orders=orders) | more


def a_paused_view(
    name: str = "checkout", *, step: int = 2, pause: str = "ask the on-call", **more: Any
) -> Json:
    view = a_rolling_view(
        name, step=step, phase="paused", orders=["promote", "resume", "abort", "set-weight"]
    )
    said = {"says": f"paused: {pause}", "seconds": None, "pause": pause, "sample": None}
    view["rollout"]["waiting"] |= said
    return view | more


def a_tripped_view(name: str = "pay", **more: Any) -> Json:
    trip = {
        "at": "2026-01-02T03:04:05.678Z",
        "check": "error-rate",
        "sentence": "error-rate 27.3 % is too high",
    }
    trip |= {"finding": {}, "weight_before": 20.0, "acknowledged_ms": 12.4}
    weights = {"stable": 100.0, "canary": 0.0}
    out = a_view(name, phase="rolled-back", weights=weights, shares=None, halted=["canary"], trip=trip)
    out["orders"] = ["start", "resume", "abort", "retry"]
    return out | more


def an_entry(number: int, **more: Any) -> Json:
    entry = {
        "id": number,
        "service": "checkout",
        "revision": number,
        "at": "2026-01-02T03:04:05Z",
        "event": "weight",
    }
    entry |= {"actor": "ann@laptop", "reason": "", "from": 5.0, "to": 10.0, "finding": None}
    return entry | {"phase": "idle", "step": 0, "generation": 12, "acknowledged_ms": None} | more


@pytest.fixture
def fake_admin() -> Iterator[FakeAdmin]:
    fake = FakeAdmin()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"fake": fake}))
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield fake
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def dead_url() -> str:
    """An address where nothing listens: the port was free a moment ago."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.server_close()
    return f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have a weir of their own."""
    for name in list(os.environ):
        if name.startswith("WEIR_"):
            monkeypatch.delenv(name)


@pytest.fixture
def view() -> Callable[..., Json]:
    return a_view


@pytest.fixture
def tripped_view() -> Callable[..., Json]:
    return a_tripped_view


@pytest.fixture
def rolling_view() -> Callable[..., Json]:
    return a_rolling_view


@pytest.fixture
def paused_view() -> Callable[..., Json]:
    return a_paused_view


@pytest.fixture
def entry() -> Callable[..., Json]:
    return an_entry
