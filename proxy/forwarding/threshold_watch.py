"""The thresholds above which a request is slow, for each backend, and the requests that exceed them.

Control sends the times to the response head that are slow, and an exchange keeps the thresholds that were in
force when it was sent: a bet is made before its outcome is known. An answer is compared with them when it
has come. But a backend that hangs gives none before its timeout, so a request whose age exceeds the last
threshold is reported as overdue while it is in flight, once. Pinned requests are reported as well, though
they are no evidence: their clients may leave a backend that hangs before anything else shows that it does.

Requests are sent in the order of time, so those under the same thresholds wait in a queue, and a look at them
begins, and mostly ends, at its head.
"""

from collections import deque
from collections.abc import Callable, Mapping

from proxy.forwarding.exchange import Exchange
from proxy.telemetry.outcome import QUANTILES, Thresholds

ROOM = 1_000
"""How many requests a queue holds before those that are answered are taken out of its middle."""


class BackendThresholds:
    """The thresholds of one backend of one service, and the requests that were sent under them."""

    __slots__ = ("_room", "complete", "thresholds", "waiting")

    def __init__(self, thresholds: Thresholds) -> None:
        self.thresholds = thresholds
        self.complete = len(thresholds) == len(QUANTILES)
        """Whether the last threshold is known, so that a request can be overdue."""
        self.waiting: deque[tuple[float, Exchange]] = deque()
        """When each was sent; one that is sent again counts from then."""
        self._room = ROOM

    def __repr__(self) -> str:
        return f"<BackendThresholds {self.thresholds}, {len(self.waiting)} sent>"

    @property
    def idle(self) -> bool:
        """Whether no request is left to look at."""
        return not self.waiting

    def overdue(self, now: float) -> list[Exchange]:
        """Take out the requests that are overdue by now, and weren't before."""
        waiting, found = self.waiting, []
        while waiting:
            sent, exchange = waiting[0]
            awaits = exchange.response == "awaited" and exchange.sent == sent  # _awaits(), written out
            if awaits and now - sent <= self.thresholds[-1]:
                break
            waiting.popleft()
            if awaits and not exchange.overdue:
                found.append(exchange)
        if len(waiting) > self._room:
            # Answered ones behind one that waits: without this they would stay for as long as it may wait.
            self.waiting = deque(one for one in waiting if _awaits(*one))
            self._room = max(ROOM, 2 * len(self.waiting))
        return found


class ThresholdWatch:
    """All thresholds in force in one worker.

    Args:
        overdue: called once with each exchange that is overdue; marked as such by then.
    """

    def __init__(self, overdue: Callable[[Exchange], None]) -> None:
        self._overdue = overdue
        self._replaced: list[BackendThresholds] = []
        self.in_force: dict[tuple[str, str], BackendThresholds] = {}
        """By service and backend; to be changed by `set` alone."""

    def __repr__(self) -> str:
        return f"<ThresholdWatch of {len(self.in_force)} backends, {len(self._replaced)} replaced>"

    def set(self, services: Mapping[str, Mapping[str, Thresholds]]) -> None:
        """Put these thresholds in force. Of a service that is named no other backend has any from then on."""
        wanted = {
            (service, name): each for service, backends in services.items() for name, each in backends.items()
        }
        for key, held in list(self.in_force.items()):
            if key[0] in services and wanted.get(key) != held.thresholds:
                self._replaced.append(self.in_force.pop(key))
        for key, thresholds in wanted.items():
            if thresholds and key not in self.in_force:
                self.in_force[key] = BackendThresholds(thresholds)

    def watch(self, exchange: Exchange, now: float) -> Thresholds:
        """Watch an exchange that is being sent now, and return the thresholds that it is under.

        Not worth a call while nothing is `in_force`.
        """
        choice = exchange.choice
        service, _, backend = exchange.key
        held = self.in_force.get((service, backend)) if choice.drawn or choice.pinned else None
        if held is None:
            return exchange.thresholds
        if held.complete:
            # Answered ones go at once. Hundreds that wait for the next look would grow old enough for the
            # garbage collector to cost several us a request.
            waiting = held.waiting
            while waiting and not _awaits(*waiting[0]):
                waiting.popleft()
            waiting.append((now, exchange))
        return held.thresholds

    def look(self, now: float) -> None:
        """Report the exchanges that are overdue by now."""
        for held in (*self.in_force.values(), *self._replaced):
            for exchange in held.overdue(now):
                exchange.fall_overdue()
                self._overdue(exchange)
        if self._replaced:
            self._replaced = [held for held in self._replaced if not held.idle]


def _awaits(sent: float, exchange: Exchange) -> bool:
    """Return whether the answer to what was sent at that time is still to come."""
    return exchange.response == "awaited" and exchange.sent == sent
