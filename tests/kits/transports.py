"""Transports for playbooks: two ends of each connection, and no event loop.

They behave like those of an event loop: they hand out nothing while reading is paused, call `pause_writing`
when too much waits, and report their end in a later turn.
"""

import socket
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

HIGH_WATER = 64 * 1024
"""Bytes that wait before the protocol is asked to pause."""


class Turns:
    """The part of an event loop that is needed: what is called in a later turn."""

    def __init__(self) -> None:
        self._due: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self.later: list[tuple[float, Callable[..., object], tuple[Any, ...]]] = []
        """Timers: seconds, and what is called then."""

    def call_soon(self, callback: Callable[..., object], *arguments: Any) -> None:
        self._due.append((callback, arguments))

    def call_later(self, delay: float, callback: Callable[..., object], *arguments: Any) -> "Timer":
        timer = Timer(self, (delay, callback, arguments))
        self.later.append(timer.what)
        return timer

    def run(self) -> None:
        """Take turns until nothing is due."""
        while self._due:
            callback, arguments = self._due.popleft()
            callback(*arguments)


class Timer:
    """A timer that can be cancelled."""

    def __init__(self, turns: Turns, what: tuple[float, Callable[..., object], tuple[Any, ...]]) -> None:
        self._turns = turns
        self.what = what

    def cancel(self) -> None:
        self._turns.later = [each for each in self._turns.later if each is not self.what]


class Transport:
    """One connection as its protocol sees it, and as the test holds its other end."""

    def __init__(
        self,
        turns: Turns,
        protocol: Any,
        peer: object = ("192.0.2.7", 50000),
        family: socket.AddressFamily = socket.AF_INET,
        *,
        secure: bool = False,
    ) -> None:
        self.family = family
        self.secure = secure
        self.turns = turns
        self.protocol = protocol
        self.peer = peer
        self.written = b""
        """Everything that the protocol wrote."""
        self.writes: list[bytes] = []
        """The same, write by write."""
        self.taken: float = float("inf")
        """How many bytes of it the other end takes in all; the rest waits here."""
        self.reading = True
        self.end = ""
        """How the protocol ended the connection: `eof`, `close` or `abort`."""
        self.lost = False
        self.options: list[tuple[Any, ...]] = []
        self.half_closes = not secure
        self._full = False
        self.inbox: deque[bytes | Exception | None] = deque()
        """What has come and wasn't handed out; None is the end."""
        protocol.connection_made(self)

    # What a protocol calls.

    def get_extra_info(self, name: str) -> Any:
        known: dict[str, Any] = {
            "peername": self.peer,
            "socket": SimpleNamespace(family=self.family, setsockopt=self._set),
        }
        if self.secure:
            known["sslcontext"] = "a context"
        return known.get(name)

    def _set(self, *option: Any) -> None:
        assert not self.lost, "an option for a closed socket"
        self.options.append(option)

    def write(self, data: bytes) -> None:
        assert not self.lost, "a write to a closed socket"
        assert self.end != "eof", "a write behind the end"
        assert isinstance(data, bytes)
        if not self.is_closing():
            self.written += data
            self.writes.append(data)
            self._measure()

    def get_write_buffer_size(self) -> int:
        return 0 if self.lost else max(0, len(self.written) - int(min(self.taken, len(self.written))))

    def pause_reading(self) -> None:
        assert self.reading, "paused twice"
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading, "resumed twice"
        self.reading = True
        self.turns.call_soon(self.tell)

    def can_write_eof(self) -> bool:
        return self.half_closes

    def write_eof(self) -> None:
        assert not self.lost
        self.end = self.end or "eof"

    def is_closing(self) -> bool:
        return self.lost or self.end in ("close", "abort")

    def close(self) -> None:
        if not self.is_closing():
            self.end = "close"
            self._finish()

    def abort(self) -> None:
        if self.end != "abort":
            self.end = "abort"
            self.turns.call_soon(self.lose, None)

    # What the test calls, through Client and Server.

    def arrive(self, data: bytes | Exception | None) -> None:
        self.inbox.append(data)
        self.tell()

    def hold(self, data: bytes | Exception | None) -> None:
        """It has come, but the loop hasn't said so yet."""
        self.inbox.append(data)

    def tell(self) -> None:
        """The loop says what has come."""
        while self.inbox and self.reading and not self.is_closing():
            data = self.inbox.popleft()
            if isinstance(data, bytes):
                self.protocol.data_received(data)
            elif data is None:
                if not self.protocol.eof_received():
                    self.close()
            else:
                self.lose(data)

    def take(self, more: float) -> None:
        """The other end takes so many more of the bytes."""
        self.taken += more
        if not self.lost:  # no event loop tells a protocol anything behind its end
            self._measure()
            self._finish()

    def _measure(self) -> None:
        size = self.get_write_buffer_size()
        if size > HIGH_WATER and not self._full:
            self._full = True
            self.protocol.pause_writing()
        elif size <= HIGH_WATER // 4 and self._full:
            self._full = False
            self.protocol.resume_writing()

    def _finish(self) -> None:
        if self.end == "close" and not self.get_write_buffer_size():
            self.turns.call_soon(self.lose, None)

    def lose(self, error: Exception | None) -> None:
        if not self.lost:
            self.lost = True
            self.protocol.connection_lost(error)


class FakePeek:
    """Looks at what has arrived on a transport and isn't told for now."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def arrived(self) -> bool:
        return bool(self._transport.inbox)

    def broken(self) -> bool:
        return any(isinstance(item, Exception) for item in self._transport.inbox)

    def ended(self) -> bool:
        return any(not isinstance(item, bytes) for item in self._transport.inbox)


class End:
    """One end of a connection, in the hands of the test."""

    def __init__(self, turns: Turns, transport: Transport) -> None:
        self._turns = turns
        self.transport = transport
        self._seen = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.transport.protocol}>"

    def got(self) -> bytes:
        """What came since this was asked last."""
        new = self.transport.written[self._seen :]
        self._seen += len(new)
        return new

    def sends(self, *parts: bytes | None) -> None:
        """Send these, each as a segment of its own."""
        for part in parts:
            self.transport.arrive(part)
            self._turns.run()

    def slips(self, *parts: bytes | None) -> None:
        """Send these, the end as None; they have come, but the loop hasn't said so yet."""
        for part in parts:
            self.transport.hold(part)

    def told(self) -> None:
        """The loop says what has come, in the turn that is under way."""
        self.transport.tell()
        self._turns.run()

    def closes(self) -> None:
        """Send the end."""
        self.sends(None)

    def resets(self) -> None:
        """Break the connection."""
        self.transport.lose(ConnectionResetError())
        self._turns.run()

    def stalls(self) -> None:
        """Take no byte more until told otherwise."""
        self.transport.taken = len(self.transport.written)

    def takes(self, more: float = float("inf")) -> None:
        """Take so many bytes of what waits."""
        self.transport.take(more)
        self._turns.run()

    @property
    def read(self) -> bool:
        """Whether it is read."""
        return self.transport.reading

    @property
    def end(self) -> str:
        """How it was ended by the proxy; empty while it goes on."""
        return self.transport.end


class Client(End):
    """A client's end."""

    @property
    def was_reset(self) -> bool:
        """Whether the proxy ended the connection so that nobody takes it for a whole answer."""
        return self.end == "abort" and len(self.transport.options) == 1


class Server(End):
    """An endpoint's end."""
