"""Requests at a fixed rate, however long their answers take: the clock of each starts when it is due.

h2load can't do this: its --rps is a timer in each client, and all timers start together. 100 clients of 10
requests a second are 10 bursts of 100, in which a request waits for the 99 before it; and a client that is
busy starts the clock of its next request late. Here one request is due every 1/rate seconds. One that finds
no connection free, or this process late, has waited since it was due.
"""

import gc
import select
import socket
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil

from proxy.demo.ports import LOOPBACK

CONNECTIONS = 64
PATIENCE = 10.0  # seconds without any answer, after which the run is given up


class Unanswered(RuntimeError):
    """A request got no answer, or another one than 200 with a Content-Length."""


@dataclass(slots=True)
class Schedule:
    """When each of `count` requests is due: number n at `start + n / rate`, in seconds."""

    start: float
    rate: float
    count: int
    sent: int = 0

    def next(self) -> float | None:
        """When the next one is due; None after the last."""
        return None if self.sent == self.count else self.start + self.sent / self.rate


@dataclass(slots=True)
class Connection:
    """A kept-alive connection, with the request that is under way on it."""

    socket: socket.socket
    due: float = 0.0
    read: bytearray = field(default_factory=bytearray)

    def fileno(self) -> int:
        """For select."""
        return self.socket.fileno()

    def send(self, request: bytes, due: float) -> None:
        """Sends a request that was due at this time."""
        self.due = due
        self.read.clear()
        self.socket.sendall(request)

    def answered(self) -> bool:
        """Reads what is there; whether the answer is whole."""
        data = self.socket.recv(65536)
        self.read += data
        if not data:
            raise Unanswered(f"a connection was closed after {bytes(self.read)!r}")
        return whole(self.read)


def whole(data: bytes | bytearray) -> bool:
    """Whether this is all of an answer. Unanswered when it isn't the one that is expected."""
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return False
    status, _, fields = bytes(head).lower().partition(b"\r\n")
    lengths = [line[15:] for line in fields.split(b"\r\n") if line.startswith(b"content-length:")]
    if not status.startswith(b"http/1.1 200") or len(lengths) != 1:
        raise Unanswered(f"expected 200 and a Content-Length, got {bytes(head)!r}")
    return len(body) >= int(lengths[0])


def latencies(
    port: int, request: bytes, rate: float, count: int, connections: int = CONNECTIONS
) -> list[float]:
    """Seconds from when each of `count` requests was due to the end of its answer, in order of the ends.

    Unanswered when one gets none. Blocks; the collector of this process is off meanwhile.
    """
    idle = deque(Connection(socket.create_connection((LOOPBACK, port))) for _ in range(connections))
    everybody = tuple(idle)
    try:
        with uncollected():
            return list(answers(idle, request, Schedule(time.perf_counter() + 0.01, rate, count)))
    finally:
        for one in everybody:
            one.socket.close()


def answers(idle: deque[Connection], request: bytes, schedule: Schedule) -> Iterator[float]:
    """Sends what is due, reads what comes, until all is answered."""
    waiting: list[Connection] = []
    while waiting or schedule.next() is not None:
        pause = PATIENCE
        while idle and (due := schedule.next()) is not None:
            pause = due - time.perf_counter()
            if pause > 0:
                break
            one = idle.popleft()  # the one that has rested longest: all of them take part
            one.send(request, due)
            waiting.append(one)
            schedule.sent += 1
            pause = PATIENCE
        ready, _, _ = select.select(waiting, (), (), pause)  # not epoll: that waits whole milliseconds
        if not ready and pause == PATIENCE:
            raise Unanswered(f"{len(waiting)} requests had no answer within {PATIENCE:g} s")
        for one in ready:
            if one.answered():
                yield time.perf_counter() - one.due
                waiting.remove(one)
                idle.append(one)


@contextmanager
def uncollected() -> Iterator[None]:
    """A pause of our own collector would pass for one of the proxy."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def quantile(values: list[float], level: float) -> float:
    """The smallest of `values` that so large a part of them doesn't exceed; exact. `level` in (0, 1]."""
    return sorted(values)[ceil(level * len(values)) - 1]
