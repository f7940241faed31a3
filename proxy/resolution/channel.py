"""A channel to the name servers, by c-ares.

c-ares does what the resolver of the system does for people: the hosts file, `search` and `ndots` of
/etc/resolv.conf, CNAME, TCP for answers that are too long for UDP, the settings of macOS. Unlike getaddrinfo
it holds no thread while a server is silent, and it reports how long an answer is good.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import aiodns
import pycares

TIMEOUT = 2.0
"""Seconds that a server has for its first answer; doubled with each try."""
TRIES = 3

_NO_SUCH_NAME = (pycares.errno.ARES_ENOTFOUND, pycares.errno.ARES_ENODATA)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The addresses of a name of one family; none, where the servers say that there is none."""

    addresses: tuple[str, ...]
    ttl: float
    """Seconds for which it is good; 0 for one from the hosts file."""


class Unanswered(Exception):
    """No answer could be had, for the reason in words; it may be another one later."""


class Channel:
    """A socket or two, a thread of its own, and the answers that it keeps.

    Args:
        servers: their addresses with ports; none: those of the system.
    """

    def __init__(self, servers: Sequence[str]) -> None:
        self._resolver = aiodns.DNSResolver(servers or None, timeout=TIMEOUT, tries=TRIES)
        self._under_way = 0
        self._left = False
        self._closing: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Channel with {self._under_way} questions under way{', left' if self._left else ''}>"

    async def ask(self, name: str, family: socket.AddressFamily) -> Resolved:
        """Return the addresses of a name. Raises Unanswered."""
        self._under_way += 1
        try:
            found = await self._resolver.getaddrinfo(name, family=family)
        except aiodns.error.DNSError as error:
            code, words = error.args[:2]
            if code in _NO_SUCH_NAME:
                return Resolved((), 0.0)
            raise Unanswered(_REASONS.get(code, str(words).lower())) from None
        finally:
            self._under_way -= 1
            self._close_when_done()
        addresses = sorted({node.addr[0].decode() for node in found.nodes})
        return Resolved(tuple(addresses), min((node.ttl for node in found.nodes), default=0))

    def leave(self) -> None:
        """Close when what is under way has come to its end."""
        self._left = True
        self._close_when_done()

    def _close_when_done(self) -> None:
        if self._left and not self._under_way and self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._resolver.close())


_REASONS = {
    pycares.errno.ARES_ETIMEOUT: "no name server answers",
    pycares.errno.ARES_ECONNREFUSED: "no name server can be reached",
    pycares.errno.ARES_ESERVFAIL: "the name server failed (SERVFAIL)",
    pycares.errno.ARES_EREFUSED: "the name server refused the question",
    pycares.errno.ARES_EBADNAME: "it is not a valid name",
    pycares.errno.ARES_EBADRESP: "the name server's answer can't be read",
}
