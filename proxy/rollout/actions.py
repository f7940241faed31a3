"""Raise late, lower first: what has to come first, sending to the workers or writing the ledger.

Traffic may move to the canary only when the ledger can prove why: raising is written, then sent. Traffic may
move away from it at any time: lowering is sent, then written, and no disk stands in the way of a trip.
"""

from dataclasses import dataclass

from proxy.rollout.entry import Entry, EntryKind
from proxy.rollout.rollout import Advance, Rollout

SENT_FIRST: frozenset[EntryKind] = frozenset({"trip", "abort", "pause", "gate", "deadline", "weight"})
"""What takes traffic away from a canary, or leaves it where it is, unless it gets a larger weight by it."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """What was wanted is already so."""


@dataclass(frozen=True, slots=True)
class Lower:
    """Send the workers `rollout` at once; write `entry` meanwhile, for as long as it takes."""

    rollout: Rollout
    entry: Entry


@dataclass(frozen=True, slots=True)
class Raise:
    """Write `entry` first; send the workers `rollout` only when that is durable."""

    rollout: Rollout
    entry: Entry


Action = Nothing | Lower | Raise


def action(before: Rollout, advance: Advance) -> Action:
    """Return how to carry out an advance. Whatever lets a canary in, or changes who is one, is raising."""
    entry, after = advance.entry, advance.rollout
    if entry is None:
        return Nothing()
    lower = entry.event in SENT_FIRST and after.weight <= before.weight
    return Lower(after, entry) if lower else Raise(after, entry)
