"""The connection of a worker to control, made again for ever.

Control may be gone: the worker goes on with the table that it has and keeps counting. The supervisor keeps
the listening socket meanwhile, so a connection may well be made to a control that is yet to come, and what is
sent waits for it in the kernel.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import cast

from proxy.link.frames import Decoder, encode
from proxy.link.messages import Message

log = logging.getLogger(__name__)

SHORTEST, LONGEST = 0.05, 1.0
"""Seconds between two attempts: doubling, and short again after a message of control."""

BOUND = 1024 * 1024
"""Bytes that may wait to be sent before more is refused; one message may go over it, so each fits once."""


class ControlLink:
    """The connection to control. `run` it in a task, for the life of the worker.

    Args:
        path: control's unix socket.
        on_open: called after each connect; sends Hello, and everything else again. It must not raise.
        on_message: called with each message of control. It must not raise.
    """

    def __init__(self, path: str, on_open: Callable[[], None], on_message: Callable[[Message], None]) -> None:
        self._path = path
        self._on_open = on_open
        self._on_message = on_message
        self._wire: Wire | None = None
        self.pause = SHORTEST
        """Seconds until the next attempt to connect."""

    def __repr__(self) -> str:
        return f"<ControlLink {self._path} {'connected' if self.connected else 'not connected'}>"

    @property
    def connected(self) -> bool:
        """Whether there is a connection; control may not have accepted it yet."""
        return self._wire is not None

    def send(self, message: Message) -> bool:
        """Send without waiting; return False without a connection, or when too much waits to be sent already.

        Nothing is lost by that as long as the sender sends the whole, not the difference, the next time.
        """
        return self._wire is not None and self._wire.send(message)

    async def run(self) -> None:
        """Connect, and connect again; ends only by being cancelled, which closes the connection."""
        while True:
            with contextlib.suppress(OSError):  # control is not listening; the next attempt may reach it
                await self._connection()
            await asyncio.sleep(self.pause)
            self.pause = min(self.pause * 2, LONGEST)

    async def _connection(self) -> None:
        """Serve one connection to its end."""
        loop = asyncio.get_running_loop()
        transport, wire = await loop.create_unix_connection(lambda: Wire(self._received), self._path)
        self._wire = wire
        try:
            self._on_open()
            await wire.lost
        finally:
            self._wire = None
            transport.abort()

    def _received(self, message: Message) -> None:
        self.pause = SHORTEST
        self._on_message(message)


class Wire(asyncio.Protocol):
    """One connection: frames in, frames out."""

    def __init__(self, on_message: Callable[[Message], None]) -> None:
        self._on_message = on_message
        self._decoder = Decoder()
        self._taking = False
        """Whether there is more to take in the next turn."""
        self._ended = False
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when it has ended and all messages were taken: the last one may have been a trip."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # a stream, though uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        self._decoder.put(data)
        if not self._taking:
            self._take()

    def _take(self) -> None:
        """Take one message in each turn of the loop, so that traffic goes on between the parts of a table."""
        self._taking = False
        try:
            message = self._decoder.next()
        except ValueError as error:
            log.error("control sent what can't be read, connecting again: %s", error)
            self._decoder, message = Decoder(), None
            self._transport.abort()
        if message is not None:
            self._taking = True
            asyncio.get_running_loop().call_soon(self._take)
            self._on_message(message)
        elif self._ended and not self.lost.done():
            self.lost.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        if not self._taking:
            self._take()

    def send(self, message: Message) -> bool:
        if self._transport.is_closing() or self._transport.get_write_buffer_size() > BOUND:
            return False
        self._transport.write(encode(message))
        return True
