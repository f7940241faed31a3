"""Counts as JSON: how they travel to control every 250 ms, and how the ledger keeps them.

What older counts don't have, and what is mostly empty, is left out while it is.
"""

from typing import Any

from proxy.telemetry.counts import NUMBERS, Counts
from proxy.telemetry.histogram import Histogram
from proxy.telemetry.hyperloglog import Registers
from proxy.telemetry.labels import CODES
from proxy.telemetry.outcome import ENDINGS, RESULTS
from proxy.telemetry.sparse import by_word, whole_numbers
from proxy.telemetry.top_failures import TopFailures
from proxy.telemetry.users import Users


def to_json(counts: Counts) -> dict[str, Any]:
    """Return plain JSON values, as few as will do."""
    return {
        "drawn": dict(counts.drawn),
        "pinned": dict(counts.pinned),
        "codes": [[*code, count] for code, count in counts.codes.items()],
        "errors": dict(counts.errors),
        "head": counts.head.to_json(),
        "total": counts.total.to_json(),
        "open": counts.in_flight,
        "life": counts.life,
        **_rare(counts),
    }


def _rare(counts: Counts) -> dict[str, Any]:
    rare = {
        "tunnels": counts.tunnels,
        "taken_over": dict(counts.taken_over),
        "labels": [[code, count] for code, count in counts.labels.items()],
        **{name: getattr(counts, name) for name in NUMBERS},
        "overdue": counts.overdue,
        "users": counts.users and counts.users.to_json(),
        "exposed": counts.exposed and counts.exposed.to_json(),
        "failed": counts.failed.to_json(),
    }
    return {name: value for name, value in rare.items() if value}


def from_json(data: Any) -> Counts:
    """Return the counts that `to_json` wrote.

    Raises:
        ValueError, KeyError, TypeError: It wrote no such `data`.
    """
    in_flight, life, tunnels, overdue, *events = whole_numbers(
        [data["open"], data["life"], *(data.get(name, 0) for name in ("tunnels", "overdue", *NUMBERS))]
    )
    return Counts(
        drawn=by_word(data["drawn"], RESULTS),
        pinned=by_word(data["pinned"], RESULTS),
        codes=_codes(data["codes"]),
        errors=by_word(data["errors"], ENDINGS),
        head=Histogram.from_json(data["head"]),
        total=Histogram.from_json(data["total"]),
        in_flight=in_flight,
        tunnels=tunnels,
        life=life,
        taken_over=by_word(data.get("taken_over", {}), RESULTS),
        labels=by_word(dict(data.get("labels", ())), CODES),
        overdue=overdue,
        users=Users.from_json(data.get("users", [0])),
        exposed=Registers.from_json(data.get("exposed", "")),
        failed=TopFailures.from_json(data.get("failed", ())),
        **dict(zip(NUMBERS, events, strict=True)),
    )


def _codes(rows: Any) -> dict[tuple[str, int], int]:
    """Return rows of method, status and count, as counts by method and status."""
    whole_numbers([number for _, *numbers in rows for number in numbers])
    return {(str(method), status): count for method, status, count in rows}
