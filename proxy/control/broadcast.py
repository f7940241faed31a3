"""The connections of the workers, and the routing table that each of them is sent.

A new worker is sent all services, and from then on each service that changes, whole, under the generation of
that change. A connection that breaks loses nothing, because the next one begins anew.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, cast

from proxy.link.frames import Decoder, encode
from proxy.link.messages import (
    Ack,
    DeadAddresses,
    Hello,
    Message,
    Report,
    ReportStored,
    ResolvedNames,
    Settings,
    Table,
    ThresholdUpdate,
)
from proxy.routing.address import relocate
from proxy.routing.table import Service

log = logging.getLogger(__name__)

PATIENCE = 16 * 1024 * 1024
"""Bytes that may wait for a worker that doesn't read. Then it is cut off; when it is back it is sent all."""


class Misplaced(Exception):
    """A worker has sent what is no message, or a message that is not allowed now."""


class WorkerListener(Protocol):
    """What takes the messages of workers."""

    def hello(self, hello: Hello) -> None:
        """Take what a worker holds that has connected and was sent nothing yet."""

    def report(self, report: Report) -> None:
        """Take what a worker has counted."""

    def acknowledged(self) -> None:
        """Take note that a worker uses a table, or is gone: some generation may now be used by all."""


class WorkerLink(asyncio.Protocol):
    """One worker's connection. Nothing is sent before the worker's Hello."""

    def __init__(self, broadcast: "Broadcast") -> None:
        self.boot = ""
        self.worker = -1
        self.held = 0
        """The generation that the worker uses, by its last Ack."""
        self.ejected: tuple[str, ...] = ()
        """The URLs of the endpoints that the worker has ejected, by its last report."""
        self._broadcast = broadcast
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None

    def __repr__(self) -> str:
        worker = f"worker {self.worker}, generation {self.held}" if self.boot else "an unknown worker"
        return f"<WorkerLink to {worker}>"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)  # a stream, though uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Take the messages in these bytes."""
        try:
            for message in self._decode(data):
                self._broadcast.receive(self, message)
        except Misplaced as error:
            log.error("%r sent what can't be read, cut off: %s", self, error)
            self.cut()

    def _decode(self, data: bytes) -> list[Message]:
        try:
            return self._decoder.feed(data)
        except ValueError as error:
            raise Misplaced(str(error)) from error

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the loss."""
        self._transport = None
        self._broadcast.lost(self)

    def identify(self, hello: Hello) -> None:
        """Record which worker this is."""
        self.boot, self.worker = hello.boot, hello.worker

    def acknowledge(self, generation: int) -> None:
        """Record that the worker uses a generation."""
        self.held = max(self.held, generation)

    def reported(self, report: Report) -> None:
        """Record what the worker has ejected."""
        self.ejected = report.ejected

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
    """The links to all workers.

    Args:
        generation: the number that the next table counts on from.
        settings: what the file defines for workers beside the services.
        services: returns all services in force.
        listener: takes the messages of workers.
    """

    def __init__(
        self,
        generation: int,
        settings: Settings,
        services: Callable[[], Iterable[Service]],
        listener: WorkerListener,
    ) -> None:
        self.generation = generation
        """The number of the table that was sent last."""
        self._settings = encode(settings)
        self._services = services
        self._listener = listener
        self._links: dict[str, WorkerLink] = {}
        self._everything: tuple[int, bytes] = (-1, b"")
        self._thresholds: dict[str, Mapping[str, tuple[float, ...]]] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._dead: dict[str, frozenset[tuple[str, str]]] = {}

    def __repr__(self) -> str:
        held = {link.worker: link.held for link in self._links.values()}
        return f"<Broadcast generation {self.generation}, held by worker {held}>"

    @property
    def boots(self) -> list[str]:
        """The boots of the connected workers."""
        return list(self._links)

    @property
    def serving(self) -> int:
        """How many connected workers use a table that they were sent."""
        return sum(link.held > 0 for link in self._links.values())

    @property
    def ejections(self) -> Mapping[str, int]:
        """By URL, how many of the connected workers have ejected an endpoint."""
        return Counter(url for link in self._links.values() for url in link.ejected)

    def link(self) -> WorkerLink:
        """Return the protocol of a new connection."""
        return WorkerLink(self)

    def publish(self, *services: Service, removed: tuple[str, ...] = ()) -> int:
        """Send all workers new states of services, and the names of those that are gone.

        Returns the generation of that table.
        """
        self.generation += 1
        for name in removed:
            self._thresholds.pop(name, None)
            self._dead.pop(name, None)
        self._send(*Table(self.generation, services, removed, complete=False).parts())
        return self.generation

    def configure(self, settings: Settings) -> None:
        """Send all workers, and those to come, what the file defines beside the services."""
        self._settings = encode(settings)
        self._send(settings)

    def set_thresholds(self, service: str, thresholds: Mapping[str, tuple[float, ...]]) -> None:
        """Send all workers the seconds above which a service's requests are slow, by backend."""
        self._thresholds[service] = thresholds
        self._send(ThresholdUpdate({service: thresholds}))

    def locate(self, names: Mapping[str, tuple[str, ...]]) -> None:
        """Send all workers the addresses of names; () for a name that no service has any more."""
        relocate(self._names, names)
        self._send(ResolvedNames(names))

    def set_dead(self, service: str, dead: frozenset[tuple[str, str]]) -> None:
        """Send all workers the dead addresses of a service: endpoint and IP, all that there are."""
        self._dead[service] = dead
        self._send(DeadAddresses({service: dead}))

    def confirm(self, boot: str, number: int) -> None:
        """Confirm to a worker, if it is connected, that its report `number` is kept for good."""
        if link := self._links.get(boot):
            link.send(encode(ReportStored(number)))

    def acknowledged(self, generation: int) -> bool:
        """Return whether all connected workers, one at least, use this generation or a later one."""
        return bool(self._links) and all(link.held >= generation for link in self._links.values())

    def receive(self, link: WorkerLink, message: Message) -> None:
        """Take a message of a worker. Misplaced for one that is not allowed here and now."""
        if isinstance(message, Hello):
            self._welcome(link, message)
        elif not link.boot:
            raise Misplaced(f"{type(message).__name__} before Hello")
        elif isinstance(message, Report) and message.boot == link.boot:
            link.reported(message)
            self._listener.report(message)
        elif isinstance(message, Ack):
            link.acknowledge(message.generation)
            self._listener.acknowledged()
        else:
            raise Misplaced(f"{type(message).__name__} is not for control")

    def lost(self, link: WorkerLink) -> None:
        """Forget a connection that is closed. A worker that is back on a newer one has not gone."""
        if link.boot and self._links.get(link.boot) is link:
            del self._links[link.boot]
            self._listener.acknowledged()

    def _welcome(self, link: WorkerLink, hello: Hello) -> None:
        # What it holds may be news, so that is adopted before anything is sent.
        self._listener.hello(hello)
        link.identify(hello)
        before = self._links.get(hello.boot)
        self._links[hello.boot] = link
        if before is not None and before is not link:
            before.cut()
        link.send(self._settings)
        if self._names:  # before the table, or its first requests would find none of them
            link.send(encode(ResolvedNames(self._names)))
        if self._dead:  # or would meet them
            link.send(encode(DeadAddresses(self._dead)))
        link.send(self._complete())
        if self._thresholds:
            link.send(encode(ThresholdUpdate(self._thresholds)))

    def _send(self, *messages: Message) -> None:
        frame = b"".join(map(encode, messages))
        for link in list(self._links.values()):
            link.send(frame)

    def _complete(self) -> bytes:
        """Return all services, encoded once for all who come before the next change."""
        generation, frame = self._everything
        if generation != self.generation:
            table = Table(self.generation, tuple(self._services()), (), complete=True)
            frame = b"".join(map(encode, table.parts()))
            self._everything = (self.generation, frame)
        return frame
