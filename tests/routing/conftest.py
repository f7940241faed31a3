"""What the tests of choosing share: heads, services, and a world where endpoints are dead or busy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from proxy.http1.head import RequestHead
from proxy.routing.address import Address
from proxy.routing.endpoint import Endpoint
from proxy.routing.match import RouteMatch
from proxy.routing.split import Split
from proxy.routing.table import Backend, Service
from tests.kits.located import EVERYWHERE


@dataclass
class World:
    """What is known of addresses: everything is alive and idle unless said otherwise."""

    dead: set[Address] = field(default_factory=set)
    """Ejected."""
    busy: Mapping[Address, int] = field(default_factory=dict)
    avoided: set[Address] = field(default_factory=set)

    def alive(self, address: Address) -> bool:
        return address not in self.dead | self.avoided

    def worth_trying(self, address: Address) -> bool:
        return address not in self.dead

    def pending(self, address: Address) -> int:
        return self.busy.get(address, 0)


@pytest.fixture(scope="session")
def world() -> type[World]:
    return World


@pytest.fixture(scope="session")
def ask() -> Callable[..., RequestHead]:
    """A request head: ``ask("/a?x=1", host="shop.example", fields=[("Cookie", "a=1")])``."""

    def build(target: str = "/", host: str = "", fields: Any = (), method: str = "GET") -> RequestHead:
        lines = [(name.lower().encode(), f"{name}: {value}".encode()) for name, value in fields]
        return RequestHead(method.encode(), target.encode(), 1, lines, host.encode())

    return build


@pytest.fixture(scope="session")
def serve() -> Callable[..., Service]:
    """A service with a stable and a canary backend of one endpoint each, and a tenth for the canary."""

    def build(
        name: str = "shop", host: str = "", path: str = "/", weight: int = 1000, **more: Any
    ) -> Service:
        backends = (
            Backend("stable", (Endpoint.parse("http://stable:9001"),)),
            Backend("canary", (Endpoint.parse("http://canary:9002"),)),
        )
        values: dict[str, Any] = {
            "revision": 1,
            "backends": backends,
            "split": Split((("canary", weight),)),
            "located": EVERYWHERE,
            **more,
        }
        return Service(name=name, match=RouteMatch(host, path), **values)

    return build
