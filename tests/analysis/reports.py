"""Counts as reports bring them, made from numbers."""

from typing import Any

from proxy.telemetry.counts import Counts
from proxy.telemetry.users import Users


def counts(
    ok: int = 0,
    bad: int = 0,
    diverted: int = 0,
    slow: tuple[int, ...] = (),
    users: list[tuple[int, int]] | tuple[Any, ...] = (),
    gap: bool = False,
    pinned: tuple[int, int] = (0, 0),
    **more: Any,
) -> Counts:
    """Drawn requests; `slow`: by how many of three thresholds they exceeded; `pinned`: good, bad."""
    labels = {24 + exceeded: count for exceeded, count in enumerate(slow) if count}
    drawn = {"success": ok, "failure": bad}
    pins = {"success": pinned[0], "failure": pinned[1]}
    log = Users(0, list(users), gap=gap)
    return Counts(drawn=drawn, pinned=pins, labels=labels, diverted=diverted, users=log, **more)


def report(
    canary: Counts | None = None, stable: Counts | None = None, revision: int = 1
) -> list[tuple[int, str, Counts]]:
    """What a worker has of one revision."""
    sides = {"canary": canary, "stable": stable}
    return [(revision, name, each) for name, each in sides.items() if each is not None]
