"""How often each check took its canary out, or would have."""

from collections.abc import Iterable, Mapping

from proxy.control.managed_service import ManagedService
from proxy.ledger.record import Record
from proxy.settings.policy import policy

CheckKey = tuple[str, str]
"""Service, and the name of one of its checks."""


class TripCounts:
    """Trips by check. `known` are those in the ledger, which never fall; `would_trips` begin with control."""

    def __init__(self, known: Mapping[CheckKey, int], managed_services: Iterable[ManagedService]) -> None:
        self.trips = dict(known)
        self.would_trips = {
            (managed.name, managed.assessment.would_trip): 1
            for managed in managed_services
            if managed.assessment.would_trip
        }
        """How often a check would have taken its canary out, where `enforce` is off."""

    def __repr__(self) -> str:
        return f"<TripCounts {sum(self.trips.values())} trips, {sum(self.would_trips.values())} not enforced>"

    def expect(self, managed: ManagedService) -> None:
        """Count a service's checks from 0: Prometheus can't see that a series rose when it begins at 1.

        Also before there is a canary: it may come and trip between two scrapes.
        """
        counted = self.trips if managed.file.enforce else self.would_trips
        for check in policy(managed.file).names:
            counted.setdefault((managed.name, check), 0)

    def written(self, _number: int, record: Record) -> None:
        """Count an entry that is durable, if it is a trip."""
        if record.entry.event == "trip":
            key = record.service, record.entry.check
            self.trips[key] = self.trips.get(key, 0) + 1

    def would_trip(self, service: str, check: str) -> None:
        """Count a canary that would have been taken out."""
        self.would_trips[service, check] = self.would_trips.get((service, check), 0) + 1
