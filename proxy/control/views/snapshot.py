"""The snapshot of control for /metrics."""

from collections.abc import Mapping, Sequence

import proxy
from proxy.control.managed_service import ManagedService
from proxy.control.schedule import in_turns
from proxy.control.views import view
from proxy.telemetry.control_metrics import Operations
from proxy.telemetry.counts import Counts
from proxy.telemetry.exposition import CheckSample, Snapshot
from proxy.telemetry.outcome import REASONS, UNROUTED, BackendKey


async def collect(
    *,
    totals: Mapping[BackendKey, Counts],
    managed_services: Sequence[ManagedService],
    trips: Mapping[tuple[str, str], int],
    would_trips: Mapping[tuple[str, str], int],
    now: float,
    operations: Operations,
) -> Snapshot:
    """Collect the snapshot in many turns of the event loop.

    Args:
        totals: the counts of all workers.
        managed_services: all services.
        trips: by service and check, how often it took the canary out.
        would_trips: the same for `enforce: false`, where it would have.
        now: monotonic seconds.
        operations: the counts of probes, hooks and notices.
    """
    weights: dict[BackendKey, float] = {}
    shares: dict[BackendKey, float] = {}
    halted: dict[BackendKey, bool] = {}
    evidence: dict[str, float] = {}
    exposed: dict[str, int] = {}
    checks: list[CheckSample] = []
    async for each in in_turns(managed_services):
        weights |= view.weights(each)
        shares |= view.shares(each, now)
        halted |= view.halted(each)
        evidence |= view.odds(each)
        exposed |= view.exposed(each)
        checks += view.samples(each)
    return Snapshot(
        totals={side: counts for side, counts in totals.items() if side[0] != UNROUTED},
        refused=dict.fromkeys(REASONS, 0)
        | {reason: counts.excluded for (name, reason), counts in totals.items() if name == UNROUTED},
        weights=weights,
        shares=shares,
        evidence=evidence,
        would_trips=dict(would_trips),
        exposed=exposed,
        halted=halted,
        checks=checks,
        trips=dict(trips),
        version=proxy.__version__,
        operations=operations,
    )
