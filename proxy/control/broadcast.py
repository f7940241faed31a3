"""The workers' connections, and the routing table that each of them is told.

Down goes state: a new worker is told all services, and from then on each service that changes, whole, under
the generation of that change. A connection that breaks loses nothing, because the next one begins anew.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, cast

from proxy.link.frames import Decoder, encode
from proxy.link.messages import (
    Ack,
    DeadEndpoints,
    Hello,
    Message,
    Report,
    ReportStored,
    Settings,
    Table,
    ThresholdUpdate,
)
from proxy.routing.table import Service

log = logging.getLogger(__name__)

PATIENCE = 16 * 1024 * 1024
"""Bytes that may wait for a worker that doesn't read. Then it is cut off; when it is back it is told all."""


class Misplaced(Exception):
    """What a worker said is no message, or none that has a place here and now."""


class Listens(Protocol):
    """Who is told what workers say."""

    def hello(self, hello: Hello) -> None:
        """A worker is here, and not told anything yet."""

    def report(self, report: Report) -> None:
        """A worker has counted."""

    def acknowledged(self) -> None:
        """A worker uses a table, or is gone: some generation may now be everywhere."""


class WorkerLink(asyncio.Protocol):
    """One worker's connection. It says nothing until the worker has said hello."""

    def __init__(self, broadcast: "Broadcast") -> None:
        self.boot = ""
        self.worker = -1
        self.held = 0
        """The generation that the worker said it uses."""
        self._broadcast = broadcast
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None

    def __repr__(self) -> str:
        who = f"worker {self.worker}, generation {self.held}" if self.boot else "a stranger"
        return f"<WorkerLink to {who}>"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast(asyncio.Transport, transport)  # a stream, though uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        try:
            for message in self._decode(data):
                self._broadcast.heard(self, message)
        except Misplaced as error:
            log.error("%r said what can't be understood, cut off: %s", self, error)
            self.cut()

    def _decode(self, data: bytes) -> list[Message]:
        try:
            return self._decoder.feed(data)
        except ValueError as error:
            raise Misplaced(str(error)) from error

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._transport = None
        self._broadcast.lost(self)

    def send(self, frame: bytes) -> None:
        """Send without waiting; a worker that doesn't read is cut off."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > PATIENCE:
            log.error("%r does not read, cut off", self)
            self.cut()
            return
        self._transport.write(frame)

    def cut(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()


class Broadcast:
    """All links. `services` gives those in force, all of them; `generation` is the number to go on from."""

    def __init__(
        self,
        generation: int,
        settings: Settings,
        services: Callable[[], Iterable[Service]],
        listener: Listens,
    ) -> None:
        self.generation = generation
        self._settings = encode(settings)
        self._services = services
        self._listener = listener
        self._links: dict[str, WorkerLink] = {}
        self._everything: tuple[int, bytes] = (-1, b"")
        self._thresholds: dict[str, Mapping[str, tuple[float, ...]]] = {}
        self._dead: dict[str, Mapping[str, tuple[str, ...]]] = {}

    def __repr__(self) -> str:
        held = {link.worker: link.held for link in self._links.values()}
        return f"<Broadcast generation {self.generation}, held by worker {held}>"

    @property
    def boots(self) -> list[str]:
        """The boots of the connected workers."""
        return list(self._links)

    def link(self) -> WorkerLink:
        """The protocol of a new connection."""
        return WorkerLink(self)

    def tell(self, *services: Service, removed: tuple[str, ...] = ()) -> int:
        """Tell all workers new states of services, and who is gone; the generation of that table."""
        self.generation += 1
        for name in removed:
            self._thresholds.pop(name, None)
            self._dead.pop(name, None)
        self._send(*Table(self.generation, services, removed, complete=False).parts())
        return self.generation

    def settle(self, settings: Settings) -> None:
        """Tell all workers, and those to come, what the file says beside the services."""
        self._settings = encode(settings)
        self._send(settings)

    def measure(self, service: str, thresholds: Mapping[str, tuple[float, ...]]) -> None:
        """Tell all workers from when on a service's requests are slow, by backend."""
        self._thresholds[service] = thresholds
        self._send(ThresholdUpdate({service: thresholds}))

    def unwell(self, service: str, dead: Mapping[str, tuple[str, ...]]) -> None:
        """Tell all workers which endpoints of a service are dead: URLs by backend, all that there are."""
        self._dead[service] = dead
        self._send(DeadEndpoints({service: dead}))

    def counted(self, boot: str, number: int) -> None:
        """Tell a worker, if it is there, that its report `number` is kept for good."""
        if link := self._links.get(boot):
            link.send(encode(ReportStored(number)))

    def everywhere(self, generation: int) -> bool:
        """Whether every connected worker uses this generation or a later one, and there is one at least."""
        return bool(self._links) and all(link.held >= generation for link in self._links.values())

    def using(self) -> int:
        """How many workers use a table that they were told."""
        return sum(link.held > 0 for link in self._links.values())

    def heard(self, link: WorkerLink, message: Message) -> None:
        """A message came. Misplaced for one that has no place here."""
        if isinstance(message, Hello):
            self._welcome(link, message)
        elif not link.boot:
            raise Misplaced(f"{type(message).__name__} before Hello")
        elif isinstance(message, Report) and message.boot == link.boot:
            self._listener.report(message)
        elif isinstance(message, Ack):
            link.held = max(link.held, message.generation)
            self._listener.acknowledged()
        else:
            raise Misplaced(f"{type(message).__name__} is not for control")

    def lost(self, link: WorkerLink) -> None:
        """A connection is closed. A worker that is back on a newer one has not gone."""
        if link.boot and self._links.get(link.boot) is link:
            del self._links[link.boot]
            self._listener.acknowledged()

    def _welcome(self, link: WorkerLink, hello: Hello) -> None:
        # What it holds may be news, so it is heard first and told afterwards.
        self._listener.hello(hello)
        link.boot, link.worker = hello.boot, hello.worker
        before = self._links.get(hello.boot)
        self._links[hello.boot] = link
        if before is not None and before is not link:
            before.cut()
        link.send(self._settings)
        if self._dead:  # before the table, or its first requests would meet them
            link.send(encode(DeadEndpoints(self._dead)))
        link.send(self._complete())
        if self._thresholds:
            link.send(encode(ThresholdUpdate(self._thresholds)))

    def _send(self, *messages: Message) -> None:
        frame = b"".join(map(encode, messages))
        for link in list(self._links.values()):
            link.send(frame)

    def _complete(self) -> bytes:
        """All services, encoded once for all who come before the next change."""
        generation, frame = self._everything
        if generation != self.generation:
            table = Table(self.generation, tuple(self._services()), (), complete=True)
            frame = b"".join(map(encode, table.parts()))
            self._everything = (self.generation, frame)
        return frame
