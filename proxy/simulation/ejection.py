"""The endpoint of the canary, as a worker that ejects failing endpoints sees it."""

from proxy.simulation.scenario import Ejection


class Endpoint:
    """Alive, or spared for a while after failures in a row. Times are seconds."""

    def __init__(self, ejection: Ejection | None) -> None:
        self._ejection = ejection
        self._in_a_row = 0
        self._pause = ejection.pause if ejection else 0.0
        self._until = 0.0

    def alive(self, now: float) -> bool:
        """Whether requests are sent there."""
        return now >= self._until

    def answered(self, failed: bool, now: float) -> None:
        """Take note of an answer. One that fails after an ejection begins the next one at once."""
        ejection = self._ejection
        if ejection is None or not self.alive(now):
            return
        if not failed:
            self._in_a_row, self._pause = 0, ejection.pause
            return
        self._in_a_row += 1
        if self._in_a_row >= ejection.after:
            self._until = now + self._pause
            self._pause = min(2 * self._pause, ejection.longest)
