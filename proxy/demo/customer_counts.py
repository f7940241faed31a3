"""Counts of the customers' answers, made on their side of the proxy.

The version comes from the sample's own header, so these numbers do not depend on what the proxy reports about
itself. Pure: no clock and no socket.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

KEPT = 4_096
"""Latencies kept for each service and act: enough for a p99, and bounded while the demo stays up."""
MOST_UNEXPECTED = 100
"""Unexpected answers kept."""


@dataclass(frozen=True, slots=True)
class ObservedRequest:
    """One request as its customer observed it."""

    at: float
    """When the answer came, in monotonic seconds."""
    service: str
    customer: str
    version: str
    """The version that answered; "": no sample did."""
    status: int
    """The status code; 0: there was no answer."""
    seconds: float
    """Seconds from the request to its answer."""
    error: str = ""
    """Why there was no answer."""

    @property
    def failed(self) -> bool:
        """Whether it is a 5xx or no answer at all."""
        return self.status == 0 or self.status >= 500


@dataclass(frozen=True, slots=True)
class ActSummary:
    """One service in one act."""

    service: str
    version: str
    requests: int
    share: float | None
    """The share of `version` in the requests, 0 to 1; None: there were none."""
    failures: int
    p99: float | None
    """Seconds; None: there were no requests."""


class CustomerCounts:
    """Counts of the present act, and of the whole story."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, str]] = Counter()
        self.failures: Counter[tuple[str, str]] = Counter()
        self.unexpected: list[ObservedRequest] = []
        self.moved_back: set[tuple[str, str]] = set()
        """Service and customer of those who met an older version after a newer one."""
        self._act: Counter[tuple[str, str]] = Counter()
        self._act_failures: Counter[str] = Counter()
        self._act_seconds: dict[str, deque[float]] = {}
        self._last: dict[tuple[str, str], str] = {}

    def __repr__(self) -> str:
        return f"<CustomerCounts {self.answers.total()} answers, {self.failures.total()} failed>"

    def begin_act(self) -> None:
        """Reset the counts of the act; those of the whole story go on."""
        self._act.clear()
        self._act_failures.clear()
        self._act_seconds.clear()

    def add(self, request: ObservedRequest) -> None:
        """Count one request."""
        key = (request.service, request.version)
        self.answers[key] += 1
        self._act[key] += 1
        if request.failed:
            self.failures[key] += 1
            self._act_failures[request.service] += 1
        if not request.version or request.status not in (200, 500):
            self._keep_unexpected(request)
        self._track_version(request)
        self._act_seconds.setdefault(request.service, deque(maxlen=KEPT)).append(request.seconds)

    def summary(self, service: str, version: str) -> ActSummary:
        """Return the present act of `service`, with the share of `version` in it."""
        requests = sum(count for (name, _), count in self._act.items() if name == service)
        share = self._act[service, version] / requests if requests else None
        p99 = quantile(self._act_seconds.get(service, ()), 0.99)
        return ActSummary(service, version, requests, share, self._act_failures[service], p99)

    def answered(self, service: str, version: str) -> tuple[int, int]:
        """Return how many requests `version` answered in the whole story, and how many of them failed."""
        return self.answers[service, version], self.failures[service, version]

    def answered_in_act(self, service: str, version: str) -> int:
        """Return how many requests `version` answered in the present act."""
        return self._act[service, version]

    def _keep_unexpected(self, request: ObservedRequest) -> None:
        if len(self.unexpected) < MOST_UNEXPECTED:
            self.unexpected.append(request)

    def _track_version(self, request: ObservedRequest) -> None:
        """Record a customer who meets an older version of a service than before."""
        key = (request.service, request.customer)
        before = self._last.get(key, "")
        if request.version and request.version < before:
            self.moved_back.add(key)
        self._last[key] = request.version or before


def quantile(values: Iterable[float], q: float) -> float | None:
    """Return the value below which a share `q` (0 to 1) of `values` lies; None without values."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(q * len(ranked)))] if ranked else None
