"""What counts as slow, for each backend of each service, and which requests have already been too slow.

Control says which times to the response head are slow, and an exchange keeps the thresholds that were in
force when it was sent: a bet is made before its outcome is known. An answer is compared with them when
it has come. But a backend that hangs gives none before its timeout, so a request whose age exceeds the last
threshold is told as overdue while it is in flight, once. Of pinned requests this is known as well, though
they are no evidence: their clients may go away from a backend that hangs before anything else tells of it.

Requests are sent in the order of time, so those under one yardstick wait in a queue, and a look at them
begins, and mostly ends, at its head.
"""

from collections import deque
from collections.abc import Callable, Mapping

from proxy.forwarding.exchange import Exchange
from proxy.telemetry.outcome import QUANTILES, Thresholds

ROOM = 1_000
"""How many requests a queue holds before those that are answered are taken out of its middle."""


class Yardstick:
    """The thresholds of one backend of one service, and who was sent under them."""

    __slots__ = ("_room", "thresholds", "waiting", "watches")

    def __init__(self, thresholds: Thresholds) -> None:
        self.thresholds = thresholds
        self.watches = len(thresholds) == len(QUANTILES)
        """Whether it can be told who is overdue."""
        self.waiting: deque[tuple[float, Exchange]] = deque()
        """When each was sent; one that is sent again counts from then."""
        self._room = ROOM

    def __repr__(self) -> str:
        return f"<Yardstick of {self.thresholds}, {len(self.waiting)} sent>"

    @property
    def idle(self) -> bool:
        """Whether nobody is left to look at."""
        return not self.waiting

    def overdue(self, now: float) -> list[Exchange]:
        """Take out who is overdue by now, and for the first time."""
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


class Yardsticks:
    """All of one worker.

    Args:
        overdue: called once with each exchange that is overdue; marked as such by then.
    """

    def __init__(self, overdue: Callable[[Exchange], None]) -> None:
        self._overdue = overdue
        self._in_force: dict[tuple[str, str], Yardstick] = {}
        self._replaced: list[Yardstick] = []

    def __repr__(self) -> str:
        return f"<Yardsticks of {len(self._in_force)} backends, {len(self._replaced)} replaced>"

    def set(self, services: Mapping[str, Mapping[str, Thresholds]]) -> None:
        """Take what control says: of each service that it names these backends, and no other, from now on."""
        told = {
            (service, name): each for service, backends in services.items() for name, each in backends.items()
        }
        for key, held in list(self._in_force.items()):
            if key[0] in services and told.get(key) != held.thresholds:
                self._replaced.append(self._in_force.pop(key))
        for key, thresholds in told.items():
            if thresholds and key not in self._in_force:
                self._in_force[key] = Yardstick(thresholds)

    def sent(self, exchange: Exchange, now: float) -> None:
        """An exchange is on its way to the endpoint; `now` is the time of its first byte."""
        exchange.sent = now
        choice = exchange.choice
        if self._in_force and (choice.drawn or choice.pinned):
            service, _, backend = exchange.key
            yardstick = self._in_force.get((service, backend))
            if yardstick is not None:
                # No method of the yardstick: with thresholds in force each request passes here.
                exchange.thresholds = yardstick.thresholds
                if yardstick.watches:
                    # Who has his answer goes at once. Hundreds that wait for the next look would grow old
                    # enough for the garbage collector to cost several us a request.
                    waiting = yardstick.waiting
                    while waiting and not _awaits(*waiting[0]):
                        waiting.popleft()
                    waiting.append((now, exchange))

    def look(self, now: float) -> None:
        """Tell who is overdue by now."""
        for yardstick in (*self._in_force.values(), *self._replaced):
            for exchange in yardstick.overdue(now):
                exchange.overdue = True
                self._overdue(exchange)
        if self._replaced:
            self._replaced = [yardstick for yardstick in self._replaced if not yardstick.idle]


def _awaits(sent: float, exchange: Exchange) -> bool:
    """Whether the answer to what was sent at that time is still to come."""
    return exchange.response == "awaited" and exchange.sent == sent
