"""Outages of stable: nearly all of its latest requests came to nothing.

No canary can be worse than that, so no check of a canary shows it.
"""

from collections import Counter, deque
from math import floor

from proxy.counted import plural
from proxy.telemetry.counts import Counts

SLOT = 5.0
"""Seconds."""
LATELY = 6
"""Slots that are looked at in any case: the last 30 s."""
LONG = 120
"""Slots that are looked at where there are few requests: ten minutes."""
SAMPLE = 5
"""Requests below which nothing is concluded, and for whose want older ones are looked at."""
SHARE = 0.9
"""The share (0..1) of them that came to nothing from which on it is an outage."""

BAD_ANSWERS = "bad answers"
UNANSWERED = "clients that left without an answer"
NO_ENDPOINT = "no endpoint alive"

_CAUSES = {"refused": NO_ENDPOINT}


class Outage:
    """The ends of stable's latest requests, whatever release they met. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._slots: deque[tuple[int, Counter[str]]] = deque()
        """By number: good answers under "", and the others by their cause."""

    def __repr__(self) -> str:
        return f"<Outage? {len(self._slots)} slots>"

    def add(self, stable: Counts, now: float) -> None:
        """Count what stable did. Clients that left are no failures of it, but nor did they get an answer."""
        ends = Counter({"": stable.successes, BAD_ANSWERS: stable.failures - sum(stable.errors.values())})
        for ending, count in stable.errors.items():
            ends[_CAUSES.get(ending, ending)] += count
        ends[UNANSWERED] += sum(count for (_, status), count in stable.codes.items() if not status)
        if not (ends := +ends):
            return
        slot = floor(now / SLOT)
        while self._slots and self._slots[0][0] <= slot - LONG:
            self._slots.popleft()
        if not self._slots or self._slots[-1][0] < slot:
            self._slots.append((slot, Counter()))
        self._slots[-1][1].update(ends)

    def sentence(self, now: float) -> str:
        """Return what is wrong: 40 of its 40 latest requests failed (connect 40x); "" for no outage."""
        newest, lately = floor(now / SLOT), Counter[str]()
        for slot, ends in reversed(self._slots):
            if slot <= newest - LONG or (slot <= newest - LATELY and lately.total() >= SAMPLE):
                break
            lately.update(ends)
        total = lately.total()
        failed = total - lately.pop("", 0)
        if total < SAMPLE or failed < SHARE * total:
            return ""
        causes = ", ".join(f"{cause} {count:,}x" for cause, count in lately.most_common())
        return f"{failed:,} of its {total:,} latest {plural(total, 'request')} failed ({causes})"
