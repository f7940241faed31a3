"""The accounts of exchanges: each is counted, logged, and held for or against its endpoint."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from proxy.counted import counted
from proxy.forwarding.exchange import Exchange
from proxy.forwarding.pool import Pool, Shelf
from proxy.forwarding.rescue import Budget
from proxy.health import ejection
from proxy.health.ejection import AttemptResult
from proxy.http1.head import RequestHead
from proxy.routing.split import STABLE
from proxy.telemetry.outcome import COMPLETE, FAILURE, Key, Outcome, Thresholds, refused

log = logging.getLogger(__name__)

UNREAD = RequestHead(b"", b"", 1, ())
"""Stands for the head of a request that couldn't be read, or was never sent."""


@dataclass(slots=True)
class Refusal:
    """A request, or a connection, that was turned away before it was for any service."""

    head: RequestHead
    status: int
    reason: str
    """In one word."""
    request_id: bytes
    bytes_out: int
    """Size of the answer's body."""

    @property
    def read(self) -> bool:
        """Whether it is known what was asked."""
        return self.head is not UNREAD


class Counters(Protocol):
    """What counts exchanges."""

    def begin(self, key: Key) -> None:
        """Count one more open exchange."""

    def switch(self, key: Key) -> None:
        """Count an open exchange as a tunnel."""

    def overdue(self, key: Key, thresholds: Thresholds, user: int) -> None:
        """Count an open exchange that has exceeded all thresholds."""

    def divert(self, key: Key, user: int, *, drawn: bool) -> None:
        """Count a request that was meant for this backend and went to another."""

    def add(self, outcome: Outcome) -> None:
        """Count what became of an exchange, and one open exchange fewer."""

    def eject(self, key: Key) -> None:
        """Count an endpoint of this backend that is left alone for a while."""


class AccessSink(Protocol):
    """What takes finished exchanges for the access log."""

    def note(self, exchange: Exchange, client: str, now: float) -> None:
        """Take an exchange that ended at this time."""

    def refused(self, refusal: Refusal, client: str, now: float) -> None:
        """Take a request that was turned away at this time."""


class NoAccessLog:
    """The access log that is off."""

    def note(self, exchange: Exchange, client: str, now: float) -> None:
        """Do nothing."""

    def refused(self, refusal: Refusal, client: str, now: float) -> None:
        """Do nothing."""


class Accounts:
    """The accounts of one worker.

    Args:
        tally: counts the exchanges.
        pool: remembers what is held against endpoints.
        now: the time, in seconds.
        on_failure: called after each failed exchange, and each one that is diverted or overdue, so that the
            report doesn't wait for its turn.
    """

    def __init__(
        self, tally: Counters, pool: Pool, now: Callable[[], float], on_failure: Callable[[], None]
    ) -> None:
        self.tally = tally
        self.access: AccessSink = NoAccessLog()
        self.budgets: dict[str, Budget] = {}
        """For rescues, by service; of those only that ever had one."""
        self._pool = pool
        self._now = now
        self._on_failure = on_failure

    def __repr__(self) -> str:
        return f"<Accounts {self.tally}, {len(self.budgets)} budgets>"

    def begin(self, exchange: Exchange) -> None:
        """Count an exchange that begins."""
        self.tally.begin(exchange.key)
        choice = exchange.choice
        if self.budgets and choice.backend == STABLE and (budget := self.budgets.get(exchange.key[0])):
            budget.earn()
        if choice.diverted:
            meant = (choice.service.name, choice.revision, choice.diverted)
            self.tally.divert(meant, choice.user, drawn=not choice.pinned)
            self._on_failure()

    def switch(self, exchange: Exchange) -> None:
        """Count an exchange that becomes a tunnel."""
        self.tally.switch(exchange.key)

    def overdue(self, exchange: Exchange) -> None:
        """Count an exchange whose answer is overdue, and report it soon."""
        choice = exchange.choice
        thresholds, user = (exchange.thresholds, choice.user) if choice.drawn else ((), 0)
        self.tally.overdue(exchange.key, thresholds, user)
        self._on_failure()

    def affords(self, exchange: Exchange) -> bool:
        """Return whether one more rescue can be paid for, and pay for it."""
        name, now = exchange.key[0], self._now()
        budget = self.budgets.get(name)
        if budget is None:
            budget = self.budgets[name] = Budget(now)
        return budget.spend(now)

    def unreached(self, exchange: Exchange, shelf: Shelf, why: str) -> None:
        """Hold against an address that no connection to it could be made; the request may go to another."""
        shelf.pending -= 1
        self._judge(shelf, exchange, exchange.key, "unreached", why)

    def spare(self, exchange: Exchange, shelf: Shelf) -> None:
        """Take a request from an address that it isn't sent to, and hold nothing against that."""
        shelf.pending -= 1
        if shelf.record is not None:
            self._judge(shelf, exchange, exchange.key, "nothing", "")

    def pass_on(self, exchange: Exchange, outcome: Outcome, shelf: Shelf | None) -> None:
        """Count an attempt that came to nothing, and the one that begins in its place.

        `shelf` is the one that has the request; None: no connection could be made.
        """
        self.tally.add(outcome)
        self.tally.begin(exchange.key)
        if shelf is not None:
            shelf.pending -= 1
            self._judge(shelf, exchange, outcome.key, ejection.attempt_result(outcome), _last(outcome))
        if outcome.result == FAILURE:
            self._on_failure()

    def end(self, exchange: Exchange, client: str, shelf: Shelf | None) -> None:
        """Count and log an exchange that has ended; on no shelf if no endpoint could be reached."""
        now = self._now()
        outcome = exchange.outcome(now)
        self.tally.add(outcome)
        self.access.note(exchange, client, now)
        if exchange.reason:
            self.refuse(exchange.reason, exchange.head.method, exchange.status)
        failed = outcome.result == FAILURE
        if shelf is not None:
            shelf.pending -= 1
            if failed or shelf.record is not None:
                self._judge(shelf, exchange, outcome.key, ejection.attempt_result(outcome), _last(outcome))
        if failed:
            self._on_failure()

    def _judge(self, shelf: Shelf, exchange: Exchange, key: Key, result: AttemptResult, last: str) -> None:
        """Hold against an address what became of an attempt, or hold nothing against it any more."""
        before, rule = shelf.record, exchange.choice.service.ejection
        record = ejection.after_attempt(before, exchange, result, rule, self._now())
        self._pool.remember(shelf, record)
        if record is not None and record is not before and record.state == "ejected":
            self.tally.eject(key)
            text = "%s of %s: ejected for %g s after %s in a row, the last one: %s"
            log.warning(text, shelf.address, key[0], record.pause, counted(record.row, "failure"), last)

    def turn_away(self, refusal: Refusal, client: str) -> None:
        """Count and log a request that was for no service."""
        if refusal.status >= 400:  # the answer of the last hop that a request asked for is no refusal
            self.refuse(refusal.reason, refusal.head.method, refusal.status)
        self.access.refused(refusal, client, self._now())

    def refuse(self, reason: str, method: bytes = b"", status: int = 0) -> None:
        """Count what was turned away, for this reason in one word."""
        self.tally.add(refused(reason, method, status))


def _last(outcome: Outcome) -> str:
    return str(outcome.status) if outcome.ending == COMPLETE else outcome.ending
