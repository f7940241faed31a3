"""Connections to endpoints that wait for the next request, and how many requests each endpoint has.

One stack per endpoint: the connection used last is taken first, so what isn't needed grows old at the bottom
and is closed there.
"""

from proxy.forwarding.upstream import Upstream
from proxy.routing.endpoint import Endpoint

MAX_IDLE = 64
"""Connections kept per endpoint."""
IDLE_SECONDS = 60.0
"""How long an unused connection is kept: less than the 75 s after which nginx, for one, closes its end."""


class Pool:
    """The connections to endpoints of one worker; its pending counts answer for `routing`."""

    __slots__ = ("_idle", "_pending")

    def __init__(self) -> None:
        self._idle: dict[Endpoint, list[Upstream]] = {}
        self._pending: dict[Endpoint, int] = {}

    def __repr__(self) -> str:
        return f"<Pool {sum(map(len, self._idle.values()))} idle, {sum(self._pending.values())} pending>"

    def alive(self, endpoint: Endpoint) -> bool:
        """Tell whether requests may be sent there; nothing is ejected here."""
        return True

    def pending(self, endpoint: Endpoint) -> int:
        """Return how many requests the endpoint has not answered in full."""
        return self._pending.get(endpoint, 0)

    def begin(self, endpoint: Endpoint) -> None:
        """Count a request that goes to this endpoint."""
        self._pending[endpoint] = self._pending.get(endpoint, 0) + 1

    def end(self, endpoint: Endpoint) -> None:
        """Count a request of this endpoint that is over."""
        left = self._pending[endpoint] - 1
        if left:
            self._pending[endpoint] = left
        else:
            del self._pending[endpoint]

    def take(self, endpoint: Endpoint) -> Upstream | None:
        """Return the connection that was used last, or None when there is none."""
        stack = self._idle.get(endpoint)
        return stack.pop() if stack else None

    def give(self, upstream: Upstream, now: float) -> None:
        """Keep a clean connection for the next request, or close it when enough are kept."""
        stack = self._idle.setdefault(upstream.endpoint, [])
        if len(stack) < MAX_IDLE:
            upstream.idle_since = now
            stack.append(upstream)
        else:
            upstream.close()

    def forget(self, upstream: Upstream) -> None:
        """Take an idle connection out that has ended by itself."""
        stack = self._idle.get(upstream.endpoint, [])
        if upstream in stack:
            stack.remove(upstream)

    def expire(self, now: float) -> None:
        """Close what has waited for too long at this time."""
        for endpoint, stack in list(self._idle.items()):
            old = 0
            while old < len(stack) and now - stack[old].idle_since > IDLE_SECONDS:
                stack[old].close()
                old += 1
            del stack[:old]
            if not stack:
                del self._idle[endpoint]

    def close(self) -> None:
        """Close every idle connection."""
        for stack in self._idle.values():
            for upstream in stack:
                upstream.close()
        self._idle.clear()
