"""What the backends answered lately, over each span that somebody looks at."""

from collections.abc import Iterable

from proxy.telemetry.tally import Counts
from proxy.telemetry.window import Window

_NOTHING = Counts()


class Windows:
    """A window for each backend and span. `now` is monotonic seconds and never falls."""

    def __init__(self, spans: Iterable[float]) -> None:
        self._spans = sorted(set(spans))
        self._windows: dict[str, dict[float, Window]] = {}

    def __repr__(self) -> str:
        return f"<Windows of {', '.join(self._windows) or 'nobody'}>"

    def add(self, backend: str, delta: Counts, now: float) -> None:
        """Count what a backend answered."""
        windows = self._windows.get(backend)
        if windows is None:
            windows = self._windows[backend] = {span: Window(span) for span in self._spans}
        for window in windows.values():
            window.add(delta, now)

    def counts(self, backend: str, span: float, now: float) -> Counts:
        """The last `span` seconds of a backend."""
        windows = self._windows.get(backend)
        return windows[span].counts(now) if windows else _NOTHING

    def clear(self) -> None:
        """Begin anew."""
        self._windows.clear()
