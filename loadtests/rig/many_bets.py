"""The bet on errors of :mod:`proxy.analysis.bets`, of thousands of runs at once.

The same rules in arrays: what takes the judge days takes minutes here. tests/loadtests/test_many_bets.py
plays the same events to both and compares their capital.
"""

import numpy as np
from numpy.typing import NDArray

from proxy.analysis.bets import BOLDEST, HELD_BACK, PATIENCE, SIZES, SLICE

Whole = NDArray[np.int64]
Real = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Bets:
    """A bet for each run, that the canary fails more often than stable by `slack`; odds are w / (1 - w)."""

    def __init__(self, runs: int, slack: float, odds: float) -> None:
        sizes = np.minimum(SIZES, BOLDEST * min(1 / slack, 1 / odds))
        self._on_bad = np.log1p(sizes * (1 - slack))
        self._on_ok = np.log1p(-sizes * slack)
        self._on_lost = np.log1p(-sizes * odds)
        self._stakes = np.full((runs, len(SIZES)), np.log((1 - HELD_BACK) / len(SIZES)))
        self._cash = np.full(runs, HELD_BACK)
        self.seen: Whole = np.zeros(runs, np.int64)
        """Canary requests of each run."""

    def apply(self, ok: Whole, bad: Whole, lost: Whole) -> None:
        """One report to each run: canary's good and failed requests, and stable's failed ones."""
        self._stakes += (
            np.outer(ok, self._on_ok) + np.outer(bad, self._on_bad) + np.outer(lost, self._on_lost)
        )
        before = self.seen // SLICE
        self.seen = self.seen + ok + bad
        after = self.seen // SLICE
        due = np.nonzero(after > before)[0]
        if due.size:
            left = ((before[due] + 1) / (after[due] + 1)) ** PATIENCE
            share = np.log(self._cash[due] * (1 - left) / len(SIZES))
            self._stakes[due] = np.logaddexp(self._stakes[due], share[:, None])
            self._cash[due] *= left

    def capital(self, of: Whole) -> Real:
        """The natural logarithm of the capital of some of the runs."""
        stakes = np.logaddexp.reduce(self._stakes[of], axis=1)
        return np.asarray(np.logaddexp(stakes, np.log(self._cash[of])))
