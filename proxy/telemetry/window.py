"""Counts over the last so many seconds.

Time is cut into slots of equal width. What is added goes into the slot of now and into a running total; a
slot that has grown too old is taken out of the total again. So looking costs no more than a copy, and each
addition is paid for twice, once in and once out. Everything younger than the span less one slot is in, and
nothing older than the span.
"""

from collections import deque
from collections.abc import Iterable
from math import floor

from proxy.telemetry.counts import Counts

SHOWN = 30.0
"""Seconds of the window that is shown to people, whatever other windows there are."""


class Window:
    """The counts of the last `span` seconds, right to one of `slots` slots. Holds events: its gauge is 0."""

    def __init__(self, span: float, slots: int = 60) -> None:
        if not span > 0 or slots < 1:
            raise ValueError(f"no window of {span} s in {slots} slots")
        self.span = span
        self._width = span / slots
        self._slots = slots
        self._past: deque[tuple[int, Counts]] = deque()
        """Slots that something was added to, by number, oldest first."""
        self._total = Counts()

    def __repr__(self) -> str:
        return f"<Window {self.span:g} s: {self._total.requests} requests in {len(self._past)} slots>"

    def add(self, delta: Counts, now: float) -> None:
        """Count what happened since the last addition. `now` is monotonic seconds and never falls."""
        slot = self._expire(now)
        if not self._past or self._past[-1][0] < slot:
            self._past.append((slot, Counts()))
        self._past[-1][1].absorb(delta)
        self._total.absorb(delta)

    def counts(self, now: float) -> Counts:
        """Return what was added within the span before `now`; empty when nothing was."""
        self._expire(now)
        return self._total.copy()

    def peek(self, now: float) -> Counts:
        """Return the same for a look now: it goes on changing, and must not be changed by the caller."""
        self._expire(now)
        return self._total

    def clear(self) -> None:
        """Begin anew, as after a release."""
        self._past.clear()
        self._total = Counts()

    def _expire(self, now: float) -> int:
        """Take out the slots that are too old. Returns the number of the slot of now."""
        slot = floor(now / self._width)
        while self._past and self._past[0][0] <= slot - self._slots:
            self._total.shed(self._past.popleft()[1])
        return slot


class Windows:
    """Windows of these spans (seconds), and the one that is shown, for each backend."""

    def __init__(self, spans: Iterable[float] = ()) -> None:
        self._spans = {SHOWN, *spans}
        self._windows: dict[str, dict[float, Window]] = {}

    def __repr__(self) -> str:
        return f"<Windows of {', '.join(self._windows) or 'no backend'}>"

    def add(self, backend: str, delta: Counts, now: float) -> None:
        """Count what a backend answered. `now` is monotonic seconds and never falls."""
        windows = self._windows.get(backend)
        if windows is None:
            windows = self._windows[backend] = {span: Window(span) for span in self._spans}
        for window in windows.values():
            window.add(delta, now)

    def counts(self, backend: str, now: float) -> dict[float, Counts]:
        """Return what it answered within each span, for a look now: it goes on changing."""
        return {span: window.peek(now) for span, window in self._windows.get(backend, {}).items()}

    def shown(self, backend: str, now: float) -> Counts:
        """Return what it answered within the last `SHOWN` seconds."""
        windows = self._windows.get(backend)
        return windows[SHOWN].counts(now) if windows else Counts()
