"""Back-pressure: whether a connection is read, and whether its peer takes what is written to it.

While one side of an exchange can't take more, the other side isn't read. A connection can have several
reasons at once not to be read, and is read again when the last of them is gone. Nothing else pauses or
resumes a transport.
"""

import asyncio
from typing import Literal

from proxy.forwarding.peek import queued

Hold = Literal["full", "pipelined"]
"""The other side's write buffer is full; enough bytes wait their turn."""

NONE: frozenset[Hold] = frozenset()

LOOKS = 8
"""How often it is checked whether bytes are taken, within the time that they may take."""


class Reading:
    """Whether one connection is being read, and why not."""

    __slots__ = ("_transport", "reasons")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.reasons: frozenset[Hold] = NONE
        """Why it isn't read for now; none while it is."""

    def __repr__(self) -> str:
        return f"<Reading held: {', '.join(sorted(self.reasons))}>" if self.reasons else "<Reading>"

    @property
    def held(self) -> bool:
        """Whether it isn't read for now."""
        return bool(self.reasons)

    def held_for(self, reason: Hold) -> bool:
        """Return whether this is among the reasons not to read."""
        return reason in self.reasons

    def hold(self, reason: Hold) -> None:
        """Stop reading, for this reason too."""
        if not self.reasons:
            self._transport.pause_reading()
        self.reasons |= {reason}

    def free(self, reason: Hold) -> None:
        """Read again, unless another reason stands."""
        if reason in self.reasons:
            self.reasons -= {reason}
            if not self.reasons:
                self._transport.resume_reading()


class Sending:
    """Whether what was written to one connection is being taken. A slow reader is not a dead one."""

    __slots__ = ("_since", "_transport", "_unsent", "secure")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._unsent = 0
        self._since = 0.0
        self.secure = transport.get_extra_info("sslcontext") is not None
        """Whether the connection speaks TLS."""

    def __repr__(self) -> str:
        return f"<Sending {self._transport.get_write_buffer_size()} bytes>"

    def waits(self) -> bool:
        """Return whether bytes wait to be sent."""
        # Under TLS the transport doesn't know of what it has handed on already, and whose end it awaits.
        return bool(self._transport.get_write_buffer_size() or (self.secure and queued(self._transport)))

    def watch(self, now: float) -> None:
        """Take from now on the time for which none of the bytes that wait is taken."""
        self._unsent, self._since = self._waiting(), now

    def stalled(self, now: float) -> float:
        """Return for how long none of the bytes that wait was taken, as far as was checked; 0 for none."""
        unsent = self._waiting()
        if unsent != self._unsent or not unsent:
            self._unsent, self._since = unsent, now
        return now - self._since

    def _waiting(self) -> int:
        unsent = self._transport.get_write_buffer_size()
        if unsent or self.secure:
            # The kernel takes more of them only when a good part of its own, of megabytes, has gone.
            unsent += queued(self._transport)
        return unsent
