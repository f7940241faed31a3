"""A stage for playbooks: bytes come in, what is written is looked at, and nothing else moves.

No event loop runs and no time passes but what a test says.
"""

import socket
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from proxy.forwarding.data_plane import DataPlane
from proxy.forwarding.dial import DialFailed, Dialled
from proxy.forwarding.downstream import Downstream
from proxy.forwarding.members import Members
from proxy.forwarding.pool import Shelf
from proxy.forwarding.upstream import Upstream
from proxy.routing.endpoint import Endpoint
from proxy.routing.match import RouteMatch
from proxy.routing.split import Split
from proxy.routing.table import Backend, RoutingTable, Service
from proxy.telemetry.outcome import UNROUTED, Outcome
from proxy.telemetry.tally import Tally
from tests.kits.exchanges import answers
from tests.kits.located import EVERYWHERE, address
from tests.kits.transports import Client, Server, Transport, Turns

STABLE = "http://stable:9001"
GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class FakeDialler:
    """Notes who is dialled; the test decides what comes of it."""

    def __init__(self) -> None:
        self.calls: deque[tuple[Shelf, float, Dialled]] = deque()

    def dial(self, shelf: Shelf, seconds: float, age: float, then: Dialled) -> None:
        self.calls.append((shelf, seconds, then))


class Notes(Tally):
    """A tally that keeps the outcomes as well."""

    def __init__(self) -> None:
        super().__init__("boot")
        self.outcomes: list[Outcome] = []
        self.refusals: list[str] = []

    def add(self, outcome: Outcome) -> None:
        super().add(outcome)
        if outcome.key[0] == UNROUTED:
            self.refusals.append(outcome.key[2])
        else:
            self.outcomes.append(outcome)


class Stage:
    """A worker's data plane without a loop, with one service unless others are given."""

    def __init__(self, *services: Service, transport: type[Transport] = Transport) -> None:
        self._transport = transport
        self.turns = Turns()
        self.tally = Notes()
        self.failures: list[int] = []
        table = RoutingTable.build(1, services or (service(),))
        self.now = 1000.0
        self.plane = self._quiet_plane(table)
        self.plane.dialler = FakeDialler()
        self.plane.unix_now = lambda: 0.0
        self.plane.request_id = lambda: b"w1-1"
        self.members = Members(self.plane)
        self._accounted = 0

    def _quiet_plane(self, table: RoutingTable) -> Any:
        loop: Any = self.turns
        failed = self.failures.append
        return DataPlane(loop, table, self.tally, lambda: failed(1), "w1", lambda: self.now)

    def client(
        self,
        peer: object = ("192.0.2.7", 50000),
        family: socket.AddressFamily = socket.AF_INET,
        *,
        secure: bool = False,
    ) -> Client:
        """A new connection of a client; a secure one speaks TLS."""
        protocol = Downstream(self.plane, self.members)
        client = Client(self.turns, self._transport(self.turns, protocol, peer, family, secure=secure))
        self.turns.run()
        return client

    def dialled(self) -> list[str]:
        """Who is being dialled: the endpoints' URLs."""
        return [shelf.address.endpoint.url for shelf, _, _ in self.plane.dialler.calls]

    def connects(self) -> Server:
        """The endpoint that was dialled first takes the connection."""
        shelf, _, then = self.plane.dialler.calls.popleft()
        upstream = Upstream(shelf.address, shelf.forget)
        server = Server(self.turns, self._transport(self.turns, upstream))
        then(upstream)
        self.turns.run()
        return server

    def refuses(self, status: int = 502, detail: str = "the connection was refused") -> None:
        """Nobody takes the connection that was dialled first."""
        _, _, then = self.plane.dialler.calls.popleft()
        then(DialFailed(status, detail))
        self.turns.run()

    def passes(self, seconds: float, step: float = 0.05) -> None:
        """Time passes, with a look at the deadlines now and then."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + max(step, seconds / 20))
            self.plane.deadlines.look(self.now)
            self.turns.run()

    def idle(self, url: str = STABLE) -> int:
        """How many connections wait in the pool."""
        return len(self.plane.pool.shelf(address(url)))

    def pending(self, url: str = STABLE) -> int:
        """How many requests an endpoint has."""
        return int(self.plane.pool.pending(address(url)))

    def warm(self, client: Client) -> Server:
        """Carry one exchange, so that a connection waits in the pool; returns the endpoint's end of it."""
        client.sends(GET)
        server = self.connects()
        server.sends(OK)
        assert client.got() == OK
        assert self.outcomes() == [("complete", 200, "success")]
        assert self.idle() == 1
        server.got()
        return server

    def failed(self, client: Client, status: int, ending: str, method: str = "GET") -> None:
        """Check that the client was told so, without a word of the endpoint, and that it is a failure."""
        [(got, fields, body)] = answers(client.got(), [method])
        assert got == status
        assert ("Cache-Control", "no-store") in fields
        assert b"stable" not in body
        assert b"9001" not in body
        assert f"request id: {dict(fields)['X-Request-Id']}\n".encode() in body
        assert self.outcomes() == [(ending, status, "failure")]
        assert self.idle() == 0

    def outcomes(self) -> list[tuple[str, int, str]]:
        """What the exchanges that ended since the last call came to; everything has to be accounted for."""
        entries = self.tally.everything()
        assert sum(counts.in_flight for counts in entries.values()) == 0
        assert all(self.pending(url) == 0 for url in (STABLE, "http://canary:9002"))
        new = self.tally.outcomes[self._accounted :]
        self._accounted += len(new)
        assert len(self.failures) == sum(one.result == "failure" for one in self.tally.outcomes)
        return [(one.ending, one.status, one.result) for one in new]

    def refusals(self) -> list[str]:
        """The reasons of the requests that were turned away since the last call."""
        new, self.tally.refusals = self.tally.refusals, []
        return new


def service(
    name: str = "shop", weight: int = 0, endpoints: Sequence[str] = (STABLE,), **more: Any
) -> Service:
    """Make a service with a canary: `service(weight=10_000, sticky=Sticky(...))`."""
    backends = (
        Backend("stable", tuple(map(Endpoint.parse, endpoints))),
        Backend("canary", (Endpoint.parse("http://canary:9002"),)),
    )
    values: dict[str, Any] = {
        "revision": 7,
        "match": RouteMatch(),
        "backends": backends,
        "split": Split((("canary", weight),)),
        "located": EVERYWHERE,
    }
    return Service(name, **(values | more))


class Trip:
    """A stage whose canary can be halted, and its timers."""

    def __init__(self, stage: Stage, drain: float | None) -> None:
        self.stage = stage
        self.drain = drain

    def halts(self) -> None:
        """The canary is out, and the open connections leave it."""
        self.turns_out()
        self.stage.members.halt(self.stage.plane.table.services["shop"], "canary")
        self.stage.turns.run()

    def turns_out(self) -> None:
        """The canary is out by the table; no connection knows it yet."""
        self._moves(frozenset({"canary"}))

    def resumes(self) -> None:
        """The canary is back in service."""
        self._moves(frozenset())

    def _moves(self, halted: frozenset[str]) -> None:
        table = self.stage.plane.table
        before = table.services["shop"]
        after = replace(before, revision=before.revision + 1, halted=halted, drain=self.drain)
        self.stage.plane.table = table.replace(table.generation + 1, [after])

    @property
    def timers(self) -> list[float]:
        """Seconds of the timers that are set."""
        return [seconds for seconds, _, _ in self.stage.turns.later]

    def rings(self) -> None:
        """The timer that was set first is over."""
        _, callback, arguments = self.stage.turns.later.pop(0)
        callback(*arguments)
        self.stage.turns.run()

    def counts(self) -> dict[tuple[int, str], Any]:
        """What was counted, by revision and backend."""
        entries = self.stage.tally.everything()
        return {key[1:]: entry for key, entry in entries.items()}
