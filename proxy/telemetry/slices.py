"""A snapshot in slices of a few services each, as the whole of many takes long to be written down."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from proxy.telemetry.exposition import Snapshot

_OWN = ("totals", "weights", "shares", "halted", "trips", "would_trips", "evidence", "exposed")
"""The mappings of a snapshot whose keys are services, or begin with one."""
_OPERATIONS = ("hooks", "notices", "endpoints")
"""The same of its operations."""


def sliced(snapshot: Snapshot, services: int) -> Iterator[Snapshot]:
    """Snapshots of so many services each, at most; what is no service's own is in all of them.

    There is one at least.
    """
    own = {name: _by_service(getattr(snapshot, name)) for name in _OWN}
    operations = {name: _by_service(getattr(snapshot.operations, name)) for name in _OPERATIONS}
    checks = _by_service({(each.service, number): each for number, each in enumerate(snapshot.checks)})
    names = list(dict.fromkeys(name for by in (*own.values(), *operations.values(), checks) for name in by))
    for at in range(0, max(1, len(names)), services):
        some = names[at : at + services]
        theirs: Any = {name: _of(some, by) for name, by in own.items()}
        done: Any = {name: _of(some, by) for name, by in operations.items()}
        yield replace(
            snapshot,
            checks=[*_of(some, checks).values()],
            operations=replace(snapshot.operations, **done),
            **theirs,
        )


def _by_service(mapping: Mapping[Any, Any]) -> dict[str, dict[Any, Any]]:
    found: dict[str, dict[Any, Any]] = {}
    for key, value in mapping.items():
        found.setdefault(key if isinstance(key, str) else key[0], {})[key] = value
    return found


def _of(names: list[str], by_service: Mapping[str, Mapping[Any, Any]]) -> dict[Any, Any]:
    return {key: value for name in names for key, value in by_service.get(name, {}).items()}
