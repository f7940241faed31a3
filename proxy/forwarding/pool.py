"""A worker's records of addresses: connections that wait for a request, pending requests, and failures.

One shelf per address, looked up once for an exchange. The connection used last is taken first, so what isn't
needed grows old at the bottom and is closed there.
"""

from collections.abc import Container, Iterator

from proxy import defaults
from proxy.forwarding.upstream import Upstream
from proxy.health.ejection import Attempt, EjectionRecord, begun, waited
from proxy.routing.address import Address


class Shelf:
    """One address: the connections that wait, oldest first, and what is held against it."""

    __slots__ = ("_idle", "_pool", "address", "pending", "record", "retired")

    def __init__(self, address: Address, pool: "Pool") -> None:
        self.address = address
        self._pool = pool
        self.pending = 0
        """Requests that the address has not answered in full."""
        self.record: EjectionRecord | None = None
        """What is held against the address; None for nothing, which is all that a healthy one costs."""
        self.retired = False
        """Whether the address has left its name, or its endpoint the table: no connection is kept for it."""
        self._idle: list[Upstream] = []

    def __repr__(self) -> str:
        return f"<Shelf {self.address} {len(self._idle)} idle, {self.pending} pending>"

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
        """Keep a clean connection for the next request, or close it: it is old, or enough are kept."""
        if len(self._idle) < self._pool.max_idle and now < upstream.good_until and not self.retired:
            upstream.idle_since = now
            self._idle.append(upstream)
        else:
            upstream.close()

    def forget(self, upstream: Upstream) -> None:
        """Take a waiting connection out that has ended by itself."""
        if upstream in self._idle:
            self._idle.remove(upstream)

    def retire(self, retired: bool) -> None:
        """Keep no connection any more, or keep them again."""
        self.retired = retired
        if retired:
            self.close_older(float("inf"))

    def close_older(self, than: float) -> None:
        """Close what has waited since before that time."""
        old = 0
        while old < len(self._idle) and self._idle[old].idle_since < than:
            self._idle[old].close()
            old += 1
        del self._idle[:old]


class Pool:
    """The connections to endpoints of one worker; `routing` asks it which addresses may be chosen."""

    __slots__ = ("_ejected", "_shelves", "age_seconds", "idle_seconds", "max_idle")

    def __init__(self) -> None:
        self.max_idle = defaults.POOL_MAX_IDLE
        """The most connections that are kept for each address."""
        self.idle_seconds = defaults.POOL_IDLE_TIMEOUT
        """How long an unused connection is kept."""
        self.age_seconds = defaults.POOL_AGE
        """How long a connection gets requests after it was made, about."""
        self._shelves: dict[Address, Shelf] = {}
        self._ejected: dict[Address, EjectionRecord] = {}
        """The records of those that get no requests, or one for a trial."""

    def __repr__(self) -> str:
        shelves = self._shelves.values()
        return f"<Pool {sum(map(len, shelves))} idle, {sum(shelf.pending for shelf in shelves)} pending>"

    def shelf(self, address: Address) -> Shelf:
        """Return the address's shelf."""
        shelf = self._shelves.get(address)
        if shelf is None:
            shelf = self._shelves[address] = Shelf(address, self)
        return shelf

    def begin(self, address: Address, attempt: Attempt) -> Shelf:
        """Count a request that is to be sent to the address; return its shelf."""
        shelf = self._shelves.get(address)
        if shelf is None:
            shelf = self.shelf(address)
        shelf.pending += 1
        if shelf.record is not None:
            self.remember(shelf, begun(shelf.record, attempt))
        return shelf

    def remember(self, shelf: Shelf, record: EjectionRecord | None) -> None:
        """Hold this against an address from now on; nothing against one that has left the table."""
        record = shelf.record = None if shelf.retired else record
        if record is None or record.state == "counting":
            self._ejected.pop(shelf.address, None)
        else:
            self._ejected[shelf.address] = record

    def readmit(self, now: float) -> None:
        """Let ejected addresses be tried, and those that stood their trial be as before, at this time."""
        for address, record in tuple(self._ejected.items()):
            self.remember(self._shelves[address], waited(record, now))

    def alive(self, address: Address) -> bool:
        """Return whether requests may be sent there: it isn't avoided or ejected, or due to be tried."""
        if not self._ejected:
            return True
        record = self._ejected.get(address)
        return record is None or record.state == "due"

    def worth_trying(self, address: Address) -> bool:
        """Return whether requests may be sent there when no other is alive: it isn't ejected."""
        record = self._ejected.get(address)
        return record is None or record.state == "due" or not record.out

    def ejected(self) -> tuple[str, ...]:
        """Return the identities of ejected endpoints: those with all addresses that were ever asked."""
        if not self._ejected:
            return ()
        out = {one for one, record in self._ejected.items() if record.out and record.state != "due"}
        alive = {
            one.endpoint.identity
            for one, shelf in self._shelves.items()
            if one not in out and not shelf.retired
        }
        return tuple(sorted({one.endpoint.identity for one in out} - alive))

    def pending(self, address: Address) -> int:
        """Return how many requests the address has not answered in full."""
        shelf = self._shelves.get(address)
        return 0 if shelf is None else shelf.pending

    def retain(self, addresses: Container[Address]) -> None:
        """Keep connections to these addresses only: no other is in the table any more.

        Requests under way on others go on to their end.
        """
        for address, shelf in tuple(self._shelves.items()):
            shelf.retire(address not in addresses)
            if shelf.retired:
                self.remember(shelf, None)
                if not shelf.pending:
                    del self._shelves[address]

    def waiting(self) -> Iterator[Upstream]:
        """Return all connections that wait for a request."""
        for shelf in self._shelves.values():
            yield from shelf

    def expire(self, now: float) -> None:
        """Close what has waited, or been open, for too long at this time."""
        for shelf in self._shelves.values():
            shelf.close_older(now - self.idle_seconds)
            for upstream in [one for one in shelf if one.good_until <= now]:
                shelf.forget(upstream)
                upstream.close()

    def close(self) -> None:
        """Close every waiting connection."""
        for shelf in self._shelves.values():
            shelf.close_older(float("inf"))
