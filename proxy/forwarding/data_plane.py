"""What all connections of one worker share: the parts of its data plane, and the settings for all of them."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from random import SystemRandom

from proxy import defaults
from proxy.forwarding.accounts import Accounts, Counters
from proxy.forwarding.deadlines import Deadlines
from proxy.forwarding.dial import Dialler
from proxy.forwarding.entropy import RandomBits, RequestIds
from proxy.forwarding.pool import Pool
from proxy.forwarding.threshold_watch import ThresholdWatch
from proxy.http1.forwarded_fields import Provenance
from proxy.http1.head_cache import Heads
from proxy.http1.limits import Limits
from proxy.routing.table import RoutingTable

MOST_CONNECTIONS = 100_000
"""Until the worker knows how many it may have."""


class DataPlane:
    """The shared parts of one worker's data plane, and the few settings that hold for all connections.

    Args:
        loop: the worker's event loop.
        table: the first routing table; swapped by assignment.
        tally: counts the outcomes.
        on_failure: called after each failed exchange, and each one that is diverted or overdue, so that the
            report doesn't wait for its turn.
        prefix: distinguishes the ids of this worker's requests from those of the others.
        now: the clock of the data plane, in seconds. Not the loop's: uvloop's stands still within a turn of
            the loop and counts milliseconds.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        table: RoutingTable,
        tally: Counters,
        on_failure: Callable[[], None],
        prefix: str,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.soon = loop.call_soon
        self.later = loop.call_later
        self.now = now
        self.unix_now = time.time
        self.draw = RandomBits(SystemRandom().randbytes).draw
        self.request_id = RequestIds(prefix).next
        self.table = table
        self.pool = Pool()
        self.dialler = Dialler(now)
        self.accounts = Accounts(tally, self.pool, now, on_failure)
        self.thresholds = ThresholdWatch(self.accounts.overdue)
        self.deadlines = Deadlines(loop, now, self.pool.expire, self.pool.readmit, self.thresholds.look)
        self.heads = Heads(Limits())
        self.provenance = Provenance()
        self.header_seconds = defaults.HEADER_TIMEOUT
        self.idle_seconds = defaults.IDLE_TIMEOUT
        self.connections = MOST_CONNECTIONS
        """The most connections of clients at a time."""
        self.draining = False

    def __repr__(self) -> str:
        return f"<DataPlane {self.pool}, {self.deadlines}{', draining' if self.draining else ''}>"

    def limit(self, *, line: int, head: int, fields: int) -> None:
        """Bound heads from now on: first lines and whole heads, in bytes, and the number of fields."""
        limits = replace(self.heads.limits, line=line, head=head, fields=fields)
        if limits != self.heads.limits:
            self.heads = Heads(limits)  # what was read under others may be too long by now
