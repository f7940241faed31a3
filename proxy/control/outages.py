"""The services whose stable is out: found once a second, shown while it lasts, and logged now and then."""

import logging
from collections.abc import Callable, Iterator, Mapping

from proxy.control.managed_service import ManagedService
from proxy.control.schedule import Clock
from proxy.control.views.endpoints import is_out, with_backends
from proxy.control.views.facts import StableOutage
from proxy.routing.split import STABLE

log = logging.getLogger(__name__)

REMIND = 60.0
"""Seconds between two lines in the log about the same outage."""


class Outages:
    """The outages of stable under way, by service.

    Args:
        clock: the time.
        conditions: returns the conditions of a service's endpoints by identity, as far as they are known.
    """

    def __init__(self, clock: Clock, conditions: Callable[[ManagedService], Mapping[str, str]]) -> None:
        self._clock = clock
        self._conditions = conditions
        self._under_way: dict[str, StableOutage] = {}
        self._logged: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"<Outages of {', '.join(self._under_way) or 'no service'}>"

    def __len__(self) -> int:
        return len(self._under_way)

    def of(self, service: str) -> StableOutage | None:
        """Return the outage of a service's stable; None: it is in order, or nothing is known."""
        return self._under_way.get(service)

    def look(self, managed: ManagedService) -> None:
        """Find out whether a service's stable is out now."""
        name, now = managed.name, self._clock.monotonic()
        found = "; ".join(_faults(managed, self._conditions(managed), now))
        before = self._under_way.get(name)
        if found:
            since = before.since if before else self._clock.wall()
            self._under_way[name] = StableOutage(since, found)
            if before is None or now - self._logged[name] >= REMIND:
                self._logged[name] = now
                log.error("%s: stable is failing: %s", name, found)
        elif before:
            self.forget(name)
            log.warning("%s: stable is failing no longer", name)

    def forget(self, service: str) -> None:
        """Look at a service no longer."""
        self._under_way.pop(service, None)
        self._logged.pop(service, None)


def _faults(managed: ManagedService, conditions: Mapping[str, str], now: float) -> Iterator[str]:
    """Yield what is wrong with stable: no endpoint gets requests, or its latest requests came to nothing."""
    out = {
        each: conditions.get(each.identity, "")
        for backend, each in with_backends(managed)
        if backend == STABLE
    }
    if all(map(is_out, out.values())):
        yield "it has no endpoint alive: " + ", ".join(f"{each} is {words}" for each, words in out.items())
    if failing := managed.assessment.outage.sentence(now):
        yield failing
