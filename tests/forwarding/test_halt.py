"""A halted backend: its endpoints, and the requests that were sent there."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from proxy.forwarding.halt import HaltedBackend, is_halted
from proxy.routing.choice import Choice
from proxy.routing.endpoint import Endpoint
from proxy.routing.table import Backend, RoutingTable, Service
from tests.kits.located import address

CANARY, STABLE = Endpoint.parse("http://canary:9002"), Endpoint.parse("http://stable:9001")


@pytest.fixture
def choice(service: Callable[..., Service]) -> Choice:
    """A choice of the canary."""
    return Choice(service(), "canary", address(CANARY.url), "weight", True, b"", b"")


def test_a_halted_backend_has_its_own_endpoints(service: Callable[..., Service]) -> None:
    assert HaltedBackend.of(service(), "canary") == HaltedBackend("shop", "canary", frozenset({CANARY}))
    assert HaltedBackend.of(service(), "another").endpoints == frozenset()


@pytest.mark.parametrize(
    ("service_name", "backend", "endpoint", "concerned"),
    [
        ("shop", "canary", CANARY, True),
        ("other", "canary", CANARY, False),
        ("shop", "another", CANARY, False),
        ("shop", "canary", STABLE, False),
    ],
)
def test_it_concerns_requests_for_its_service_backend_and_endpoints(
    choice: Choice, service_name: str, backend: str, endpoint: Endpoint, concerned: bool
) -> None:
    assert HaltedBackend(service_name, backend, frozenset({endpoint})).was_chosen(choice) is concerned


def test_a_choice_is_halted_by_the_present_table(choice: Choice, service: Callable[..., Service]) -> None:
    halted = service(halted=frozenset({"canary"}))
    promoted = replace(halted, backends=(Backend("stable", (CANARY,)), Backend("canary", (STABLE,))))
    assert not is_halted(choice, RoutingTable.build(1, [service()]))
    assert is_halted(choice, RoutingTable.build(2, [halted]))
    assert not is_halted(choice, RoutingTable.build(3, [promoted])), "its endpoints are stable's by now"
    assert not is_halted(choice, RoutingTable.build(4, []))
