"""The phases of a rollout, what triggers a move, and the table of legal moves.

The table owns every transition: a pair that isn't in it is refused, with the orders that are. A canary that
was taken out therefore comes back by a person's word or by a new release, and by no verdict or restart.
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

Phase = Literal["idle", "progressing", "paused", "promoting", "promoted", "rolled-back"]
OrderName = Literal["start", "promote", "pause", "resume", "abort", "retry", "undo", "set-weight"]
"""What a person can order."""
Trigger = (
    OrderName | Literal["release", "reload", "step", "gate", "deadline", "finish", "switch", "trip", "adopt"]
)
"""All that can happen."""

IDLE: Final = "idle"
"""No plan is under way: the split is that of the last order, and the canary, if there is one, is judged."""
PROGRESSING: Final = "progressing"
"""The canary is on its way through the steps of the plan."""
PAUSED: Final = "paused"
"""The weight stays until a person orders more; the canary is judged all the same."""
PROMOTING: Final = "promoting"
"""All steps are done, and what has to agree before the canary becomes stable is asked."""
PROMOTED: Final = "promoted"
"""The canary has become stable; the stable before it is kept for an undo."""
ROLLED_BACK: Final = "rolled-back"
"""The canary was taken out, by a verdict or by hand: weight 0, and halted for everybody."""

MOVES: Mapping[tuple[Phase, Trigger], tuple[Phase, ...]] = {
    # What a person orders.
    (IDLE, "start"): (PROGRESSING,),
    (PROMOTED, "start"): (PROGRESSING,),
    (ROLLED_BACK, "start"): (PROGRESSING,),
    (PROGRESSING, "start"): (PROGRESSING,),
    (PAUSED, "start"): (PROGRESSING,),
    (PROMOTING, "start"): (PROGRESSING,),
    (IDLE, "promote"): (PROMOTING,),
    (PROGRESSING, "promote"): (PROGRESSING, PAUSED, PROMOTING),
    (PAUSED, "promote"): (PROGRESSING, PAUSED, PROMOTING),
    (PROMOTING, "promote"): (PROMOTED,),
    (PROGRESSING, "pause"): (PAUSED,),
    (PROMOTING, "pause"): (PAUSED,),
    (PAUSED, "resume"): (PROGRESSING, PAUSED, PROMOTING),
    (ROLLED_BACK, "resume"): (IDLE, PROGRESSING, PAUSED),
    (IDLE, "abort"): (ROLLED_BACK,),
    (PROGRESSING, "abort"): (ROLLED_BACK,),
    (PAUSED, "abort"): (ROLLED_BACK,),
    (PROMOTING, "abort"): (ROLLED_BACK,),
    (ROLLED_BACK, "abort"): (ROLLED_BACK,),
    (ROLLED_BACK, "retry"): (PROGRESSING,),
    (PROMOTED, "undo"): (IDLE, PROGRESSING),
    (IDLE, "set-weight"): (IDLE,),
    (PROGRESSING, "set-weight"): (PAUSED,),
    (PAUSED, "set-weight"): (PAUSED,),
    (PROMOTING, "set-weight"): (PAUSED,),
    # What the plan, time and verdicts lead to.
    (PROGRESSING, "step"): (PROGRESSING,),
    (PROGRESSING, "gate"): (PAUSED,),
    (PROGRESSING, "deadline"): (PAUSED,),
    (PROMOTING, "deadline"): (PAUSED,),
    (PROGRESSING, "finish"): (PROMOTING,),
    (PROMOTING, "switch"): (PROMOTED,),
    (IDLE, "trip"): (ROLLED_BACK,),
    (PROGRESSING, "trip"): (ROLLED_BACK,),
    (PAUSED, "trip"): (ROLLED_BACK,),
    (PROMOTING, "trip"): (ROLLED_BACK,),
    # What the file changes: another canary, or anything else.
    (IDLE, "release"): (IDLE, PROGRESSING),
    (PROGRESSING, "release"): (IDLE, PROGRESSING),
    (PAUSED, "release"): (IDLE, PROGRESSING),
    (PROMOTING, "release"): (IDLE, PROGRESSING),
    (PROMOTED, "release"): (IDLE, PROGRESSING),
    (ROLLED_BACK, "release"): (IDLE, PROGRESSING),
    (IDLE, "reload"): (IDLE,),
    (PROGRESSING, "reload"): (PROGRESSING,),
    (PAUSED, "reload"): (PAUSED,),
    (PROMOTING, "reload"): (PROMOTING,),
    (PROMOTED, "reload"): (PROMOTED,),
    (ROLLED_BACK, "reload"): (ROLLED_BACK,),
    # A worker holds a state that never reached the ledger; see `proxy.rollout.inputs.Held`.
    (IDLE, "adopt"): (IDLE, ROLLED_BACK),
    (PROGRESSING, "adopt"): (PAUSED, ROLLED_BACK),
    (PAUSED, "adopt"): (PAUSED, ROLLED_BACK),
    (PROMOTING, "adopt"): (PAUSED, ROLLED_BACK),
    (PROMOTED, "adopt"): (PROMOTED,),
    (ROLLED_BACK, "adopt"): (ROLLED_BACK,),
}

UNDER_WAY: Final = frozenset({PROGRESSING, PAUSED, PROMOTING})
"""The phases in which a plan is followed."""


def orders(phase: Phase) -> tuple[OrderName, ...]:
    """Return what a person can order in a phase."""
    return tuple(order for order in get_args(OrderName) if (phase, order) in MOVES)
