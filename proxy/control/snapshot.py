"""What /metrics shows of control, put together."""

from collections.abc import Mapping, Sequence

import proxy
from proxy.control import view
from proxy.control.judging import Check
from proxy.control.ledger import UNRECORDED, Side
from proxy.control.standing import Standing
from proxy.rollout.entry import Entry
from proxy.telemetry.counts import Counts
from proxy.telemetry.exposition import Snapshot
from proxy.telemetry.operations import Operations
from proxy.telemetry.outcome import REASONS, UNROUTED


def taken(
    totals: Mapping[Side, Counts],
    standings: Sequence[Standing],
    trips: Mapping[Check, int],
    would_trips: Mapping[Check, int],
    now: float,
    operations: Operations,
) -> Snapshot:
    """All of it. `now` is monotonic seconds."""
    return Snapshot(
        totals={side: counts for side, counts in totals.items() if side[0] != UNROUTED},
        refused=dict.fromkeys(REASONS, 0)
        | {reason: counts.excluded for (name, reason), counts in totals.items() if name == UNROUTED},
        weights={side: ratio for each in standings for side, ratio in view.weights(each).items()},
        shares={side: ratio for each in standings for side, ratio in view.shares(each, now).items()},
        evidence={name: odds for each in standings for name, odds in view.odds(each).items()},
        would_trips=dict(would_trips),
        exposed={name: users for each in standings for name, users in view.exposed(each).items()},
        halted={side: out for each in standings for side, out in view.halted(each).items()},
        checks=[sample for each in standings for sample in view.samples(each)],
        trips=dict(trips),
        version=proxy.__version__,
        operations=operations,
    )


def check(entry: Entry) -> str:
    """The check under which a trip counts."""
    return entry.finding.check if entry.finding else UNRECORDED
