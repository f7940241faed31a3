"""The snapshot of control for /metrics."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import proxy
from proxy.control.managed_service import ManagedService
from proxy.control.schedule import in_turns
from proxy.control.views import endpoints, view
from proxy.routing.split import CANARY, STABLE
from proxy.telemetry.control_metrics import Operations
from proxy.telemetry.counts import Counts
from proxy.telemetry.exposition import CheckSample, Snapshot
from proxy.telemetry.outcome import REASONS, UNROUTED, BackendKey

ServiceKey = TypeVar("ServiceKey", bound=tuple[Any, ...])
Value = TypeVar("Value")

_NOTHING = Counts()


async def collect(
    *,
    totals: Mapping[BackendKey, Counts],
    managed_services: Sequence[ManagedService],
    trips: Mapping[tuple[str, str], int],
    would_trips: Mapping[tuple[str, str], int],
    now: float,
    conditions: Callable[[ManagedService], Mapping[str, str]],
    operations: Operations,
) -> Snapshot:
    """Collect the snapshot in many turns of the event loop.

    Each service has both backends, counted from 0, also where a canary is still to come; one that the file no
    longer has isn't shown, though its counts are kept for its return.

    Args:
        totals: the counts of all workers.
        managed_services: all services.
        trips: by service and check, how often it took the canary out.
        would_trips: the same for `enforce: false`, where it would have.
        now: monotonic seconds.
        conditions: returns the conditions of a service's endpoints, by identity.
        operations: the counts of probes, hooks and notices.
    """
    weights: dict[BackendKey, float] = {}
    shares: dict[BackendKey, float] = {}
    halted: dict[BackendKey, bool] = {}
    evidence: dict[str, float] = {}
    exposed: dict[str, int] = {}
    cold: dict[str, float] = {}
    checks: list[CheckSample] = []
    up: dict[tuple[str, str, str], bool] = {}
    async for each in in_turns(managed_services):
        weights |= view.weights(each)
        shares |= view.shares(each, now)
        halted |= view.halted(each)
        evidence |= view.odds(each)
        exposed |= view.exposed(each)
        cold |= view.cold(each)
        checks += view.samples(each)
        up |= endpoints.up(each, conditions(each))
    names = {each.name for each in managed_services}
    sides = ((each.name, backend) for each in managed_services for backend in (STABLE, CANARY))
    return Snapshot(
        totals={side: totals.get(side, _NOTHING) for side in sides},
        refused=dict.fromkeys(REASONS, 0)
        | {reason: counts.excluded for (name, reason), counts in totals.items() if name == UNROUTED},
        weights=weights,
        shares=shares,
        evidence=evidence,
        would_trips=_of(names, would_trips),
        exposed=exposed,
        cold=cold,
        halted=halted,
        checks=checks,
        trips=_of(names, trips),
        version=proxy.__version__,
        operations=replace(
            operations,
            hooks=_of(names, operations.hooks),
            notices=_of(names, operations.notices),
            endpoints=up,
        ),
    )


def _of(names: Collection[str], counts: Mapping[ServiceKey, Value]) -> dict[ServiceKey, Value]:
    """Return what belongs to these services: their names are the first part of each key."""
    return {key: value for key, value in counts.items() if key[0] in names}
