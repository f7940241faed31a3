"""Raise late, lower first: what has to come first, telling the workers or writing the ledger.

Traffic may move to the canary only when the ledger can prove why: raising is written, then told. Traffic may
move away from it at any time: lowering is told, then written, and no disk stands in the way of a trip.
"""

from dataclasses import dataclass

from proxy.rollout.entry import Entry
from proxy.rollout.rollout import Advance, Rollout


@dataclass(frozen=True, slots=True)
class Nothing:
    """What was wanted is already so."""


@dataclass(frozen=True, slots=True)
class Lower:
    """Tell the workers `rollout` at once; write `entry` meanwhile, for as long as it takes."""

    rollout: Rollout
    entry: Entry


@dataclass(frozen=True, slots=True)
class Raise:
    """Write `entry` first; tell the workers `rollout` only when that is durable."""

    rollout: Rollout
    entry: Entry


Action = Nothing | Lower | Raise


def action(before: Rollout, advance: Advance) -> Action:
    """How to carry out an advance. Letting a halted canary back in is raising, at whatever weight."""
    if advance.entry is None:
        return Nothing()
    after = advance.rollout
    released = advance.entry.event in ("release", "resume")
    if released or after.weight > before.weight:
        return Raise(after, advance.entry)
    return Lower(after, advance.entry)
