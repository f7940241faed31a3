"""The routing table of a worker, kept up to date by what control sends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from proxy.forwarding.data_plane import DataPlane
from proxy.link.messages import Table
from proxy.routing.address import Address, Located, all_addresses, relocate
from proxy.routing.endpoint import Endpoint
from proxy.routing.table import RoutingTable, Service


@dataclass(frozen=True, slots=True)
class Swap:
    """A table that has come into force."""

    generation: int
    changes: tuple[tuple[Service | None, Service], ...]
    """Each service that was sent, before (None: it is new) and after."""
    removed: tuple[str, ...]
    complete: bool
    """Whether all other services are gone."""

    def halts(self) -> Iterator[tuple[Service, str]]:
        """Yield the backends that have just been halted, each with its service."""
        for before, service in self.changes:
            for backend in sorted(service.halted - before.halted) if before else ():
                yield service, backend

    @property
    def moved(self) -> bool:
        """Whether there may be other endpoints than before."""
        return (
            self.complete
            or bool(self.removed)
            or any(before is None or before.backends != after.backends for before, after in self.changes)
        )


class Tables:
    """The services of a data plane: those that control sent, at the addresses that are known and not dead."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane
        self._located: dict[str, tuple[str, ...]] = {}
        """The addresses of each name. They may be known before a service has it."""
        self._dead: dict[str, frozenset[tuple[str, str]]] = {}
        """Endpoint (its identity) and IP of dead addresses, by service; they may be known before it is."""
        self._parts: list[Service] = []
        """The services of a table whose last part is still to come."""

    def __repr__(self) -> str:
        table = self._plane.table
        coming = f", {len(self._parts)} coming" if self._parts else ""
        return f"<Tables generation {table.generation}: {len(table.services)} services{coming}>"

    def endpoints(self) -> set[Endpoint]:
        """Return all endpoints of the table in force."""
        return {each for service in self._plane.table.services.values() for each in service.endpoints}

    def addresses(self) -> set[Address]:
        """Return all known addresses of the table in force."""
        services = self._plane.table.services.values()
        return {one for each in services for one in all_addresses(each.endpoints, each.located)}

    def begin(self) -> None:
        """Drop the parts of a table that broke off, for control sends the whole again."""
        self._parts.clear()

    def take(self, table: Table) -> Swap | None:
        """Take a part of a table. With the last part the table is in force, and what changed is returned."""
        self._parts += map(self._known, table.services)
        if table.more:
            return None
        services, self._parts = self._parts, []
        held = self._plane.table
        if table.complete:
            self._plane.table = RoutingTable.build(table.generation, services)
            self._dead = {name: self._dead[name] for name in self._plane.table.services if name in self._dead}
        else:
            self._plane.table = held.replace(table.generation, services, table.removed)
        for name in table.removed:
            self._dead.pop(name, None)
        changes = tuple((held.services.get(service.name), service) for service in services)
        return Swap(table.generation, changes, tuple(table.removed), table.complete)

    def locate(self, names: Located) -> None:
        """Route to these addresses of names from now on."""
        relocate(self._located, names)
        services = self._plane.table.services.values()
        self._update([service for service in services if not names.keys().isdisjoint(service.names)])

    def set_dead(self, services: Mapping[str, frozenset[tuple[str, str]]]) -> None:
        """Take these addresses out of service, and all others of these services back in.

        Args:
            services: by service, endpoint (by its identity) and IP of all its dead addresses.
        """
        self._dead.update(services)
        table = self._plane.table
        self._update([table.services[name] for name in services if name in table.services])

    def _update(self, held: list[Service]) -> None:
        changed = [fresh for service in held if (fresh := self._placed(service)) is not service]
        if changed:  # making a table takes a while where there are thousands of services
            table = self._plane.table
            self._plane.table = table.replace(table.generation, changed)

    def _known(self, service: Service) -> Service:
        """Return a service as it is to be used: the same object when its revision is in force already."""
        held = self._plane.table.services.get(service.name)
        if held is not None and held.revision == service.revision:
            return held
        return self._placed(service)

    def _placed(self, service: Service) -> Service:
        """Return a service at the addresses that are known; the same object when it is there already."""
        located = {name: self._located[name] for name in service.names if name in self._located}
        dead = self._dead.get(service.name, service.dead)
        if (located, dead) == (service.located, service.dead):
            return service
        return replace(service, located=located, dead=dead)
