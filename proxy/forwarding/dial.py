"""Dialling an address: the only task on the way of a request, and only when the pool had nothing.

Names are resolved by control, so no name is looked up here.
"""

import asyncio
import logging
import random
import ssl
from collections.abc import Callable

from proxy.forwarding.pool import Shelf
from proxy.forwarding.upstream import Upstream
from proxy.routing.address import Address
from proxy.telemetry.outcome import CONNECT, TLS, Ending
from proxy.tls.handshakes import limit_buffers
from proxy.tls.pem import Unusable
from proxy.tls.trusts import Trusts, expected_name, handshake_failure

log = logging.getLogger(__name__)

QUIET_SECONDS = 60.0
"""Between two log lines with the same text for an endpoint."""
JITTER = 0.1
"""The part (0..1) by which the age of a connection is shorter or longer, at most: those that were made
together must not all be made anew together."""
GOODBYE_SECONDS = 3.0
"""How long an endpoint may take to answer our goodbye (close_notify): nothing is unsent by then."""


class DialFailed(Exception):
    """No connection to the endpoint could be had.

    Args:
        status: of the client's answer: 502 when it was refused, 504 when it took too long.
        detail: why, for a person; it names no address.
        ending: what it is for the exchange, `connect` or `tls`.
    """

    def __init__(self, status: int, detail: str, ending: Ending = CONNECT) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.ending = ending


Dialled = Callable[[Upstream | DialFailed], None]


class Dialler:
    """The connections to endpoints that one worker is opening.

    Args:
        now: the time, in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.trusts = Trusts()
        self._warned: dict[tuple[str, str], float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Dialler of {len(self._tasks)} connections>"

    def dial(self, shelf: Shelf, seconds: float, age: float, then: Dialled) -> None:
        """Connect to the shelf's address within so many seconds, then call back with what came of it.

        `age`: seconds for which the connection may be used, about.
        """
        task = asyncio.get_running_loop().create_task(self._dial(shelf, seconds, age, then))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _dial(self, shelf: Shelf, seconds: float, age: float, then: Dialled) -> None:
        result: Upstream | DialFailed
        try:
            async with asyncio.timeout(seconds):
                result = await self._connect(shelf, seconds, age)
        except TimeoutError:
            result = DialFailed(504, f"connecting took longer than {seconds:.3g} s")
        except Unusable:
            result = DialFailed(502, "our own files for TLS with it can't be used", TLS)
        except OSError as error:
            result = _failure(shelf.address, error)
            self._warn(shelf.address, result)
        then(result)

    def _warn(self, address: Address, failed: DialFailed) -> None:
        """Log with which endpoint TLS fails, and why: now and then, not for each request."""
        now = asyncio.get_running_loop().time()
        which = (str(address), failed.detail)
        if failed.ending == TLS and now >= self._warned.get(which, 0.0):
            self._warned[which] = now + QUIET_SECONDS
            log.warning("%s: %s", *which)

    async def _connect(self, shelf: Shelf, seconds: float, age: float) -> Upstream:
        loop = asyncio.get_running_loop()
        address, endpoint = shelf.address, shelf.address.endpoint
        good_until = self._now() + age * random.uniform(1 - JITTER, 1 + JITTER)

        def protocol() -> Upstream:
            return Upstream(address, shelf.forget, good_until)

        if endpoint.scheme == "https":
            transport, upstream = await loop.create_connection(
                protocol,
                address.ip,
                endpoint.port,
                ssl=await self.trusts.context(endpoint.trust),
                server_hostname=expected_name(endpoint),
                ssl_handshake_timeout=seconds + 1,  # ours is over by then
                ssl_shutdown_timeout=GOODBYE_SECONDS,
            )
            limit_buffers(transport)
        elif endpoint.scheme == "unix":
            _, upstream = await loop.create_unix_connection(protocol, endpoint.path)
        else:
            _, upstream = await loop.create_connection(protocol, address.ip, endpoint.port)
        return upstream


def _failure(address: Address, error: Exception) -> DialFailed:
    match error:
        case ConnectionRefusedError():
            return DialFailed(502, "the connection was refused")
        case ssl.SSLError() | ConnectionError() if address.endpoint.scheme == "https":
            return DialFailed(502, handshake_failure(error), TLS)
        case _:
            return DialFailed(502, "no connection could be made")
