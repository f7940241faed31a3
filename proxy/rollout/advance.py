"""The one pure function that changes a rollout, whatever happens."""

from collections.abc import Callable, Mapping
from typing import Any

from proxy.rollout import inputs, ordered_moves, phases
from proxy.rollout.automatic_moves import on_held, on_look
from proxy.rollout.file_moves import on_release
from proxy.rollout.inputs import Held, Input, Look, Release
from proxy.rollout.rollout import Advance, Refused, Rollout, refused

Carries = Callable[[Rollout, Any, float], Advance | Refused]

ORDERS: Mapping[type[inputs.Order], tuple[phases.OrderName, Carries]] = {
    inputs.Start: ("start", ordered_moves.start),
    inputs.Promote: ("promote", ordered_moves.promote),
    inputs.Pause: ("pause", ordered_moves.pause),
    inputs.Resume: ("resume", ordered_moves.resume),
    inputs.Abort: ("abort", ordered_moves.abort),
    inputs.Retry: ("retry", ordered_moves.retry),
    inputs.Undo: ("undo", ordered_moves.undo),
    inputs.SetWeight: ("set-weight", ordered_moves.set_weight),
}
"""What each order is called, and what carries it out."""


def advance(rollout: Rollout, happened: Input, at: float) -> Advance | Refused:
    """Return the state after `happened`. `at` is now, in unix seconds.

    Raises:
        ValueError: A weight is outside 0..10,000.
    """
    match happened:
        case Look():
            return on_look(rollout, happened, at)
        case Held():
            return on_held(rollout, happened, at)
        case Release():
            return on_release(rollout, happened, at)
    name, carry = ORDERS[type(happened)]
    already = happened == inputs.SetWeight(rollout.weight)
    if (rollout.phase, name) not in phases.MOVES and not already:
        return refused(rollout, f"{name} is not possible while the rollout is {rollout.phase}")
    return carry(rollout, happened, at)
