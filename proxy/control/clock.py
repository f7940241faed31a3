"""The time that control goes by."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from proxy.ledger.journal import Rest, a_second


@dataclass(frozen=True, slots=True)
class Clock:
    """Unix seconds for entries and holds, monotonic seconds for windows, and the pause between two ticks."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    pause: Rest = a_second
    """Waits between two ticks, two checkpoints, and two attempts at a ledger that fails."""
