"""One transition, as the ledger keeps it."""

from dataclasses import dataclass
from typing import Literal

from proxy.analysis.verdict import UNRECORDED, Finding

EntryKind = Literal[
    "release",
    "reload",
    "start",
    "step",
    "gate",
    "deadline",
    "promoting",
    "promotion",
    "weight",
    "pause",
    "trip",
    "abort",
    "resume",
    "retry",
    "undo",
]


@dataclass(frozen=True, slots=True)
class Entry:
    """From `before` to `after` (the canary's parts of 10,000) under a new `revision`.

    `why` is the reason that the rollout itself gives, for an entry to which no person gave one; `finding` is
    what tripped the canary, None for everything else.
    """

    revision: int
    event: EntryKind
    before: int
    after: int
    why: str
    finding: Finding | None = None

    @property
    def check(self) -> str:
        """The name of the check under which a trip is counted."""
        return self.finding.check if self.finding else UNRECORDED
