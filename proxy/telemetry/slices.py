"""A snapshot in slices of a few services each, as one of many services takes long to write."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from proxy.telemetry.exposition import CheckSample, Snapshot

_OWN = ("totals", "weights", "shares", "halted", "trips", "would_trips", "evidence", "exposed", "cold")
"""The mappings of a snapshot whose keys are services, or begin with one."""
_OPERATIONS = ("hooks", "notices", "endpoints")
"""The same of its operations."""


def sliced(snapshot: Snapshot, services: int) -> Iterator[Snapshot]:
    """Yield snapshots of so many services each, at most, and one at least.

    What belongs to no service is in all of them.
    """
    knife = _Knife(services)
    own: Any = {name: knife.cut(getattr(snapshot, name)) for name in _OWN}
    operations: Any = {name: knife.cut(getattr(snapshot.operations, name)) for name in _OPERATIONS}
    checks: defaultdict[int, list[CheckSample]] = defaultdict(list)
    for check in snapshot.checks:
        checks[knife.slice_of(check.service)].append(check)
    for number in range(max(1, knife.slices)):
        yield replace(
            snapshot,
            checks=checks[number],
            operations=replace(
                snapshot.operations, **{name: cut[number] for name, cut in operations.items()}
            ),
            **{name: cut[number] for name, cut in own.items()},
        )


class _Knife:
    """Knows in which slice each service is, by the order in which they are met."""

    def __init__(self, services: int) -> None:
        self._services = services
        self._numbers: dict[str, int] = {}

    @property
    def slices(self) -> int:
        return -(-len(self._numbers) // self._services)

    def slice_of(self, service: str) -> int:
        return self._numbers.setdefault(service, len(self._numbers)) // self._services

    def cut(self, mapping: Mapping[Any, Any]) -> defaultdict[int, dict[Any, Any]]:
        found: defaultdict[int, dict[Any, Any]] = defaultdict(dict)
        for key, value in mapping.items():
            found[self.slice_of(key if isinstance(key, str) else key[0])][key] = value
        return found
