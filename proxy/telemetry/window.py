"""Counts over the last so many seconds.

Time is cut into slots of equal width. What is added goes into the slot of now; a slot that is over goes into
a running total, and is taken out of it again when it has grown too old. So looking costs a copy and one
addition, and what is added within one slot goes into the total together. Everything younger than the span
less one slot is in, and nothing older than the span.
"""

from collections import deque
from math import floor

from proxy.telemetry.tally import Counts


class Window:
    """The counts of the last `span` seconds, right to one of `slots` slots. Holds events: its gauge is 0."""

    def __init__(self, span: float, slots: int = 60) -> None:
        if not span > 0 or slots < 1:
            raise ValueError(f"no window of {span} s in {slots} slots")
        self.span = span
        self._width = span / slots
        self._slots = slots
        self._past: deque[tuple[int, Counts]] = deque()
        """Slots that something was added to, by number, oldest first."""
        self._total = Counts()
        """Of all slots but the last."""

    def __repr__(self) -> str:
        requests = sum(counts.requests for _, counts in self._past)
        return f"<Window {self.span:g} s: {requests} requests in {len(self._past)} slots>"

    def add(self, delta: Counts, now: float) -> None:
        """Count what happened since the last addition. `now` is monotonic seconds and never falls."""
        slot = self._expire(now)
        if not self._past or self._past[-1][0] < slot:
            if self._past:
                self._total.absorb(self._past[-1][1])
            self._past.append((slot, Counts()))
        self._past[-1][1].absorb(delta)

    def counts(self, now: float) -> Counts:
        """What was added within the span before `now`; empty when nothing was."""
        self._expire(now)
        result = self._total.copy()
        if self._past:
            result.absorb(self._past[-1][1])
        return result

    def clear(self) -> None:
        """Begin anew, as after a release."""
        self._past.clear()
        self._total = Counts()

    def _expire(self, now: float) -> int:
        """Take out the slots that are too old. Returns the number of the slot of now."""
        slot = floor(now / self._width)
        while self._past and self._past[0][0] <= slot - self._slots:
            _, old = self._past.popleft()
            if self._past:
                self._total.shed(old)
        return slot
