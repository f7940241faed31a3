"""From when on an answer counts as slow: stable's own quantiles, of a little while ago.

A threshold may be anything, as long as it was fixed before the request was sent that it is held against: then
it tells the coin's two sides nothing of each other. So it follows stable slowly, and once it is known it
stays until there is a newer one.
"""

from collections import deque
from math import floor

from proxy.telemetry.histogram import Histogram
from proxy.telemetry.outcome import Thresholds

QUANTILES = (0.5, 0.9, 0.99)
NEEDED = (20, 50, 100)
"""Answers below which the threshold of each quantile isn't known."""
SLOT = 60.0
"""Seconds of answers that are kept together: the newest slot and the one before are 60 to 120 s."""
RECENT = 2
SLOTS = 60
"""An hour: further back nobody looks."""
ENOUGH = 200
"""Answers that are looked for further back when the newest slots have too few."""
REFRESH = 10.0
"""Seconds for which thresholds stay as they are."""


class StableTimes:
    """Times to stable's response heads, and the thresholds that they come to. `now` is monotonic seconds."""

    def __init__(self, held: Thresholds = ()) -> None:
        self._held = held
        self._refreshed = -REFRESH
        self._slots: deque[tuple[int, Histogram]] = deque(maxlen=SLOTS)
        self.sample = 0
        """Answers that the thresholds rest on, or would."""

    def __repr__(self) -> str:
        return f"<StableTimes {self._held} by {self.sample} answers>"

    @property
    def held(self) -> Thresholds:
        """The thresholds that were given last."""
        return self._held

    def add(self, times: Histogram, now: float) -> None:
        """Take stable's answers."""
        if not times.counts:
            return
        slot = floor(now / SLOT)
        if not self._slots or self._slots[-1][0] != slot:
            self._slots.append((slot, Histogram()))
        self._slots[-1][1].absorb(times)

    def thresholds(self, now: float) -> Thresholds:
        """Those in force, in seconds, of p50, p90 and p99; the last ones as soon as there is a sample."""
        if now - self._refreshed >= REFRESH or len(self._held) < len(QUANTILES):
            self._refresh(now)
        return self._held

    def _refresh(self, now: float) -> None:
        times = self._recent(floor(now / SLOT))
        self.sample = times.count
        found: list[float] = []
        for quantile, needed, old in zip(QUANTILES, NEEDED, (*self._held, None, None, None), strict=False):
            fresh = times.quantile(quantile) if self.sample >= needed else None
            value = fresh if fresh is not None else old
            if value is None:
                break
            found.append(max([value, *found]))
        if tuple(found) != self._held or now - self._refreshed >= REFRESH:
            self._refreshed = now
        self._held = tuple(found)

    def _recent(self, slot: int) -> Histogram:
        """The newest answers: two slots of them, or as many as make a sample."""
        times, count = Histogram(), 0
        for number, each in reversed(self._slots):
            old = number <= slot - RECENT
            if number <= slot - SLOTS or (old and count >= NEEDED[-1]) or (old and count >= ENOUGH):
                break
            times.absorb(each)
            count = times.count
        return times
