"""Where a rollout can be, what can happen to it, and the table of legal moves.

The table owns every transition: a pair that isn't in it is refused, with the events that are. A tripped
canary therefore has exactly two ways back, and no order, verdict or restart is one of them: a person
resumes it, or the file brings a new release.
"""

from collections.abc import Mapping
from typing import Final, Literal

Phase = Literal["idle", "rolled-back"]
Event = Literal["release", "set-weight", "trip", "resume", "adopt"]

IDLE: Final = "idle"
"""The split is what the last order said; the canary is judged."""
ROLLED_BACK: Final = "rolled-back"
"""A verdict took the canary out: weight 0, and halted for everybody."""

MOVES: Mapping[tuple[Phase, Event], Phase] = {
    (IDLE, "release"): IDLE,
    (IDLE, "set-weight"): IDLE,
    (IDLE, "trip"): ROLLED_BACK,
    # A worker holds a state that never reached the ledger; see `proxy.rollout.inputs.Held`.
    (IDLE, "adopt"): ROLLED_BACK,
    (ROLLED_BACK, "adopt"): ROLLED_BACK,
    (ROLLED_BACK, "release"): IDLE,
    (ROLLED_BACK, "resume"): IDLE,
}


def legal(phase: Phase) -> tuple[Event, ...]:
    """What can happen in a phase, in the order of the table."""
    return tuple(event for before, event in MOVES if before == phase)
