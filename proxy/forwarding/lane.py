"""What all connections of one worker share."""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from random import SystemRandom
from typing import Protocol

from proxy import defaults
from proxy.forwarding.deadlines import Deadlines
from proxy.forwarding.dial import Dialler
from proxy.forwarding.exchange import Exchange
from proxy.forwarding.halted import Halted
from proxy.forwarding.pool import Pool, Shelf
from proxy.forwarding.refusal import Refusal
from proxy.forwarding.rescue import Budget
from proxy.forwarding.yardsticks import Yardsticks
from proxy.health import ejection
from proxy.http1.forwarded_fields import Provenance
from proxy.http1.head_cache import Heads
from proxy.http1.limits import Limits
from proxy.routing.split import STABLE
from proxy.routing.table import Choice, RoutingTable
from proxy.telemetry.outcome import COMPLETE, FAILURE, Ending, Key, Outcome, Thresholds, refused

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 100_000
"""Until the worker has been told how many it may have."""


class Tally(Protocol):
    """Where exchanges are counted."""

    def begin(self, key: Key) -> None:
        """One more exchange is open."""

    def switch(self, key: Key) -> None:
        """An open exchange became a tunnel."""

    def overdue(self, key: Key, thresholds: Thresholds, user: int) -> None:
        """An open exchange has exceeded all thresholds."""

    def divert(self, key: Key, user: int, *, drawn: bool) -> None:
        """A request that was meant for this backend went to another."""

    def add(self, outcome: Outcome) -> None:
        """One exchange fewer is open: this became of it."""

    def eject(self, key: Key) -> None:
        """An endpoint of this backend is left alone for a while."""


class AccessSink(Protocol):
    """Where finished exchanges are noted for the access log."""

    def note(self, exchange: Exchange, client: str, now: float) -> None:
        """Note one exchange that is over at this time."""

    def refused(self, refusal: Refusal, client: str, now: float) -> None:
        """Note one request that was turned away at this time."""


class NoAccessLog:
    """The access log that is off."""

    def note(self, exchange: Exchange, client: str, now: float) -> None:
        """Do nothing."""

    def refused(self, refusal: Refusal, client: str, now: float) -> None:
        """Do nothing."""


class Lane:
    """The shared pieces of one worker's data plane, and the few settings that hold for all connections.

    Args:
        loop: the worker's event loop.
        table: the first routing table; swapped by assignment.
        tally: counts the outcomes.
        on_failure: called after each failed exchange, and each one that is diverted or overdue, so that the
            report doesn't wait for its turn.
        prefix: makes the ids of this worker's requests unlike those of the others.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        table: RoutingTable,
        tally: Tally,
        on_failure: Callable[[], None],
        prefix: str,
    ) -> None:
        self.soon = loop.call_soon
        self.later = loop.call_later
        self.table = table
        self.tally = tally
        self.on_failure = on_failure
        self.pool = Pool()
        self.dialler = Dialler()
        # Not the loop's: the clock of uvloop stands still within a turn of the loop and counts milliseconds.
        self.now = time.monotonic
        self.yardsticks = Yardsticks(self._count_overdue)
        self.deadlines = Deadlines(loop, self.now, self.pool.expire, self.pool.readmit, self.yardsticks.look)
        self.access: AccessSink = NoAccessLog()
        self.header_seconds = defaults.HEADER_TIMEOUT
        self.idle_seconds = defaults.IDLE_TIMEOUT
        self.heads = Heads(Limits())
        self.connections = MOST_CONNECTIONS
        """The most connections of clients at a time."""
        self.provenance = Provenance()
        self.draining = False
        self.budgets: dict[str, Budget] = {}
        """For rescues, by service; of those only that ever had one."""
        self.unix_now = time.time
        # 128 bits decide a request's fate: the share of 10,000, the endpoint, and a sticky key when one is
        # due. A key must not be guessable, so they come from the system; asked for in bulk they cost what a
        # PRNG costs.
        self._random = SystemRandom()
        self._draws: list[int] = []
        self._prefix = prefix.encode()
        self._numbers = itertools.count(1)

    def __repr__(self) -> str:
        return f"<Lane {self.pool}, {self.deadlines}{', draining' if self.draining else ''}>"

    def limit(self, *, line: int, head: int, fields: int) -> None:
        """Bound heads so, from now on: their first lines and all of them, in bytes, and their fields."""
        limits = replace(self.heads.limits, line=line, head=head, fields=fields)
        if limits != self.heads.limits:
            self.heads = Heads(limits)  # what was read under others may be too long by now

    def draw(self) -> int:
        """Return 128 random bits."""
        if not self._draws:
            self._draws = list(memoryview(self._random.randbytes(16 * 256)).cast("Q"))
        return self._draws.pop() << 64 | self._draws.pop()

    def request_id(self) -> bytes:
        """Return an id for a request, unlike that of any other."""
        return b"%b-%x" % (self._prefix, next(self._numbers))

    def begin(self, exchange: Exchange) -> None:
        """Count an exchange that begins."""
        self.tally.begin(exchange.key)
        choice = exchange.choice
        if self.budgets and choice.backend == STABLE and (budget := self.budgets.get(exchange.key[0])):
            budget.sent += 1
        if choice.diverted:
            meant = (choice.service.name, choice.revision, choice.diverted)
            self.tally.divert(meant, choice.user, drawn=not choice.pinned)
            self.on_failure()

    def halts(self, choice: Choice) -> bool:
        """Tell whether a backend that was chosen has been halted since."""
        service = self.table.services.get(choice.service.name)
        if service is None or choice.backend not in service.halted:
            return False
        return Halted.of(service, choice.backend).was_chosen(choice)

    def affords(self, exchange: Exchange) -> bool:
        """Tell whether one more rescue can be paid for, and pay for it."""
        name, now = exchange.key[0], self.now()
        budget = self.budgets.get(name)
        if budget is None:
            budget = self.budgets[name] = Budget(now)
        return budget.spend(now)

    def pass_on(self, exchange: Exchange, choice: Choice, ending: Ending, status: int, shelf: Shelf) -> None:
        """Count an attempt that came to nothing on this shelf, and the one that begins in its place."""
        outcome = exchange.pass_on(choice, ending, status, self.now())
        self.tally.add(outcome)
        self.tally.begin(exchange.key)
        shelf.pending -= 1
        self._learn(shelf, exchange, outcome)
        if outcome.result == FAILURE:
            self.on_failure()

    def account(self, exchange: Exchange, client: str, shelf: Shelf | None) -> None:
        """Count and note an exchange that has ended; on no shelf if nobody could be asked."""
        now = self.now()
        outcome = exchange.outcome(now)
        self.tally.add(outcome)
        self.access.note(exchange, client, now)
        if exchange.reason:
            self.count_refusal(exchange.reason, exchange.head.method, exchange.status)
        failed = outcome.result == FAILURE
        if shelf is not None:
            shelf.pending -= 1
            if failed or shelf.record is not None:
                self._learn(shelf, exchange, outcome)
        if failed:
            self.on_failure()

    def _learn(self, shelf: Shelf, exchange: Exchange, outcome: Outcome) -> None:
        """Hold against an endpoint what became of an attempt, or hold nothing against it any more."""
        before = shelf.record
        word, rule = ejection.attempt_result(outcome), exchange.choice.service.ejection
        record = ejection.after_attempt(before, exchange, word, rule, self.now())
        self.pool.remember(shelf, record)
        if record is not None and record is not before and record.state == "ejected":
            self.tally.eject(outcome.key)
            last = outcome.status if outcome.ending == COMPLETE else outcome.ending
            said = "%s of %s: ejected for %g s after %d failures in a row, the last one: %s"
            log.warning(said, shelf.endpoint, outcome.key[0], record.pause, record.row, last)

    def _count_overdue(self, exchange: Exchange) -> None:
        choice = exchange.choice
        thresholds, user = (exchange.thresholds, choice.user) if choice.drawn else ((), 0)
        self.tally.overdue(exchange.key, thresholds, user)
        self.on_failure()

    def turned_away(self, refusal: Refusal, client: str) -> None:
        """Count and note a request that was for no service."""
        if refusal.status >= 400:  # the answer of the last hop that a request asked for is no refusal
            self.count_refusal(refusal.reason, refusal.head.method, refusal.status)
        self.access.refused(refusal, client, self.now())

    def count_refusal(self, reason: str, method: bytes = b"", status: int = 0) -> None:
        """Count that something was turned away, for this reason in one word."""
        self.tally.add(refused(reason, method, status))
