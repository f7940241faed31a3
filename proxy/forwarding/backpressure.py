"""Who may read, the only place where reading is paused and resumed; and who takes what is written.

Back-pressure is a cross-connection: while one side can't take more, the other side isn't read. A connection
can have several reasons not to be read at once, and is read again when the last of them is gone.
"""

import asyncio
from typing import Literal

Reason = Literal["dialling", "full", "pipelined"]
"""No endpoint is connected yet; the other side's write buffer is full; enough requests wait their turn."""


class Reading:
    """Whether one connection is being read, and why not."""

    __slots__ = ("_reasons", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._reasons: set[Reason] = set()

    def __repr__(self) -> str:
        return f"<Reading held: {', '.join(sorted(self._reasons))}>" if self._reasons else "<Reading>"

    def held_for(self, reason: Reason) -> bool:
        """Tell whether this is among the reasons not to read."""
        return reason in self._reasons

    def hold(self, reason: Reason) -> None:
        """Stop reading, for this reason too."""
        if not self._reasons:
            self._transport.pause_reading()
        self._reasons.add(reason)

    def free(self, reason: Reason) -> None:
        """Read again, unless another reason stands."""
        if reason in self._reasons:
            self._reasons.remove(reason)
            if not self._reasons:
                self._transport.resume_reading()


class Sending:
    """Whether what was written to one connection is being taken. A slow reader is not a dead one."""

    __slots__ = ("_transport", "_unsent")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._unsent = 0

    def __repr__(self) -> str:
        return f"<Sending {self._transport.get_write_buffer_size()} bytes>"

    def moves(self) -> bool:
        """Tell whether bytes wait to be sent, and not just as many as when this was last asked."""
        before, self._unsent = self._unsent, self._transport.get_write_buffer_size()
        return self._unsent not in (0, before)
