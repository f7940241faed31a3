"""When a child that died is started again: decided here, done by its keeper."""

FIRST = 0.05
LONGEST = 1.0
HEALTHY = 10.0
"""Seconds of good work after which a death counts as the first one again."""


class Restarts:
    """At once the first time, then after pauses that double up to a second; and for ever."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = 0.0

    def __repr__(self) -> str:
        return f"<Restarts next after {self._next:g} s>"

    def pause(self, worked: float) -> float:
        """Seconds until the next start, after a child that was ready for `worked` seconds (0: never was)."""
        if worked >= HEALTHY:
            self._next = 0.0
        pause, self._next = self._next, min(LONGEST, self._next * 2 or FIRST)
        return pause
