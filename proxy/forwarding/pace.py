"""By when something must have moved in an exchange, and whether it has.

Bytes that come in set the deadline anew. Bytes that wait to be taken say nothing when they are: while there
are some it is looked a few times within the timeout whether they have become fewer.
"""

from collections.abc import Callable, Iterable

from proxy.forwarding.backpressure import LOOKS, Sending
from proxy.forwarding.exchange import Exchange
from proxy.forwarding.side import Side


class Pace:
    """Keeps the deadline of one client's connection while exchanges cross.

    Args:
        side: the connection.
        now: the time, in seconds.
    """

    __slots__ = ("_now", "_side")

    def __init__(self, side: Side, now: Callable[[], float]) -> None:
        self._side = side
        self._now = now

    def __repr__(self) -> str:
        return f"<Pace, due at {self._side.due:.3f}>"

    def await_bytes(self, exchange: Exchange) -> None:
        """Give the next bytes their time: those of the answer's head, or of a body."""
        if exchange.response == "tunnel":
            return  # the tunnel has a deadline of its own
        timeouts = exchange.choice.service.timeouts
        # A client that waits for a 100 sends nothing before the endpoint has said something.
        head_is_next = exchange.response == "awaited" and (exchange.request == "done" or exchange.expects)
        self._side.due = self._now() + (timeouts.response if head_is_next else timeouts.body)

    def client_full(self, exchange: Exchange) -> None:
        """The client takes no more. Interim answers don't prolong the wait for the final one."""
        if exchange.response != "awaited":
            self.await_taking(exchange, self._side.sending)

    def client_ready(self, exchange: Exchange) -> None:
        """The client takes bytes again."""
        if exchange.response != "awaited":
            self.await_bytes(exchange)

    def await_taking(self, exchange: Exchange, sending: Sending) -> None:
        """Look from now on whether these bytes are taken."""
        if exchange.response == "tunnel":
            return
        now = self._now()
        sending.watch(now)
        self._side.due = now + exchange.choice.service.timeouts.body / LOOKS

    def goes_on(self, exchange: Exchange, ends: Iterable[Sending], now: float) -> bool:
        """Tell whether bytes are being taken at one of the ends, and look again in a while if so."""
        body = exchange.choice.service.timeouts.body
        waiting = [sending for sending in ends if sending.waits()]
        if not waiting or min(sending.stalled(now) for sending in waiting) >= body:
            return False
        self._side.due = now + body / LOOKS
        return True
