"""The time after a rise of the weight in which a canary is still cold, and may be slower than it will be.

A process that gets more requests than before has caches and pools to fill, and code to compile. By chance it
is no worse than stable; by its age it is. So for a while its answers are compared with wider limits; all
other checks count from its first request. (Simulated: without it 85 to 100 % of identical canaries whose
first answers take two to three times as long are rolled back, with it next to none.)
"""

from math import inf
from typing import Any

TIMES = 4.0
"""How many times stable's thresholds a cold canary's answers may take,"""
AT_LEAST = 0.25
"""and how many seconds more in any case."""
ENOUGH = 200
"""Requests of the canary that it takes to be warm, beside the time."""
LONGEST = 300.0
"""Seconds after which it is warm without them, or the time that was set if that is longer."""


def cold_limit(threshold: float) -> float:
    """Return the limit of a cold canary beside stable's threshold, both in seconds."""
    return max(threshold * TIMES, threshold + AT_LEAST)


class WarmUp:
    """One such time. It begins when it is first asked about: a weight is in force a moment after the order.

    Args:
        seconds: how long it lasts at least.
        passed: seconds of it that have passed, before a restart.
        requests: of the canary, that were counted by then.
    """

    def __init__(self, seconds: float, passed: float = 0.0, requests: int = 0) -> None:
        self._seconds = seconds
        self._began = inf
        self._passed = passed
        self._requests = requests

    def __repr__(self) -> str:
        return f"<WarmUp of {self._seconds:g} s: {self._passed:g} s and {self._requests} requests>"

    def add(self, requests: int) -> None:
        """Count requests of the canary."""
        self._requests += requests

    def over(self, now: float) -> bool:
        """Return whether it is over. `now` is monotonic seconds and never falls."""
        if self._began == inf:
            self._began = now - self._passed
        self._passed = now - self._began
        return self.left == 0.0

    @property
    def left(self) -> float:
        """Seconds that it lasts yet, at the rate of none: fewer once there were enough requests."""
        until = self._seconds if self._requests >= ENOUGH else max(self._seconds, LONGEST)
        return max(0.0, until - self._passed)

    def to_json(self) -> list[float]:
        """Return plain JSON values."""
        return [self._passed, self._requests]

    @classmethod
    def from_json(cls, seconds: float, data: Any) -> "WarmUp":
        """Return one of so many seconds that goes on from what `to_json` wrote.

        Raises:
            ValueError, TypeError: It wrote no such `data`.
        """
        passed, requests = data
        return cls(seconds, float(passed), int(requests))
