"""Incidents: stable's own failures, during which no weight is raised."""

from collections import deque

from proxy.analysis.guard import meant
from proxy.telemetry.counts import Counts

SLOT = 10.0
"""Seconds."""
LATELY = 6
"""Slots: the last minute."""
LONG = 60
"""Slots: the ten minutes it is held against."""
TIMES = 3.0
"""How many times the share of failures of the ten minutes that of the last minute may be."""
ANYWAY = 0.05
"""The share (0..1) of failures that is no incident, whatever was before."""


class Incident:
    """The failures of stable's last ten minutes. `now` is monotonic seconds and never falls."""

    def __init__(self) -> None:
        self._slots: deque[list[int]] = deque()
        """Number, answers and failures of each slot that something was added to."""

    def __repr__(self) -> str:
        return f"<Incident? {len(self._slots)} slots>"

    def add(self, stable: Counts, now: float) -> None:
        """Count what stable was meant to answer: what it took over is little evidence."""
        failed, answers = meant(stable)
        if not answers:
            return
        slot = int(now // SLOT)
        while self._slots and self._slots[0][0] <= slot - LONG:
            self._slots.popleft()
        if not self._slots or self._slots[-1][0] < slot:
            self._slots.append([slot, 0, 0])
        self._slots[-1][1] += answers
        self._slots[-1][2] += failed

    def share(self, now: float) -> float | None:
        """Return the share (0..1) of stable's failed answers in the last minute, if that is an incident.

        None otherwise.
        """
        slot = int(now // SLOT)
        lately = _share(self._slots, slot - LATELY)
        return lately if lately > max(ANYWAY, TIMES * _share(self._slots, slot - LONG)) else None


def _share(slots: deque[list[int]], after: int) -> float:
    """Return the share of failures in the slots after this one; without answers nothing failed."""
    counted = [(answers, failures) for slot, answers, failures in slots if slot > after]
    answers = sum(answers for answers, _ in counted)
    return sum(failures for _, failures in counted) / answers if answers else 0.0
