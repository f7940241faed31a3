"""The deadlines of clients' connections: by when something must have moved on each, and the timer that looks.

Bytes that come in set a deadline anew. Bytes that wait to be taken send no notice when they are: while there
are some, it is checked a few times within the timeout whether they have become fewer.

One coarse timer serves all deadlines of a worker, instead of a timer for each exchange. Twenty times a second
all of them are compared with the clock, which costs about 40 ns each. All times are in seconds, by the clock
of the data plane.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from proxy.forwarding.backpressure import LOOKS, Sending
from proxy.forwarding.exchange import Exchange

PERIOD = 0.05
"""Seconds between two looks: how late a deadline can be noticed."""
SWEEP = 0.5
"""Seconds between two looks at the connections that aren't read, whose end isn't reported."""
LINGER_SECONDS = 2.0
"""How long a connection that ends waits for its client: to read the last answer, or send a first request."""


class Deadline:
    """The time by which something must have moved on one client's connection. Nothing else sets `due`.

    Args:
        now: the clock.
        idle: seconds for the first request to begin.
    """

    __slots__ = ("_now", "due")

    def __init__(self, now: Callable[[], float], idle: float) -> None:
        self._now = now
        self.due = now() + idle

    def __repr__(self) -> str:
        return f"<Deadline at {self.due:.3f}>"

    # Between exchanges.

    def idle(self, seconds: float) -> None:
        """Give the next request these seconds to begin, or a connection that closes to be over."""
        self.due = self._now() + seconds

    def head(self, seconds: float) -> None:
        """Give a request's head that has begun these seconds to be whole."""
        self.due = self._now() + seconds

    def linger(self) -> None:
        """Give the client a moment to read the last answer."""
        self.due = self._now() + LINGER_SECONDS

    def hurry(self) -> None:
        """Give a first request no more than a moment to begin."""
        self.due = min(self.due, self._now() + LINGER_SECONDS)

    def taking(self, seconds: float, now: float) -> None:
        """Check again soon whether bytes are taken, which have these seconds for it."""
        self.due = now + seconds / LOOKS

    # In an exchange.

    def dial(self) -> None:
        """Wait without end: dialling has a timeout of its own."""
        self.due = float("inf")

    def response(self, exchange: Exchange, now: float) -> None:
        """Give the head of the answer its time, now that the whole request has been sent."""
        self.due = now + exchange.choice.service.timeouts.response

    def body(self, exchange: Exchange) -> None:
        """Give the next bytes of a body their time."""
        timeouts = exchange.choice.service.timeouts
        self.due = self._now() + (timeouts.events if exchange.events else timeouts.body)

    def next_bytes(self, exchange: Exchange) -> None:
        """Give the next bytes their time: those of the answer's head, or of a body."""
        if exchange.response == "tunnel":
            return  # the tunnel sets it
        # A client that waits for a 100 sends nothing before the endpoint has answered.
        if exchange.response == "awaited" and (exchange.request == "done" or exchange.expects):
            self.response(exchange, self._now())
        else:
            self.body(exchange)

    def bytes_taken(self, exchange: Exchange, sending: Sending) -> None:
        """Check from now on whether the bytes that wait at one end are taken."""
        if exchange.response == "tunnel":
            return
        now = self._now()
        sending.watch(now)
        self.taking(exchange.choice.service.timeouts.body, now)

    def prolonged(self, exchange: Exchange, ends: Iterable[Sending], now: float) -> bool:
        """Set it anew if bytes are being taken at one of the ends; return whether it was."""
        body = exchange.choice.service.timeouts.body
        waiting = [sending for sending in ends if sending.waits()]
        if not waiting or min(sending.stalled(now) for sending in waiting) >= body:
            return False
        self.taking(body, now)
        return True

    def tunnel(self, moved: float, idle: float) -> None:
        """Give a tunnel in which bytes have moved at that time these seconds for the next ones."""
        self.due = moved + idle


class Timed(Protocol):
    """A connection with a deadline."""

    deadline: Deadline

    @property
    def blind(self) -> bool:
        """Whether the connection isn't read for now, so that its end isn't reported."""

    def look(self) -> None:
        """Check whether the peer of a blind connection is still there."""

    def overdue(self, now: float) -> None:
        """Act on the deadline, which has passed: set a later one, or end."""


class Deadlines:
    """All deadlines of one worker, and the timer for them.

    Args:
        loop: runs the timer.
        now: the clock.
        also: called with the time at every look.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, now: Callable[[], float], *also: Callable[[float], None]
    ) -> None:
        self._loop = loop
        self._now = now
        self._also = also
        self._watched: set[Timed] = set()
        self._sweep_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Deadlines of {len(self._watched)}>"

    def watch(self, one: Timed) -> None:
        """Watch the deadline of this connection from now on."""
        self._watched.add(one)

    def forget(self, one: Timed) -> None:
        """Watch the deadline of this connection no longer."""
        self._watched.discard(one)

    def start(self) -> None:
        """Start the timer."""
        self._timer = self._loop.call_later(PERIOD, self._look_and_go_on)

    def stop(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def look(self, now: float) -> None:
        """Act on every deadline that has passed, and now and then on the blind connections."""
        for one in [one for one in self._watched if one.deadline.due <= now]:
            one.overdue(now)
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP
            for one in [one for one in self._watched if one.blind]:
                one.look()
        for look in self._also:
            look(now)

    def _look_and_go_on(self) -> None:
        self._timer = self._loop.call_later(PERIOD, self._look_and_go_on)
        self.look(self._now())
