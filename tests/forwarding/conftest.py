"""A stage for playbooks: bytes come in, what is written is looked at, and nothing else moves.

No event loop runs and no time passes but what a test says. Transports behave like those of an event loop:
they hand out nothing while reading is paused, call ``pause_writing`` when too much waits, and report their
end in a later turn.
"""

import socket
from collections import deque
from dataclasses import replace
from types import SimpleNamespace

import pytest

from proxy.forwarding.dial import DialFailed
from proxy.forwarding.downstream import Downstream
from proxy.forwarding.lane import Lane
from proxy.forwarding.listener import Listener
from proxy.forwarding.peek import Peek, queued
from proxy.forwarding.upstream import Upstream
from proxy.routing.endpoint import Endpoint
from proxy.routing.match import RouteMatch
from proxy.routing.split import Split
from proxy.routing.table import Backend, RoutingTable, Service
from proxy.telemetry.outcome import UNROUTED
from proxy.telemetry.tally import Tally

HIGH_WATER = 64 * 1024
STABLE = "http://stable:9001"
GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Turns:
    """The part of an event loop that is needed: what is called in a later turn."""

    def __init__(self):
        self._due = deque()
        self.later = []

    def call_soon(self, callback, *arguments):
        self._due.append((callback, arguments))

    def call_later(self, delay, callback, *arguments):
        self.later.append((delay, callback, arguments))

    def run(self):
        while self._due:
            callback, arguments = self._due.popleft()
            callback(*arguments)


class Transport:
    """One connection as its protocol sees it, and as the test holds its other end."""

    def __init__(self, turns, protocol, peer=("192.0.2.7", 50000), family=socket.AF_INET, *, secure=False):
        self.family = family
        self.secure = secure
        self.turns = turns
        self.protocol = protocol
        self.peer = peer
        self.written = b""
        """Everything that the protocol wrote."""
        self.writes = []
        """The same, write by write."""
        self.taken = float("inf")
        """How many bytes of it the other end takes in all; the rest waits here."""
        self.reading = True
        self.end = ""
        """How the protocol ended the connection: ``eof``, ``close`` or ``abort``."""
        self.lost = False
        self.options = []
        self.half_closes = not secure
        self._full = False
        self._inbox = deque()
        protocol.connection_made(self)

    # What a protocol calls.

    def get_extra_info(self, name):
        known = {"peername": self.peer, "socket": SimpleNamespace(family=self.family, setsockopt=self._set)}
        if self.secure:
            known["sslcontext"] = "a context"
        return known.get(name)

    def _set(self, *option):
        assert not self.lost, "an option for a closed socket"
        self.options.append(option)

    def write(self, data):
        assert not self.lost, "a write to a closed socket"
        assert self.end != "eof", "a write behind the end"
        assert isinstance(data, bytes)
        if not self.is_closing():
            self.written += data
            self.writes.append(data)
            self._measure()

    def get_write_buffer_size(self):
        return 0 if self.lost else max(0, len(self.written) - min(self.taken, len(self.written)))

    def pause_reading(self):
        assert self.reading, "paused twice"
        self.reading = False

    def resume_reading(self):
        assert not self.reading, "resumed twice"
        self.reading = True
        self.turns.call_soon(self._deliver)

    def can_write_eof(self):
        return self.half_closes

    def write_eof(self):
        assert not self.lost
        self.end = self.end or "eof"

    def is_closing(self):
        return self.lost or self.end in ("close", "abort")

    def close(self):
        if not self.is_closing():
            self.end = "close"
            self._finish()

    def abort(self):
        if self.end != "abort":
            self.end = "abort"
            self.turns.call_soon(self.lose, None)

    # What the test calls, through Client and Server.

    def arrive(self, data):
        self._inbox.append(data)
        self._deliver()

    def hold(self, data):
        """It has come, but the loop hasn't said so yet."""
        self._inbox.append(data)

    def _deliver(self):
        while self._inbox and self.reading and not self.is_closing():
            data = self._inbox.popleft()
            if isinstance(data, bytes):
                self.protocol.data_received(data)
            elif data is None:
                if not self.protocol.eof_received():
                    self.close()
            else:
                self.lose(data)

    def take(self, more):
        """The other end takes so many more of the bytes."""
        self.taken += more
        if not self.lost:  # no event loop tells a protocol anything behind its end
            self._measure()
            self._finish()

    def _measure(self):
        size = self.get_write_buffer_size()
        if size > HIGH_WATER and not self._full:
            self._full = True
            self.protocol.pause_writing()
        elif size <= HIGH_WATER // 4 and self._full:
            self._full = False
            self.protocol.resume_writing()

    def _finish(self):
        if self.end == "close" and not self.get_write_buffer_size():
            self.turns.call_soon(self.lose, None)

    def lose(self, error):
        if not self.lost:
            self.lost = True
            self.protocol.connection_lost(error)


class FakePeek:
    """Looks at what has arrived on a transport and isn't told for now."""

    def __init__(self, transport):
        self._transport = transport

    def arrived(self):
        return bool(self._transport._inbox)

    def broken(self):
        return any(isinstance(item, Exception) for item in self._transport._inbox)

    def ended(self):
        return any(not isinstance(item, bytes) for item in self._transport._inbox)


@pytest.fixture(autouse=True)
def _peeks(monkeypatch):
    def peek(transport):
        return FakePeek(transport) if isinstance(transport, Transport) else Peek(transport)

    def in_kernel(transport):
        return queued(transport) if hasattr(transport.get_extra_info("socket"), "fileno") else 0

    monkeypatch.setattr("proxy.forwarding.backpressure.queued", in_kernel)
    monkeypatch.setattr("proxy.forwarding.upstream.Peek", peek)
    monkeypatch.setattr("proxy.forwarding.downstream.Peek", peek)
    monkeypatch.setattr("proxy.forwarding.connection.Peek", peek)


class End:
    """One end of a connection, in the hands of the test."""

    def __init__(self, stage, transport):
        self._stage = stage
        self.transport = transport
        self._seen = 0

    def __repr__(self):
        return f"<{type(self).__name__} of {self.transport.protocol}>"

    def got(self):
        """What came since this was asked last."""
        new = self.transport.written[self._seen :]
        self._seen += len(new)
        return new

    def sends(self, *parts):
        """Send these, each as a segment of its own."""
        for part in parts:
            self.transport.arrive(part)
            self._stage.turns.run()

    def slips(self, *parts):
        """Send these, the end as None; they have come, but the loop hasn't said so yet."""
        for part in parts:
            self.transport.hold(part)

    def closes(self):
        """Send the end."""
        self.sends(None)

    def resets(self):
        """Break the connection."""
        self.transport.lose(ConnectionResetError())
        self._stage.turns.run()

    def stalls(self):
        """Take no byte more until told otherwise."""
        self.transport.taken = len(self.transport.written)

    def takes(self, more=float("inf")):
        """Take so many bytes of what waits."""
        self.transport.take(more)
        self._stage.turns.run()

    @property
    def read(self):
        """Whether it is read."""
        return self.transport.reading

    @property
    def end(self):
        """How it was ended by the proxy; empty while it goes on."""
        return self.transport.end


class Client(End):
    @property
    def was_reset(self):
        """Whether the proxy ended the connection so that nobody takes it for a whole answer."""
        return self.end == "abort" and len(self.transport.options) == 1


class Server(End):
    pass


class FakeDialler:
    """Notes who is dialled; the test decides what comes of it."""

    def __init__(self):
        self.calls = deque()

    def dial(self, shelf, seconds, then):
        self.calls.append((shelf, seconds, then))


class Notes(Tally):
    """A tally that keeps the outcomes as well."""

    def __init__(self):
        super().__init__("boot")
        self.outcomes = []
        self.refusals = []

    def add(self, outcome):
        super().add(outcome)
        if outcome.key[0] == UNROUTED:
            self.refusals.append(outcome.key[2])
        else:
            self.outcomes.append(outcome)


class Members(set):
    """The open connections of clients."""

    def __init__(self):
        self.dismissed = set()

    def add(self, connection):
        super().add(connection)
        return len(self) - len(self.dismissed)

    def dismiss(self, connection):
        self.dismissed.add(connection)
        return len(self.dismissed)

    def discard(self, connection):
        super().discard(connection)
        self.dismissed.discard(connection)


class Stage:
    """A worker's data plane without a loop, with one service unless others are given."""

    def __init__(self, *services):
        self.turns = Turns()
        self.tally = Notes()
        self.failures = []
        self.members = Members()
        table = RoutingTable.build(1, services or (service(),))
        self.lane = Lane(self.turns, table, self.tally, lambda: self.failures.append(1), "w1")
        self.lane.dialler = FakeDialler()
        self.now = 1000.0
        self.lane.now = lambda: self.now
        self.lane.unix_now = lambda: 0.0
        self.lane.request_id = lambda: b"w1-1"
        self._accounted = 0

    def client(self, peer=("192.0.2.7", 50000), family=socket.AF_INET, *, secure=False):
        """A new connection of a client; a secure one speaks TLS."""
        protocol = Downstream(self.lane, self.members)
        client = Client(self, Transport(self.turns, protocol, peer, family, secure=secure))
        self.turns.run()
        return client

    def dialled(self):
        """Who is being dialled: the endpoints' URLs."""
        return [shelf.endpoint.url for shelf, _, _ in self.lane.dialler.calls]

    def connects(self):
        """The endpoint that was dialled first takes the connection."""
        shelf, _, then = self.lane.dialler.calls.popleft()
        upstream = Upstream(shelf.endpoint, shelf.forget)
        server = Server(self, Transport(self.turns, upstream))
        then(upstream)
        self.turns.run()
        return server

    def refuses(self, status=502, detail="the connection was refused"):
        """Nobody takes the connection that was dialled first."""
        _, _, then = self.lane.dialler.calls.popleft()
        then(DialFailed(status, detail))
        self.turns.run()

    def passes(self, seconds, step=0.05):
        """Time passes, with a look at the deadlines now and then."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + max(step, seconds / 20))
            self.lane.deadlines.look(self.now)
            self.turns.run()

    def idle(self, url=STABLE):
        """How many connections wait in the pool."""
        return len(self.lane.pool.shelf(Endpoint.parse(url)))

    def pending(self, url=STABLE):
        """How many requests an endpoint has."""
        return self.lane.pool.pending(Endpoint.parse(url))

    def warm(self, client):
        """Carry one exchange, so that a connection waits in the pool; returns the endpoint's end of it."""
        client.sends(GET)
        server = self.connects()
        server.sends(OK)
        assert client.got() == OK
        assert self.outcomes() == [("complete", 200, "success")]
        assert self.idle() == 1
        server.got()
        return server

    def failed(self, client, status, ending, method="GET"):
        """Check that the client was told so, without a word of the endpoint, and that it is a failure."""
        [(got, fields, body)] = answers(client.got(), [method])
        assert got == status
        assert ("Cache-Control", "no-store") in fields
        assert b"stable" not in body
        assert b"9001" not in body
        assert f"request id: {dict(fields)['X-Request-Id']}\n".encode() in body
        assert self.outcomes() == [(ending, status, "failure")]
        assert self.idle() == 0

    def outcomes(self):
        """What the exchanges that ended since the last call came to; everything has to be accounted for."""
        entries = self.tally.everything()
        assert sum(counts.in_flight for counts in entries.values()) == 0
        assert all(self.pending(url) == 0 for url in (STABLE, "http://canary:9002"))
        new = self.tally.outcomes[self._accounted :]
        self._accounted += len(new)
        assert len(self.failures) == sum(one.result == "failure" for one in self.tally.outcomes)
        return [(one.ending, one.status, one.result) for one in new]

    def refusals(self):
        """The reasons of the requests that were turned away since the last call."""
        new, self.tally.refusals = self.tally.refusals, []
        return new


def service(name="shop", weight=0, endpoints=(STABLE,), **more):
    backends = (
        Backend("stable", tuple(map(Endpoint.parse, endpoints))),
        Backend("canary", (Endpoint.parse("http://canary:9002"),)),
    )
    values = {
        "revision": 7,
        "match": RouteMatch(),
        "backends": backends,
        "split": Split((("canary", weight),)),
    }
    return Service(name, **(values | more))


@pytest.fixture(name="service", scope="session")
def service_():
    """Make a service: ``service(weight=10_000, sticky=Sticky(...))``."""
    return service


@pytest.fixture
def stage():
    """A stage with one service and one endpoint."""
    return Stage()


@pytest.fixture(scope="session")
def staged():
    """Make a stage with these services."""
    return Stage


class Trip:
    """A stage with a listener that is told when the canary is out, and its timers."""

    def __init__(self, stage, drain):
        self.stage = stage
        self.drain = drain
        stage.members = self.listener = Listener(stage.lane, ())

    def halts(self):
        self._moves(frozenset({"canary"}))
        self.listener.halt(self._service, "canary")
        self.stage.turns.run()

    def resumes(self):
        self._moves(frozenset())

    def _moves(self, halted):
        table = self.stage.lane.table
        before = table.services["shop"]
        self._service = replace(before, revision=before.revision + 1, halted=halted, drain=self.drain)
        self.stage.lane.table = table.replace(table.generation + 1, [self._service])

    @property
    def timers(self):
        return [seconds for seconds, _, _ in self.stage.turns.later]

    def rings(self):
        """The timer that was set first is over."""
        _, callback, arguments = self.stage.turns.later.pop(0)
        callback(*arguments)
        self.stage.turns.run()

    def counts(self):
        entries = self.stage.tally.everything()
        return {key[1:]: entry for key, entry in entries.items()}


@pytest.fixture
def tripping():
    """Make a stage with all its weight on the canary, which can be halted."""

    def make(drain=10.0, **more):
        trip = Trip(Stage(service(weight=10_000, **more)), drain)
        return trip.stage, trip

    return make


@pytest.fixture(scope="session")
def transport_of():
    """Connect a protocol to a transport of its own; returns it with the turns that are still to come."""

    def connect(protocol, **more):
        return Transport(Turns(), protocol, **more)

    return connect


def every_cut(data):
    """The same bytes: whole, one by one, and in two at a few split points."""
    yield (data,)
    yield tuple(data[at : at + 1] for at in range(len(data)))
    for at in range(1, len(data), max(1, len(data) // 12)):
        yield data[:at], data[at:]


@pytest.fixture(name="every_cut", scope="session")
def every_cut_():
    """Cut bytes: whole, one by one, and in two at several points."""
    return every_cut


def answers(data, methods=("GET",), closed=False):
    """Read answers as a client would: status, fields and body of each; nothing may be left over."""
    methods = deque(methods)
    found = []
    while data:
        head, blank, data = data.partition(b"\r\n\r\n")
        assert blank, head
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version == "HTTP/1.1"
        fields = [tuple(line.split(": ", 1)) for line in lines]
        body = b""
        if not status.startswith("1"):
            method = methods.popleft()
            if method != "HEAD" and status not in ("204", "304"):
                body, data = _body({name.lower(): value for name, value in fields}, data, closed)
        found.append((int(status), fields, body))
    return found


def _body(fields, data, closed):
    if "content-length" in fields:
        size = int(fields["content-length"])
        assert len(data) >= size
        return data[:size], data[size:]
    if fields.get("transfer-encoding") != "chunked":
        assert closed, "a body without an end"
        return data, b""
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        size = int(size, 16)
        assert data[size : size + 2] == b"\r\n"
        body, data = body + data[:size], data[size + 2 :]
        if not size:
            return body, data


@pytest.fixture(name="answers", scope="session")
def answers_():
    """Read whole answers off what a client got: a list of status, fields and body."""
    return answers
