"""Trying again: whether a request goes to another endpoint when its attempt failed, unnoticed by its client.

Decisions only, and one budget for all of them. What was never sent may go to another address of its
backend (`sibling`), whatever its method. What was sent may go to `stable` (`may`, `choice`) where doing it
twice does no harm. A request is put on the wire twice at most, whatever for, and nothing that a client has
seen a byte of is taken back.
"""

from collections.abc import Collection
from dataclasses import replace

from proxy.forwarding.exchange import MOST_SENT, Exchange
from proxy.http1.head import IDEMPOTENT, SAFE
from proxy.routing import balance
from proxy.routing.address import Address, Live
from proxy.routing.split import STABLE
from proxy.routing.table import Choice
from proxy.telemetry.outcome import CONNECT, LAST_STATUS, RESET, TLS, Ending

RESCUED = IDEMPOTENT - {b"TRACE"}
"""Methods that may be sent to `stable`. TRACE asks what its endpoint got, which no other can answer."""
RESCUED_AFTER_500 = SAFE & RESCUED
"""Methods of which it doesn't matter that a 500 leaves open whether something was done."""
BAD_GATEWAY = frozenset((502, 503, 504))
"""Statuses of answers that mean that nothing was done, or that it isn't known."""
INTERNAL_ERROR = 500

PER_REQUEST = 0.2
"""Rescues that a request sent to `stable` pays for: they may add a fifth to its load."""
PER_SECOND = 3.0
"""And those that time pays for, where there are few requests."""
CAPACITY = 50.0
"""Rescues that can be saved up."""


def may(exchange: Exchange, ending: Ending | None = None) -> bool:
    """Return whether the request may be sent to `stable` once its present attempt has failed.

    `ending`: how, when that is known. A request whose backend was halted before it was sent is nothing that
    could be done twice. What `stable` itself got may go to another endpoint of its own only when the
    connection was reset: its instance may have ended just then. Another failure would be the same there.
    """
    if exchange.spared(ending):
        return True
    rescue = exchange.choice.service.rescue
    if not rescue.on or exchange.first is not None:
        return False
    if exchange.choice.backend == STABLE and ending not in (None, RESET):
        return False
    if exchange.response != "awaited" or exchange.hinted or exchange.sends >= MOST_SENT:
        return False
    if ending in (CONNECT, TLS) and not exchange.sends:
        return True  # no byte of it was sent, so no method is done twice
    head = exchange.head
    return head.method in RESCUED or (rescue.keyed and bool(head.values(b"idempotency-key")))


def withholds(exchange: Exchange, status: int) -> bool:
    """Return whether an answer with this status is not to reach the client if another can be had."""
    error = status == INTERNAL_ERROR or status > LAST_STATUS
    return status in BAD_GATEWAY or (error and exchange.head.method in RESCUED_AFTER_500)


def choice(exchange: Exchange, live: Live, draw: int) -> Choice | None:
    """Return where the request goes instead; None when no other endpoint of `stable` is alive."""
    before = exchange.choice
    others = [one for one in before.service.in_service[STABLE] if one != before.address]
    address = balance.pick_or_try(others, live, draw)
    if address is None:
        return None
    return replace(
        before, backend=STABLE, address=address, why="rescued", drawn=False, pinned=False, diverted=""
    )


def sibling(choice: Choice, tried: Collection[Address], live: Live, draw: int) -> Address | None:
    """Return another address of the backend that was chosen, for a request that was never sent.

    None when all were tried, or the others are ejected. `stable` is the last resort: all of its are tried.
    """
    left = [address for address in choice.service.in_service[choice.backend] if address not in tried]
    pick = balance.pick_or_any if choice.backend == STABLE else balance.pick_or_try
    return pick(left, live, draw)


MOST_PARTS = 64
"""Parts of a body that are kept by reference. An object of Python's is 33 bytes and more: a body that comes
byte by byte would take many times its size."""


class Replay:
    """What was sent of a request's body, for as long as it may have to be sent again.

    Args:
        most: bytes of the body that are kept.
    """

    __slots__ = ("_most", "_parts", "whole")

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: list[bytes] = []
        self.whole = True
        """Whether all that was sent is still here."""

    def __repr__(self) -> str:
        return f"<Replay of {len(self._parts)} parts{'' if self.whole else ', gone'}>"

    def __len__(self) -> int:
        return len(self._parts)

    def keep(self, part: bytes, size: int) -> None:
        """Keep what is sent now, by reference; give up once the body, of this `size` so far, is too large."""
        self.whole = self.whole and size <= self._most
        if not self.whole:
            self._parts.clear()
        elif part:
            self._parts.append(part)
        if len(self._parts) > MOST_PARTS:
            self._parts = [b"".join(self._parts)]

    def again(self) -> bytes:
        """Return all that was sent."""
        return b"".join(self._parts)


class Budget:
    """What may be spent on trying again for one service, by one worker: a bucket of tokens that starts full.

    Without it a canary that fails all of a large share would bring `stable` down with what it fails.

    Args:
        now: the time, in seconds.
    """

    __slots__ = ("_at", "_tokens", "sent")

    def __init__(self, now: float) -> None:
        self._tokens = CAPACITY
        self._at = now
        self.sent = 0
        """Requests sent to `stable` since it was last spent from."""

    def __repr__(self) -> str:
        return f"<Budget {self._tokens:.1f} and of {self.sent} requests>"

    def earn(self, requests: int = 1) -> None:
        """Count requests that were sent to `stable`."""
        self.sent += requests

    def spend(self, now: float) -> bool:
        """Take one rescue out, if there is one."""
        earned = self.sent * PER_REQUEST + (now - self._at) * PER_SECOND
        self._tokens = min(CAPACITY, self._tokens + earned)
        self._at, self.sent = now, 0
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
