"""The guard, where no coin is tossed: the canary's failures over a window, without a bound on false alarms.

A bet needs requests that might have gone to the one or the other. There are none at a weight of 100 %, and
none where segments or a header send all there is; above 50 % they are so few on stable's side that bets
grow slowly.
"""

from typing import Any

from proxy.analysis.verdict import FAILING, GUARD, HEALTHY, INCONCLUSIVE, Finding
from proxy.analysis.wording import guarded
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import FAILURE, SUCCESS
from proxy.telemetry.window import SHOWN

HALF = 5_000
"""Parts of 10,000 above which it is in force."""
SAMPLE = 20
"""Pinned answers from which on it is in force, and answers that it takes to decide anything."""
LIMIT = 0.10
"""The share (0..1) of the canary's answers that may fail in any case."""
TIMES = 3.0
"""How many times stable's share may fail as well."""


class Guard:
    """It remembers how often stable failed when there was last anything to see of it."""

    def __init__(self, stable: float | None = None, answers: int = 0) -> None:
        self.stable = stable
        """The share (0..1) of stable's answers that failed; None: never seen in this release."""
        self._answers = answers
        """How many it rests on."""

    def __repr__(self) -> str:
        return f"<Guard: stable fails {self.stable}>"

    def look(self, parts: int, canary: Counts, stable: Counts) -> Finding | None:
        """Return what it finds in the windows of both sides; None where it isn't in force."""
        seen, answers = share(stable)
        if answers >= min(SAMPLE, max(self._answers, 1)):  # or the last one to leave the window would be all
            self.stable, self._answers = seen, answers
        if parts <= HALF and pinned(canary) < SAMPLE:
            return None
        value, sample = share(canary)
        beside = self.stable if seen is None else seen
        limit = min(max(LIMIT, TIMES * (beside or 0.0)), 1.0)
        state = HEALTHY if value is None or value <= limit else FAILING
        if sample < SAMPLE:
            state = INCONCLUSIVE
        return Finding(
            check=GUARD,
            state=state,
            value=value,
            limit=limit,
            stable=beside,
            sample=sample,
            needed=SAMPLE,
            window=SHOWN,
            unit="ratio",
            sentence=guarded(state, value, limit, beside, sample, SAMPLE),
        )

    def to_json(self) -> list[Any]:
        """Return plain JSON values."""
        return [self.stable, self._answers]

    @classmethod
    def from_json(cls, data: Any) -> "Guard":
        """Return the guard that `to_json` wrote.

        Raises:
            ValueError, TypeError: It wrote no such `data`.
        """
        stable, answers = data
        if stable is not None and not 0 <= stable <= 1:
            raise ValueError(f"expected a share of 0 to 1, not {stable!r}")
        return cls(stable, int(answers))


def pinned(counts: Counts) -> int:
    """Return how many answers were asked for by a segment or a header.

    A diverted one is a failure, and so is one that was overdue when its client gave up. (Those may have been
    drawn: then the bets see them, too.)
    """
    answered = counts.pinned.get(SUCCESS, 0) + counts.pinned.get(FAILURE, 0)
    return answered + counts.pins_diverted + counts.abandoned


def share(counts: Counts) -> tuple[float | None, int]:
    """Return the share (0..1) of the requests meant for a backend that failed, and their number.

    The share is None without any.
    """
    failed, sample = meant(counts)
    return (failed / sample if sample else None), sample


def meant(counts: Counts) -> tuple[int, int]:
    """Return how many of the requests meant for a backend failed, and their number but the excluded ones."""
    failed = counts.drawn_bad + counts.pinned.get(FAILURE, 0) + counts.pins_diverted + counts.abandoned
    return failed, failed + counts.drawn_good + counts.pinned.get(SUCCESS, 0)
