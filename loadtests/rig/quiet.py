"""All of ours between a client's connection and an endpoint's, without an event loop and without a kernel."""

import socket
from collections.abc import Callable
from typing import Any

from proxy.forwarding.data_plane import DataPlane
from proxy.forwarding.downstream import Downstream
from proxy.forwarding.members import Members
from proxy.forwarding.upstream import Upstream
from proxy.routing.table import RoutingTable, Service
from proxy.telemetry.tally import Tally


class Quiet:
    """An event loop in which nothing happens, and the transport that belongs to it."""

    def __init__(self) -> None:
        self._socket, self._other = socket.socketpair()
        self.written = 0

    def call_soon(self, callback: Callable[..., object], *arguments: object) -> None:
        """Never."""

    call_later = call_soon

    def get_extra_info(self, name: str) -> object:
        """A real socket, so that looking at it costs what it costs."""
        return {"peername": ("192.0.2.7", 50000), "socket": self._socket}.get(name)

    def write(self, data: bytes) -> None:
        """Take it."""
        self.written += len(data)

    def get_write_buffer_size(self) -> int:
        """Nothing waits."""
        return 0

    def is_closing(self) -> bool:
        """Never."""
        return False


class Dials:
    """A dialler that keeps the call until somebody answers it."""

    def __init__(self) -> None:
        self.then: Callable[[Upstream], None] | None = None

    def dial(self, shelf: Any, _seconds: float, _age: float, then: Callable[[Upstream], None]) -> None:
        """Note who is dialled."""
        self.shelf, self.then = shelf, then


class Pair:
    """A client's connection and an endpoint's, with everything of ours between them."""

    def __init__(self, service: Service, request: bytes, answer: bytes) -> None:
        table, loop = RoutingTable.build(1, [service]), Quiet()
        self._plane: Any = DataPlane(loop, table, Tally("boot"), lambda: None, "w1")  # type: ignore[arg-type]
        self._plane.dialler = dialler = Dials()
        self._down = Downstream(self._plane, Members(self._plane))
        self.client, self.server = Quiet(), Quiet()
        self._down.connection_made(self.client)  # type: ignore[arg-type]
        self._down.data_received(request)
        assert dialler.then is not None
        self._up = Upstream(dialler.shelf.address, dialler.shelf.forget)
        self._up.connection_made(self.server)  # type: ignore[arg-type]
        dialler.then(self._up)
        self._up.data_received(answer)

    def exchange(self, request: bytes, answer: bytes) -> None:
        """Bytes in on either side, bytes out on the other."""
        self._down.data_received(request)
        self._up.data_received(answer)

    def ended(self) -> int:
        """How many exchanges have ended well."""
        (counts,) = self._plane.accounts.tally.everything().values()
        return int(counts.drawn["success"])
