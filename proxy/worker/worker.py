"""One of the processes that carry traffic: the data plane's pieces, and the link that tells them what to do.

The worker decides nothing. It routes by the last table that it was given, for as long as nobody gives it
another (fail static), and says what it counted.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from proxy.child import garbage_collector
from proxy.child.lifeline import Lifeline, attach
from proxy.forwarding.accounts import NoAccessLog
from proxy.forwarding.lane import Lane
from proxy.forwarding.listener import Listener
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
from proxy.routing.endpoint import Endpoint
from proxy.routing.table import RoutingTable, Service
from proxy.telemetry.tally import Tally
from proxy.tls.certificates import Certificates
from proxy.tls.pem import Pair, Unusable
from proxy.worker import descriptors
from proxy.worker.accesslog import AccessLog
from proxy.worker.control_link import ControlLink
from proxy.worker.renewal import Renewal

log = logging.getLogger(__name__)

REPORT_SECONDS = 0.25
"""Between two reports, while something changes."""
URGENT_SECONDS = 0.01
"""From a failure to the report that tells it: several failures at once make one report."""
LAST_WORD_SECONDS = 1.0
"""How long a worker that ends waits until control has its last counts for good."""


class Worker:
    """One worker process.

    Args:
        index: its number among the workers, from 0.
        boot: tells this run of it from any other.
        link: path of control's unix socket.
        sockets: bound and listening, its own.
        grace: seconds that exchanges under way have when it drains.
        pairs: what is shown on those of the sockets that speak TLS.
    """

    def __init__(
        self,
        index: int,
        boot: str,
        link: str,
        sockets: Sequence[socket.socket],
        grace: float,
        pairs: Mapping[socket.socket, Sequence[Pair]] = MappingProxyType({}),
    ) -> None:
        loop = asyncio.get_running_loop()
        self._index = index
        self._grace = grace
        self._tally = Tally(boot)
        self._link = ControlLink(link, self._say_hello, self._hear)
        self._lane = Lane(loop, RoutingTable.build(0, ()), self._tally, self._hurry, boot[:8])
        certificates = {one: Certificates(shown) for one, shown in pairs.items()}
        self._listener = Listener(self._lane, sockets, certificates)
        self._renewal = Renewal(tuple(certificates.values()), self._lane.dialler.trusts)
        self._listeners = len(sockets)
        self._max_idle = self._lane.pool.max_idle
        self._connections: int | None = None
        """Connections of clients that the file allows; None: as many as there is room for."""
        self._access: AccessLog | None = None
        self._closing: asyncio.Future[None] | None = None
        """The end of a log that was switched off."""
        self._dead: dict[str, frozenset[tuple[str, str]]] = {}
        """Backend and URL of each service's endpoints that are dead. It may be told before the service is."""
        self._coming: list[Service] = []
        """Of a table whose last part is still to come."""
        self._told_all = False
        self._hurrying: asyncio.TimerHandle | None = None
        self._last_number = 0
        self._have_table = asyncio.Event()
        self._durable = asyncio.Event()
        self._draining = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Worker {self._index} generation {self._lane.table.generation}, {self._link}>"

    async def run(self, lifeline: int) -> int:
        """Carry traffic until the supervisor says drain; `lifeline` is the inherited socket to it.

        Returns the exit status: 1 when the certificates that it should show are no good.
        """
        line = Lifeline(
            self._draining.set, lambda: os._exit(0), lambda: os._exit(1), on_reload=self._renewal.again
        )
        await attach(lifeline, line)
        try:
            await self._renewal.begin()
        except Unusable as unusable:
            line.failed(str(unusable))
            return 1
        linking = asyncio.ensure_future(self._link.run())
        reporting = asyncio.ensure_future(self._report_on())
        await self._have_table.wait()
        await self._lane.dialler.trusts.warm(
            each.trust for each in self._endpoints() if each.scheme == "https"
        )
        await self._listener.open()
        garbage_collector.exempt_startup_objects()
        line.ready()
        await self._draining.wait()
        await self._listener.drain(self._grace)
        reporting.cancel()
        await self._last_word()
        linking.cancel()
        return 0

    # What control says.

    def _hear(self, message: Message) -> None:
        match message:
            case Table():
                self._take(message)
            case Settings():
                self._settle(message)
            case ThresholdUpdate(services=services):
                self._lane.thresholds.set(services)
            case DeadEndpoints(services=services):
                self._avoid(services)
            case ReportStored(number=number):
                self._count_on(number)
            case _:
                log.error("control sent a message that is not for workers: %r", message)

    def _take(self, table: Table) -> None:
        held = self._lane.table
        # A service that is told again under the revision we hold stays the object that it is.
        self._coming += (
            held.services[service.name]
            if _same(held, service.name, service.revision)
            else self._as_known(service)
            for service in table.services
        )
        if not table.more:
            services, self._coming = self._coming, []
            self._use(table, services)

    def _use(self, table: Table, services: Sequence[Service]) -> None:
        """Route by these services from now on: all that there are, or those that changed."""
        held = self._lane.table
        if table.complete:
            self._lane.table = RoutingTable.build(table.generation, services)
        else:
            self._lane.table = held.replace(table.generation, services, table.removed)
        self._link.send(Ack(table.generation))
        changes = [(held.services.get(service.name), service) for service in services]
        for before, service in changes:
            for backend in sorted(service.halted - before.halted) if before else ():
                self._listener.members.halt(service, backend)
        for name in table.removed:
            self._dead.pop(name, None)
        self._have_table.set()
        # To count the endpoints of 1,000 services takes 1 ms, and a change of a weight needs none of it.
        if table.complete or table.removed or any(_moved(*each) for each in changes):
            self._bound()

    def _avoid(self, services: Mapping[str, Mapping[str, tuple[str, ...]]]) -> None:
        """Send no request to these endpoints any more, and to all others of these services again."""
        for name, backends in services.items():
            self._dead[name] = frozenset((backend, url) for backend, urls in backends.items() for url in urls)
        table = self._lane.table
        held = [table.services[name] for name in services if name in table.services]
        changed = [known for service in held if (known := self._as_known(service)) is not service]
        if changed:  # making a table takes a while where there are thousands of services
            self._lane.table = table.replace(table.generation, changed)

    def _as_known(self, service: Service) -> Service:
        dead = self._dead.get(service.name, service.dead)
        return service if dead == service.dead else replace(service, dead=dead)

    def _settle(self, settings: Settings) -> None:
        lane = self._lane
        lane.header_seconds = settings.header
        lane.idle_seconds = settings.idle
        lane.limit(line=settings.line, head=settings.head, fields=settings.fields)
        lane.provenance = replace(
            lane.provenance, trusted=settings.trusted, via=settings.via, forwarded=settings.forwarded
        )
        lane.pool.idle_seconds = settings.pool_idle
        self._max_idle = settings.max_idle
        self._connections = settings.connections
        self._bound()
        self._log(settings.access)

    def _log(self, style: str) -> None:
        """Write the access log in this style, or (`off`) none from now on."""
        lane = self._lane
        if style == "off":
            if self._access is not None:  # what was noted is written all the same
                self._closing = asyncio.ensure_future(self._access.close())
            lane.accounts.access, self._access = NoAccessLog(), None
        elif self._access is None:
            lane.accounts.access = self._access = AccessLog(style, lane.unix_now() - lane.now())
        else:
            self._access.restyle(style)

    def _bound(self) -> None:
        """Take as many clients as the file says, and never more than there are file descriptors for."""
        if not self._have_table.is_set():
            return
        lane, told = self._lane, self._connections
        endpoints = self._endpoints()
        limit = descriptors.limit()
        lane.pool.max_idle = descriptors.kept(limit, self._listeners, len(endpoints), self._max_idle)
        room = descriptors.room(limit, self._listeners, len(endpoints) * lane.pool.max_idle)
        if told is not None and told > room != lane.connections:
            said = (
                "limits.connections is %d, and %d open files are enough for %d: so many are taken; "
                "raise the hard limit, or lower pool.max_idle"
            )
            log.warning(said, told, limit, room)
        lane.connections = room if told is None else min(told, room)

    def _endpoints(self) -> set[Endpoint]:
        services = self._lane.table.services.values()
        return {each for service in services for side in service.backends for each in side.endpoints}

    def _count_on(self, number: int) -> None:
        current = {name: service.revision for name, service in self._lane.table.services.items()}
        self._tally.forget(self._tally.droppable(current), number)
        if number >= self._last_number:
            self._durable.set()

    # What control is told.

    def _say_hello(self) -> None:
        services = self._lane.table.services
        held = {name: service.revision for name, service in services.items()}
        halted = {name: tuple(sorted(one.halted)) for name, one in services.items() if one.halted}
        self._link.send(Hello(self._tally.boot, self._index, os.getpid(), held, halted))
        self._told_all = False
        self._coming.clear()
        self._report()

    def _report(self) -> None:
        """Say what changed; everything, if something that was said may not have been heard."""
        self._hurrying = None
        if not self._link.connected:
            return
        tally = self._tally
        entries = tally.changed() if self._told_all else tally.everything()
        if entries or not self._told_all:
            self._last_number = tally.number
            self._durable.clear()
            report = Report(tally.boot, tally.number, entries, self._lane.table.generation)
            self._told_all = self._link.send(report)

    def _hurry(self) -> None:
        if self._hurrying is None:
            loop = asyncio.get_running_loop()
            self._hurrying = loop.call_later(URGENT_SECONDS, self._report)

    async def _report_on(self) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            self._report()
            if self._access is not None:
                self._access.flush()

    async def _last_word(self) -> None:
        self._report()
        if self._link.connected and self._last_number:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._durable.wait(), LAST_WORD_SECONDS)
        if self._access is not None:
            await self._access.close()


def _moved(before: Service | None, after: Service) -> bool:
    """Whether a service may have other endpoints than before."""
    return before is None or before.backends != after.backends


def _same(table: RoutingTable, name: str, revision: int) -> bool:
    service = table.services.get(name)
    return service is not None and service.revision == revision
