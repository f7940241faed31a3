"""The search for a connection to a backend: address after address, until one takes it.

Nothing has been sent yet, so any request may go to another address of its backend, whatever its method. The
next address is dialled when one has failed, or has kept for a quarter of a second while the first goes on
(RFC 8305 section 5). What fails is held against the address; it is a failure of the backend only when none of
its addresses could be connected to.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from proxy.forwarding import rescue
from proxy.forwarding.data_plane import DataPlane
from proxy.forwarding.dial import DialFailed
from proxy.forwarding.exchange import Exchange
from proxy.forwarding.pool import Shelf
from proxy.forwarding.upstream import Upstream

HEAD_START = 0.25
"""Seconds after which another address is dialled beside one that hasn't answered (RFC 8305 section 5)."""

Found = Callable[[Shelf, Upstream], None]
Failed = Callable[[DialFailed], None]


class Connecting:
    """One search, for an exchange whose request is to be sent.

    Every shelf that it dials counts the request as pending. The one that is found goes on to count it; all
    others have settled it by then.

    Args:
        plane: what the worker's connections share.
        exchange: whose request it is.
        found: called with the first connection, and its shelf.
        failed: called when there is none to be had, with the last reason.
    """

    __slots__ = (
        "_dialled",
        "_ends",
        "_exchange",
        "_failed",
        "_found",
        "_outrun",
        "_over",
        "_plane",
        "_timer",
        "_tried",
    )

    def __init__(self, plane: DataPlane, exchange: Exchange, found: Found, failed: Failed) -> None:
        self._plane = plane
        self._exchange = exchange
        self._found = found
        self._failed = failed
        self._over = False
        self._tried: list[Shelf] = []
        """Every shelf that was dialled."""
        self._dialled: list[Shelf] = []
        """Those that haven't answered, in the order of dialling."""
        self._timer: asyncio.TimerHandle | None = None
        self._outrun: list[Shelf] = []
        """Those that have had their head start."""
        self._ends = plane.now() + exchange.choice.service.timeouts.connect

    def __repr__(self) -> str:
        return f"<Connecting, {len(self._dialled)} of {len(self._tried)} dialled>"

    def begin(self, shelf: Shelf) -> None:
        """Dial a shelf that counts the request already."""
        self._dial(shelf)

    def cancel(self) -> None:
        """End the search: the request is not to be sent, or not to this backend. What connects is kept."""
        self._end()
        for shelf in self._dialled:
            self._plane.accounts.spare(self._exchange, shelf)

    def _dial(self, shelf: Shelf) -> None:
        plane, exchange = self._plane, self._exchange
        self._tried.append(shelf)
        self._dialled.append(shelf)
        seconds = max(self._ends - plane.now(), 0.001)
        plane.dialler.dial(shelf, seconds, plane.pool.age_seconds, partial(self._answered, shelf))
        if len(exchange.choice.service.in_service[exchange.choice.backend]) > len(self._tried):
            self._stop_timer()
            self._timer = plane.later(HEAD_START, self._dial_beside)

    def _end(self) -> None:
        self._over = True
        self._stop_timer()

    def _stop_timer(self) -> None:
        """Drop the timer, which would hold all of this for its quarter of a second."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _dial_beside(self) -> None:
        self._outrun += self._dialled
        self._dial_next()

    def _dial_next(self) -> None:
        plane, exchange = self._plane, self._exchange
        if plane.now() >= self._ends:
            return
        tried = [shelf.address for shelf in self._tried]
        address = rescue.sibling(exchange.choice, tried, plane.pool, plane.draw())
        if address is None or not plane.accounts.affords(exchange):
            return
        shelf = plane.pool.begin(address, exchange)
        # One that is kept may prove stale, so it is only for what has an attempt left.
        kept = None if exchange.sends else shelf.take()
        if kept is None:
            self._dial(shelf)
        else:
            self._tried.append(shelf)
            self._finish(shelf, kept)

    def _answered(self, shelf: Shelf, result: Upstream | DialFailed) -> None:
        if isinstance(result, Upstream) and not result.reusable():
            result = DialFailed(502, "it hung up")
        if self._over:
            if isinstance(result, Upstream):
                shelf.give(result, self._plane.now())  # as good for another request
            return
        if isinstance(result, Upstream):
            self._finish(shelf, result)
            return
        self._dialled.remove(shelf)
        self._plane.accounts.unreached(self._exchange, shelf, result.detail)
        self._dial_next()
        if not (self._dialled or self._over):
            self._end()
            self._failed(result)

    def _finish(self, winner: Shelf, upstream: Upstream) -> None:
        """Go on with a connection, and settle the request with all others that were dialled."""
        self._end()
        for shelf in self._dialled:
            if shelf is winner:
                continue
            if shelf in self._outrun:
                self._plane.accounts.unreached(self._exchange, shelf, "it kept longer than another address")
            else:
                self._plane.accounts.spare(self._exchange, shelf)
        self._found(winner, upstream)
