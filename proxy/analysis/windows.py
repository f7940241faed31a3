"""What a service's backends answered lately: the windows that rules and the guard look at, and people see."""

from collections.abc import Iterable

from proxy.telemetry.counts import Counts
from proxy.telemetry.window import Window

SHOWN = 30.0
"""Seconds of the window that is shown to people, whatever is looked at beside."""


class Windows:
    """Windows of these spans (seconds), and the one that is shown, for each backend."""

    def __init__(self, spans: Iterable[float] = ()) -> None:
        self._spans = {SHOWN, *spans}
        self._windows: dict[str, dict[float, Window]] = {}

    def __repr__(self) -> str:
        return f"<Windows of {', '.join(self._windows) or 'nobody'}>"

    def add(self, backend: str, delta: Counts, now: float) -> None:
        """Count what a backend answered. `now` is monotonic seconds and never falls."""
        windows = self._windows.get(backend)
        if windows is None:
            windows = self._windows[backend] = {span: Window(span) for span in self._spans}
        for window in windows.values():
            window.add(delta, now)

    def counts(self, backend: str, now: float) -> dict[float, Counts]:
        """What it answered within each span, to be looked at now: it goes on changing."""
        return {span: window.peek(now) for span, window in self._windows.get(backend, {}).items()}

    def shown(self, backend: str, now: float) -> Counts:
        """What it answered within the last `SHOWN` seconds."""
        windows = self._windows.get(backend)
        return windows[SHOWN].counts(now) if windows else Counts()
