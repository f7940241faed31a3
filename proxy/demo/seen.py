"""What the customers met, counted on their side of the proxy.

The version comes from the sample's own header, so these numbers do not depend on what the proxy says
about itself. Nothing here reads a clock or a socket.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

KEPT = 4_096  # latencies remembered per service and act: enough for a p99, bounded while the demo stays up


@dataclass(frozen=True, slots=True)
class Sighting:
    """One request as its customer saw it.

    `at` is when the answer came and `seconds` how long it took; `version` is "" when no sample answered,
    `status` 0 when nobody did, and `trouble` then says what happened.
    """

    at: float
    service: str
    customer: str
    version: str
    status: int
    seconds: float
    trouble: str = ""

    @property
    def failed(self) -> bool:
        """A 5xx or no answer at all."""
        return self.status == 0 or self.status >= 500


@dataclass(frozen=True, slots=True)
class Line:
    """One service in one act. `share` is that of `version` (0..1), `p99` in seconds; None without data."""

    service: str
    version: str
    requests: int
    share: float | None
    failures: int
    p99: float | None


class Seen:
    """Counts for the act that is on, and for the whole story."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, str]] = Counter()
        self.failures: Counter[tuple[str, str]] = Counter()
        self.unexpected: list[Sighting] = []
        self.moved_back: set[tuple[str, str]] = set()
        self._act: Counter[tuple[str, str]] = Counter()
        self._act_failures: Counter[str] = Counter()
        self._act_seconds: dict[str, deque[float]] = {}
        self._last: dict[tuple[str, str], str] = {}

    def __repr__(self) -> str:
        return f"<Seen {self.answers.total()} answers, {self.failures.total()} failed>"

    def begin_act(self) -> None:
        """Starts the counts of an act anew; those of the whole story go on."""
        self._act.clear()
        self._act_failures.clear()
        self._act_seconds.clear()

    def add(self, sighting: Sighting) -> None:
        """Counts one sighting."""
        key = (sighting.service, sighting.version)
        self.answers[key] += 1
        self._act[key] += 1
        if sighting.failed:
            self.failures[key] += 1
            self._act_failures[sighting.service] += 1
        if not sighting.version or sighting.status not in (200, 500):
            self._remember_unexpected(sighting)
        self._follow(sighting)
        self._act_seconds.setdefault(sighting.service, deque(maxlen=KEPT)).append(sighting.seconds)

    def line(self, service: str, version: str) -> Line:
        """What the act has shown of `service` up to now; share is that of `version`."""
        requests = sum(count for (name, _), count in self._act.items() if name == service)
        share = self._act[service, version] / requests if requests else None
        p99 = quantile(self._act_seconds.get(service, ()), 0.99)
        return Line(service, version, requests, share, self._act_failures[service], p99)

    def met(self, service: str, version: str) -> tuple[int, int]:
        """(requests that `version` answered in the whole story, failures among them)."""
        return self.answers[service, version], self.failures[service, version]

    def met_in_act(self, service: str, version: str) -> int:
        """Requests that `version` answered in the act that is on."""
        return self._act[service, version]

    def _remember_unexpected(self, sighting: Sighting) -> None:
        if len(self.unexpected) < 100:
            self.unexpected.append(sighting)

    def _follow(self, sighting: Sighting) -> None:
        """Notes a customer who met a newer version of a service before and an older one now."""
        place = (sighting.service, sighting.customer)
        before = self._last.get(place, "")
        if sighting.version and sighting.version < before:
            self.moved_back.add(place)
        self._last[place] = sighting.version or before


def quantile(values: Iterable[float], q: float) -> float | None:
    """The value below which a share `q` (0..1) of `values` lies; None without values."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(q * len(ranked)))] if ranked else None
