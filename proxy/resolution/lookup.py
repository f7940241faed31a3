"""The way to the name servers: a channel that is made anew now and then."""

import asyncio
import socket
from collections.abc import Sequence

from proxy.resolution.channel import Channel, Resolved

CHANNEL_SECONDS = 5.0
"""For which a channel is asked. It keeps answers as long as these allow, which may be for hours; a new one
asks again, and what asks once in ten seconds burdens no server."""


class Lookups:
    """The channel in use.

    Args:
        servers: the name servers, addresses with ports; none: those of the system.
    """

    def __init__(self, servers: Sequence[str] = ()) -> None:
        self._servers = tuple(servers)
        self._channel: Channel | None = None
        self._good_until = 0.0

    def __repr__(self) -> str:
        return f"<Lookups at {', '.join(self._servers) or 'the servers of the system'}>"

    async def ask(self, name: str, family: socket.AddressFamily) -> Resolved:
        """Return the addresses of a name. Raises Unanswered."""
        return await self._current().ask(name, family)

    def renew(self, servers: Sequence[str]) -> None:
        """Ask these servers, and anew what was answered before."""
        self._servers = tuple(servers)
        self.close()

    def close(self) -> None:
        """Ask no more on this channel; what is under way on it goes on."""
        if self._channel is not None:
            self._channel.leave()
            self._channel = None

    def _current(self) -> Channel:
        now = asyncio.get_running_loop().time()
        if now > self._good_until:
            self.close()
        if self._channel is None:
            self._channel, self._good_until = Channel(self._servers), now + CHANNEL_SECONDS
        return self._channel
