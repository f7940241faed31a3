"""One of the processes that carry traffic: the parts of the data plane, and what control sends to them.

The worker decides nothing. It routes by the last table that it was sent, for as long as control sends no
other (fail static), and reports what it counted.
"""

import asyncio
import logging
import os
from collections.abc import Sequence
from dataclasses import replace

from proxy.child import garbage_collector
from proxy.child.lifeline import Lifeline, attach
from proxy.forwarding.data_plane import DataPlane
from proxy.forwarding.listener import Entrance, Listener
from proxy.link.messages import (
    Ack,
    DeadAddresses,
    Message,
    ReportStored,
    ResolvedNames,
    Settings,
    Table,
    ThresholdUpdate,
)
from proxy.routing.table import RoutingTable
from proxy.telemetry.tally import Tally
from proxy.tls.pem import Unusable
from proxy.worker.accesslog import AccessLogSwitch
from proxy.worker.capacity import Capacity
from proxy.worker.certificate_renewal import Renewal
from proxy.worker.control_link import ControlLink
from proxy.worker.reports import Reports
from proxy.worker.tables import Tables

log = logging.getLogger(__name__)

REPORT_SECONDS = 0.25
"""Between two reports, while something changes."""


class Worker:
    """One worker process.

    Args:
        index: its number among the workers, from 0.
        boot: identifies this run of it.
        link: path of control's unix socket.
        entrances: with sockets that are its own.
        grace: seconds that exchanges under way have when it drains.
    """

    def __init__(
        self,
        index: int,
        boot: str,
        link: str,
        entrances: Sequence[Entrance],
        grace: float,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._index = index
        self._grace = grace
        self.tally = Tally(boot)
        self.link = ControlLink(link, self._connected, self.receive)
        self.reports = Reports(
            index, self.tally, self.link, lambda: self.plane.table, lambda: self.plane.pool.ejected()
        )
        self.plane = DataPlane(loop, RoutingTable.build(0, ()), self.tally, self.reports.hurry, boot[:8])
        self.tables = Tables(self.plane)
        self.capacity = Capacity(self.plane, len(entrances))
        self.access = AccessLogSwitch(self.plane)
        self.listener = Listener(self.plane, entrances)
        certificates = tuple(one.certificates for one in entrances if one.certificates)
        self.renewal = Renewal(certificates, self.plane.dialler.trusts)
        self._has_table = asyncio.Event()
        self._draining = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Worker {self._index} generation {self.plane.table.generation}, {self.link}>"

    async def run(self, lifeline: int) -> int:
        """Carry traffic until the supervisor drains it; `lifeline` is the inherited socket to it.

        Returns the exit status: 1 when its certificates are no good.
        """
        line = Lifeline(
            self._draining.set, lambda: os._exit(0), lambda: os._exit(1), on_reload=self.renewal.again
        )
        await attach(lifeline, line)
        try:
            await self.renewal.begin()
        except Unusable as unusable:
            line.failed(str(unusable))
            return 1
        linking = asyncio.ensure_future(self.link.run())
        reporting = asyncio.ensure_future(self._report_on())
        await self._has_table.wait()
        await self.plane.dialler.trusts.warm(
            each.trust for each in self.tables.endpoints() if each.scheme == "https"
        )
        await self.listener.open()
        garbage_collector.exempt_startup_objects()
        line.ready()
        await self._draining.wait()
        await self.listener.drain(self._grace)
        reporting.cancel()
        await self.reports.finish()
        await self.access.close()
        linking.cancel()
        return 0

    def receive(self, message: Message) -> None:
        """Apply a message of control."""
        match message:
            case Table():
                self._route_by(message)
            case Settings():
                self._configure(message)
            case ThresholdUpdate(services=services):
                self.plane.thresholds.set(services)
            case ResolvedNames(names=names):
                self.tables.locate(names)
                self._bound()
            case DeadAddresses(services=services):
                self.tables.set_dead(services)
            case ReportStored(number=number):
                self.reports.confirm(number)
            case _:
                log.error("control sent a message that is not for workers: %r", message)

    def _connected(self) -> None:
        self.tables.begin()
        self.reports.begin()

    def _route_by(self, table: Table) -> None:
        swap = self.tables.take(table)
        if swap is None:
            return
        self.link.send(Ack(swap.generation))
        for service, backend in swap.halts():
            self.listener.members.halt(service, backend)
        self._has_table.set()
        # To count the addresses of 1,000 services takes 1 ms, and a change of a weight needs none of it.
        if swap.moved:
            self._bound()

    def _bound(self) -> None:
        """Keep connections to the addresses that there are now, as many as there is room for."""
        addresses = self.tables.addresses()
        self.plane.pool.retain(addresses)
        self.capacity.bound(len(addresses))

    def _configure(self, settings: Settings) -> None:
        plane = self.plane
        plane.header_seconds = settings.header
        plane.idle_seconds = settings.idle
        plane.limit(line=settings.line, head=settings.head, fields=settings.fields)
        plane.provenance = replace(
            plane.provenance, trusted=settings.trusted, via=settings.via, forwarded=settings.forwarded
        )
        plane.pool.idle_seconds = settings.pool_idle
        self.capacity.configure(settings.connections, settings.max_idle)
        plane.pool.age_seconds = settings.pool_age
        if self._has_table.is_set():
            self.capacity.bound(len(self.tables.addresses()))
        self.access.switch(settings.access)

    async def _report_on(self) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            self.reports.report()
            self.access.flush()
