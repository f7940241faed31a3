"""Plays a script on the stage of the protocol tests, and keeps what every connection sent and got.

In one process, without a socket or a clock: the data plane of a worker between transports that are fakes.
"""

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import script

sys.path.append(str(Path(__file__).resolve().parents[1]))  # the kits that it shares with the tests

from proxy.forwarding import backpressure, connection, downstream, upstream
from proxy.http1.forwarded_fields import Provenance
from proxy.http1.head_cache import Heads
from proxy.http1.limits import Limits
from tests.kits.stage import Stage, service
from tests.kits.transports import FakePeek, Transport

MOST_CLIENTS, MOST_SERVERS = 4, 10


class Recorded(Transport):
    """A transport whose writes are known in the order of all writes."""

    def write(self, data: bytes) -> None:
        before = len(self.written)
        super().write(data)
        if len(self.written) > before:
            turns: Any = self.turns
            turns.journal.append(Write(self, before, len(self.written)))


# The kernel knows nothing of these transports, so nobody may ask it.
for _module in (connection, upstream, downstream):
    vars(_module)["Peek"] = FakePeek
vars(backpressure)["queued"] = lambda _: 0


@dataclass(frozen=True, slots=True)
class Write:
    """The proxy wrote the bytes from `start` to `end` of what this transport got."""

    transport: Recorded
    start: int
    end: int


class Peer:
    """One connection as its other end knows it: what it sent, and how it left."""

    def __init__(self, end: Any, address: str) -> None:
        self.end = end
        self.address = address
        self.sent = b""
        self.left = ""
        """How the peer left: ``eof`` or ``reset``."""
        self._sent_at: list[tuple[int, int]] = []
        self.seen_leaving: float = math.inf
        """How many writes of the proxy there had been when it could know."""

    def __repr__(self) -> str:
        return f"<Peer {self.address}, sent {len(self.sent)}, {self.left or 'there'}, {self.end}>"

    @property
    def transport(self) -> Any:
        return self.end.transport

    @property
    def written(self) -> bytes:
        """All that the proxy wrote to it."""
        data: bytes = self.transport.written
        return data

    def sent_at(self, offset: int) -> int:
        """How many writes of the proxy there had been when this byte was sent."""
        return max((writes for start, writes in self._sent_at if start <= offset), default=0)

    def sends(self, *segments: bytes) -> None:
        for segment in segments:
            if segment and not self.left and not self.transport.lost:
                self._sent_at.append((len(self.sent), len(self.transport.turns.journal)))
                self.sent += segment
                self.end.sends(segment)

    def leaves(self, how: str) -> None:
        if not self.left and not self.transport.lost:
            self.left = how
            if self.transport.reading or how == "reset":
                self.seen_leaving = len(self.transport.turns.journal)
            self.end.closes() if how == "eof" else self.end.resets()


def _set_up(which: int) -> Any:
    """A stage with one of a few settings: the defaults, or what is seldom set."""
    stage: Any = Stage(service(max_body=10) if which == 1 else service(), transport=Recorded)
    stage.turns.journal = []
    match which:
        case 2:
            stage.plane.heads = Heads(Limits(line=64, head=256, fields=5))
        case 3:
            stage.plane.connections = 1
        case 4:
            stage.plane.provenance = Provenance(
                trusted=("192.0.2.0/24", "10.0.0.0/8"), via=False, forwarded=True
            )
    return stage


class Play:
    """One script on a stage of its own."""

    def __init__(self) -> None:
        self.stage = _set_up(0)
        self.clients: list[Peer] = []
        self.servers: list[Peer] = []
        self._client = 0
        self._server: int | None = None

    @property
    def journal(self) -> list[Write]:
        """All writes of the proxy, in order."""
        journal: list[Write] = self.stage.turns.journal
        return journal

    def run(self, data: bytes) -> None:
        """Play all steps of a script."""
        for letter, rest in script.read(data):
            self._step(letter, rest)

    def _step(self, letter: str, rest: bytes) -> None:
        worker = {"w": self._time_passes, "f": self._finish, "d": self._connects, "r": self._refuses}
        worker["o"] = self._other_settings
        if letter in worker:
            worker[letter](rest)
        elif letter == "n":
            self._client = script.number(rest, 0) % MOST_CLIENTS
        elif letter == "N":
            self._server = script.number(rest, 0) % MOST_SERVERS
        elif letter in "cblexst":
            self._moves(self._this_client(), letter, rest)
        elif (server := self._this_server()) is not None:
            self._moves(server, letter.lower(), rest)

    def _moves(self, peer: Peer, letter: str, rest: bytes) -> None:
        match letter:
            case "c" | "u":
                peer.sends(rest)
            case "b" | "v":
                peer.sends(*(rest[at : at + 1] for at in range(len(rest))))
            case "l":
                peer.sends(script.large(rest))
            case "e":
                peer.leaves("eof")
            case "x":
                peer.leaves("reset")
            case "s":
                peer.end.stalls()
            case "t":
                peer.end.takes()

    def _this_client(self) -> Peer:
        while len(self.clients) <= self._client:
            address = f"192.0.2.{len(self.clients) + 1}"
            self.clients.append(Peer(self.stage.client((address, 50000)), address))
        return self.clients[self._client]

    def _this_server(self) -> Peer | None:
        """The connection that was chosen, or the one that was written to last; one that is dialled first."""
        if self.stage.plane.dialler.calls:
            self._connects()
        if self._server is not None:
            return self.servers[self._server] if self._server < len(self.servers) else None
        known = {server.transport: server for server in self.servers}
        written = (known[write.transport] for write in reversed(self.journal) if write.transport in known)
        return next(written, None)

    def _connects(self, _: bytes = b"") -> None:
        if self.stage.plane.dialler.calls:
            self._server = None
            end = self.stage.connects()
            self.servers.append(Peer(end, f"connection {len(self.servers)}"))

    def _other_settings(self, which: bytes) -> None:
        if not self.clients:
            self.stage = _set_up(script.number(which, 0))

    def _refuses(self, _: bytes) -> None:
        if self.stage.plane.dialler.calls:
            self.stage.refuses()

    def _time_passes(self, seconds: bytes) -> None:
        self.stage.passes(script.number(seconds, 1))

    def _finish(self, _: bytes) -> None:
        """As the listener does at SIGTERM."""
        self.stage.plane.draining = True
        for client in tuple(self.stage.members):
            client.finish()
        self.stage.turns.run()

    def silence(self) -> None:
        """Nobody does anything any more, for longer than any deadline."""
        for _ in range(3):
            while self.stage.plane.dialler.calls:
                self.stage.refuses(504, "connecting took longer than 5 s")
            self.stage.passes(4000)
            self._timers_ring()

    def _timers_ring(self) -> None:
        """What the event loop was to call later is called: hours have passed."""
        later = self.stage.turns.later
        while later:
            _, callback, arguments = later.pop(0)
            callback(*arguments)
        self.stage.turns.run()
