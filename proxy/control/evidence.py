"""What a service's backends answered lately: the windows that its checks look at, and the one people see."""

from collections.abc import Iterable, Sequence

from proxy.analysis.check import Check
from proxy.analysis.judge import judge
from proxy.analysis.verdict import Verdict
from proxy.routing.split import CANARY, STABLE
from proxy.telemetry.tally import Counts
from proxy.telemetry.window import Window

SHOWN = 30.0
"""Seconds of the window that is shown to people, whatever the checks look at."""


class Evidence:
    """Windows for each backend. `now` is monotonic seconds and never falls."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = tuple(checks)
        self._spans = {SHOWN, *(check.window for check in checks)}
        self._windows: dict[str, dict[float, Window]] = {}

    def __repr__(self) -> str:
        return f"<Evidence on {', '.join(self._windows) or 'nobody'}>"

    @property
    def heard(self) -> bool:
        """Whether there was anything since it began."""
        return bool(self._windows)

    def add(self, backend: str, delta: Counts, now: float) -> None:
        """Count what a backend answered."""
        windows = self._windows.get(backend)
        if windows is None:
            windows = self._windows[backend] = {span: Window(span) for span in self._spans}
        for window in windows.values():
            window.add(delta, now)

    def verdict(self, now: float) -> Verdict:
        """What the checks say of the canary."""
        return judge(self._checks, self._counts(CANARY, now), self._counts(STABLE, now))

    def shown(self, backend: str, now: float) -> Counts | None:
        """The last `SHOWN` seconds of a backend; None when there was nothing."""
        if backend not in self._windows:
            return None
        counts = self._windows[backend][SHOWN].counts(now)
        return counts if _all(counts) else None

    def shares(self, backends: Iterable[str], now: float) -> dict[str, float] | None:
        """What part (0..1) of all requests of the last `SHOWN` seconds each backend had; None without any."""
        seen = {backend: _all(self.shown(backend, now)) for backend in backends}
        total = sum(seen.values())
        return {backend: count / total for backend, count in seen.items()} if total else None

    def clear(self) -> None:
        """Begin anew: a release, or a person's word that what was is not to be held against the canary."""
        self._windows.clear()

    def _counts(self, backend: str, now: float) -> dict[float, Counts]:
        return {span: window.counts(now) for span, window in self._windows.get(backend, {}).items()}


def _all(counts: Counts | None) -> int:
    return counts.requests + counts.excluded if counts else 0
