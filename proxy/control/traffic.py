"""Requests a second of a service lately, whatever release they met.

The judge's windows begin anew with every release, and that is when people ask how long a plan will take.
"""

from collections import deque
from math import floor

SPAN = 30
"""Seconds that a rate is taken over."""


class Traffic:
    """Requests by whole seconds of a monotonic clock that never falls."""

    def __init__(self) -> None:
        self._seconds: deque[list[int]] = deque()
        """Second and requests, oldest first."""
        self._began: float | None = None

    def __repr__(self) -> str:
        return f"<Traffic {sum(requests for _, requests in self._seconds)} requests>"

    def add(self, requests: int, now: float) -> None:
        """Count so many more requests."""
        self._expire(now)
        if self._began is None:
            self._began = now
        if not self._seconds or self._seconds[-1][0] != floor(now):
            self._seconds.append([floor(now), 0])
        self._seconds[-1][1] += requests

    def rate(self, now: float) -> float:
        """Return the requests a second over the last `SPAN` seconds, or since the first if that is less."""
        self._expire(now)
        if self._began is None:
            return 0.0
        lasted = min(float(SPAN), max(1.0, now - self._began))
        return sum(requests for _, requests in self._seconds) / lasted

    def _expire(self, now: float) -> None:
        while self._seconds and self._seconds[0][0] <= floor(now) - SPAN:
            self._seconds.popleft()
