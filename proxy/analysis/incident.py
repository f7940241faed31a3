"""Whether stable itself is in trouble: then nobody steps up, whatever the canary does."""

from proxy.telemetry.tally import Counts
from proxy.telemetry.window import Window

NOW, BEFORE = 60.0, 600.0
"""Seconds of the present, and of what it is held against."""
SHARE = 0.05
"""Failures among stable's answers that are no incident."""
TIMES = 3.0
"""How many times its share of the last ten minutes is none."""


class Incident:
    """Stable's failures over two windows. Failures and answers are all that they hold."""

    def __init__(self) -> None:
        self._now, self._before = Window(NOW), Window(BEFORE)

    def __repr__(self) -> str:
        return f"<Incident watch: {self._now!r}>"

    def add(self, stable: Counts, now: float) -> None:
        """Count stable's answers."""
        answers = Counts(drawn=stable.drawn, pinned=stable.pinned)
        self._now.add(answers, now)
        self._before.add(answers, now)

    def now(self, now: float) -> bool:
        """Whether there is one."""
        present, before = self._now.counts(now), self._before.counts(now)
        if not present.requests:
            return False
        limit = max(SHARE, TIMES * before.failures / before.requests)
        return present.failures / present.requests > limit
