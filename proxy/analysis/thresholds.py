"""Thresholds above which an answer is slow, made from the times of stable's latest answers.

They are the quantiles of stable's last one to two minutes: near enough to follow the day, many enough to be
quantiles of something. Where there are few, those of the past hour help out.
"""

from collections import deque
from math import inf

from proxy.analysis.policy import Slower
from proxy.analysis.warm_up import cold_limit
from proxy.routing.split import CANARY, STABLE
from proxy.telemetry.histogram import Histogram
from proxy.telemetry.outcome import QUANTILES, Thresholds

SLOT = 60.0
"""Seconds."""
SLOTS = 60
"""An hour."""
LATEST = 2
"""Slots that are looked at in any case."""
ENOUGH = 200
"""Answers for whose want older ones are looked at."""
SAMPLES = (20, 50, 100)
"""Answers that it takes to know each of the quantiles."""
REFRESH = 10.0
"""Seconds for which thresholds stay as they are."""

SHARES = tuple(int(name[1:]) / 100 for name in QUANTILES)
"""What part (0..1) of the answers each quantile is above."""


class LatencyThresholds:
    """How fast stable answers. `now` is monotonic seconds and never falls."""

    def __init__(self, slower: Slower) -> None:
        self.slower = slower
        """How much later than stable's the canary's answers may come."""
        self._slots: deque[tuple[int, Histogram]] = deque()
        self._answers = 0
        """Of all slots."""
        self._due = -inf
        self.stable: Thresholds = ()
        """Seconds, those of its quantiles that are known."""
        self.canary: Thresholds = ()
        """What the canary's answers are allowed beside them."""

    def __repr__(self) -> str:
        return f"<LatencyThresholds of {self._answers} answers: {self.stable}>"

    def add(self, head: Histogram, now: float) -> None:
        """Count what stable's latest answers took."""
        if not head.counts:
            return
        slot = int(now // SLOT)
        if not self._slots or self._slots[-1][0] < slot:
            self._slots.append((slot, Histogram()))
        self._slots[-1][1].absorb(head)
        self._answers += head.count

    def thresholds(self, now: float, *, cold: bool = False) -> dict[str, Thresholds]:
        """Return the thresholds by backend; the same for `REFRESH` seconds, unless one becomes known.

        A `cold` canary has wider ones.
        """
        known = len(self.stable)
        if now >= self._due or (known < len(SAMPLES) and self._answers >= SAMPLES[known]):
            self._renew(now)
        limits = (canary_limit(self.slower, each) for each in self.stable)
        if cold:
            limits = (max(limit, cold_limit(each)) for limit, each in zip(limits, self.stable, strict=True))
        self.canary = tuple(limits)
        return {STABLE: self.stable, CANARY: self.canary}

    @property
    def answers(self) -> int:
        """Stable's answers within the hour."""
        return self._answers

    def _renew(self, now: float) -> None:
        newest = int(now // SLOT)
        while self._slots and self._slots[0][0] <= newest - SLOTS:
            self._answers -= self._slots.popleft()[1].count
        lately = Histogram()
        for slot, answers in reversed(self._slots):
            if slot <= newest - LATEST and lately.count >= ENOUGH:
                break
            lately.absorb(answers)
        count = lately.count
        found = [
            lately.quantile(share) for share, sample in zip(SHARES, SAMPLES, strict=True) if count >= sample
        ]
        self.stable = tuple(threshold for threshold in found if threshold is not None)
        self._due = now + REFRESH


def canary_limit(slower: Slower, threshold: float) -> float:
    """Return the canary's limit beside stable's threshold, both in seconds."""
    return max(threshold * (1 + slower.by), threshold + slower.at_least)
