"""A worker's records of endpoints: connections that wait for a request, pending requests, and failures.

One shelf per endpoint, looked up once for an exchange. The connection used last is taken first, so what isn't
needed grows old at the bottom and is closed there.
"""

from collections.abc import Iterator

from proxy import defaults
from proxy.forwarding.upstream import Upstream
from proxy.health.ejection import Attempt, EjectionRecord, begun, waited
from proxy.routing.endpoint import Endpoint


class Shelf:
    """One endpoint: the connections that wait, oldest first, and what is held against it."""

    __slots__ = ("_idle", "_pool", "endpoint", "pending", "record")

    def __init__(self, endpoint: Endpoint, pool: "Pool") -> None:
        self.endpoint = endpoint
        self._pool = pool
        self.pending = 0
        """Requests that the endpoint has not answered in full."""
        self.record: EjectionRecord | None = None
        """What is held against the endpoint; None for nothing, which is all that a healthy one costs."""
        self._idle: list[Upstream] = []

    def __repr__(self) -> str:
        return f"<Shelf {self.endpoint.url} {len(self._idle)} idle, {self.pending} pending>"

    def __len__(self) -> int:
        return len(self._idle)

    def __iter__(self) -> Iterator[Upstream]:
        return iter(self._idle)

    def take(self) -> Upstream | None:
        """Return the connection that was used last and is clean to this moment, or None for none."""
        while self._idle:
            upstream = self._idle.pop()
            if not upstream.has_input():
                return upstream
            upstream.abandon()
        return None

    def give(self, upstream: Upstream, now: float) -> None:
        """Keep a clean connection for the next request, or close it when enough are kept."""
        if len(self._idle) < self._pool.max_idle:
            upstream.idle_since = now
            self._idle.append(upstream)
        else:
            upstream.close()

    def forget(self, upstream: Upstream) -> None:
        """Take a waiting connection out that has ended by itself."""
        if upstream in self._idle:
            self._idle.remove(upstream)

    def close_older(self, than: float) -> None:
        """Close what has waited since before that time."""
        old = 0
        while old < len(self._idle) and self._idle[old].idle_since < than:
            self._idle[old].close()
            old += 1
        del self._idle[:old]


class Pool:
    """The connections to endpoints of one worker; `routing` asks it which of them may be chosen."""

    __slots__ = ("_ejected", "_shelves", "idle_seconds", "max_idle")

    def __init__(self) -> None:
        self.max_idle = defaults.POOL_MAX_IDLE
        """The most connections that are kept for each endpoint."""
        self.idle_seconds = defaults.POOL_IDLE_TIMEOUT
        """How long an unused connection is kept."""
        self._shelves: dict[Endpoint, Shelf] = {}
        self._ejected: dict[Endpoint, EjectionRecord] = {}

    def __repr__(self) -> str:
        shelves = self._shelves.values()
        return f"<Pool {sum(map(len, shelves))} idle, {sum(shelf.pending for shelf in shelves)} pending>"

    def shelf(self, endpoint: Endpoint) -> Shelf:
        """Return the endpoint's shelf."""
        shelf = self._shelves.get(endpoint)
        if shelf is None:
            shelf = self._shelves[endpoint] = Shelf(endpoint, self)
        return shelf

    def begin(self, endpoint: Endpoint, attempt: Attempt) -> Shelf:
        """Count a request that is to be sent to the endpoint; return its shelf."""
        shelf = self._shelves.get(endpoint)
        if shelf is None:
            shelf = self.shelf(endpoint)
        shelf.pending += 1
        if shelf.record is not None:
            self.remember(shelf, begun(shelf.record, attempt))
        return shelf

    def remember(self, shelf: Shelf, record: EjectionRecord | None) -> None:
        """Hold this against an endpoint from now on."""
        shelf.record = record
        if record is None or record.state == "counting":
            self._ejected.pop(shelf.endpoint, None)
        else:
            self._ejected[shelf.endpoint] = record

    def readmit(self, now: float) -> None:
        """Let ejected endpoints be tried, and those that stood their trial be as before, at this time."""
        for endpoint, record in tuple(self._ejected.items()):
            self.remember(self._shelves[endpoint], waited(record, now))

    def alive(self, endpoint: Endpoint) -> bool:
        """Return whether requests may be sent there: it isn't ejected, or due to be tried."""
        if not self._ejected:
            return True
        record = self._ejected.get(endpoint)
        return record is None or record.state == "due"

    def pending(self, endpoint: Endpoint) -> int:
        """Return how many requests the endpoint has not answered in full."""
        shelf = self._shelves.get(endpoint)
        return 0 if shelf is None else shelf.pending

    def waiting(self) -> Iterator[Upstream]:
        """Return all connections that wait for a request."""
        for shelf in self._shelves.values():
            yield from shelf

    def expire(self, now: float) -> None:
        """Close what has waited for too long at this time."""
        for shelf in self._shelves.values():
            shelf.close_older(now - self.idle_seconds)

    def close(self) -> None:
        """Close every waiting connection."""
        for shelf in self._shelves.values():
            shelf.close_older(float("inf"))
