"""The stage of `tests/kits`, as fixtures."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proxy.forwarding.peek import Peek, queued
from proxy.routing.table import Service
from tests.kits import exchanges
from tests.kits import stage as kit
from tests.kits.exchanges import Answered
from tests.kits.stage import Stage, Trip
from tests.kits.transports import FakePeek, Transport, Turns


@pytest.fixture(autouse=True)
def _peeks(monkeypatch: pytest.MonkeyPatch) -> None:
    def peek(transport: Any) -> Any:
        return FakePeek(transport) if isinstance(transport, Transport) else Peek(transport)

    def in_kernel(transport: Any) -> int:
        return queued(transport) if hasattr(transport.get_extra_info("socket"), "fileno") else 0

    monkeypatch.setattr("proxy.forwarding.backpressure.queued", in_kernel)
    monkeypatch.setattr("proxy.forwarding.upstream.Peek", peek)
    monkeypatch.setattr("proxy.forwarding.downstream.Peek", peek)
    monkeypatch.setattr("proxy.forwarding.connection.Peek", peek)


@pytest.fixture(scope="session")
def service() -> Callable[..., Service]:
    """Make a service: `service(weight=10_000, sticky=Sticky(...))`."""
    return kit.service


@pytest.fixture
def stage() -> Stage:
    """A stage with one service and one endpoint."""
    return Stage()


@pytest.fixture(scope="session")
def staged() -> type[Stage]:
    """Make a stage with these services."""
    return Stage


@pytest.fixture
def tripping() -> Callable[..., tuple[Stage, Trip]]:
    """Make a stage with all its weight on the canary, which can be halted."""

    def make(drain: float | None = 10.0, **more: Any) -> tuple[Stage, Trip]:
        trip = Trip(Stage(kit.service(weight=10_000, **more)), drain)
        return trip.stage, trip

    return make


@pytest.fixture(scope="session")
def transport_of() -> Callable[..., Transport]:
    """Connect a protocol to a transport of its own; return it with the turns that are still to come."""

    def connect(protocol: Any, **more: Any) -> Transport:
        return Transport(Turns(), protocol, **more)

    return connect


@pytest.fixture(scope="session")
def every_cut() -> Callable[[bytes], Iterator[tuple[bytes, ...]]]:
    """Cut bytes: whole, one by one, and in two at several points."""
    return exchanges.every_cut


@pytest.fixture(scope="session")
def answers() -> Callable[..., list[Answered]]:
    """Read whole answers off what a client got: a list of status, fields and body."""
    return exchanges.answers
