"""Connecting to an endpoint: the only task on the way of a request, and only when the pool had nothing."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable

from proxy.forwarding.pool import Shelf
from proxy.forwarding.upstream import Upstream
from proxy.routing.endpoint import Endpoint
from proxy.telemetry.outcome import CONNECT, TLS, Ending
from proxy.tls.handshakes import limit_buffers
from proxy.tls.pem import Unusable
from proxy.tls.trusts import Trusts, expected_name, handshake_failure

log = logging.getLogger(__name__)

QUIET_SECONDS = 60.0
"""Between two log lines with the same text for an endpoint."""
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
    """The connections to endpoints that one worker is opening."""

    def __init__(self) -> None:
        self.trusts = Trusts()
        self._warned: dict[tuple[str, str], float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Dialler of {len(self._tasks)} connections>"

    def dial(self, shelf: Shelf, seconds: float, then: Dialled) -> None:
        """Connect to the shelf's endpoint within so many seconds, then call back with what came of it."""
        task = asyncio.get_running_loop().create_task(self._dial(shelf, seconds, then))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _dial(self, shelf: Shelf, seconds: float, then: Dialled) -> None:
        result: Upstream | DialFailed
        try:
            async with asyncio.timeout(seconds):
                result = await self._connect(shelf, seconds)
        except TimeoutError:
            result = DialFailed(504, f"connecting took longer than {seconds:g} s")
        except Unusable:
            result = DialFailed(502, "our own files for TLS with it can't be used", TLS)
        except (OSError, UnicodeError) as error:
            result = _failure(shelf.endpoint, error)
            self._warn(shelf.endpoint, result)
        then(result)

    def _warn(self, endpoint: Endpoint, failed: DialFailed) -> None:
        """Log with which endpoint TLS fails, and why: now and then, not for each request."""
        now = asyncio.get_running_loop().time()
        which = (endpoint.url, failed.detail)
        if failed.ending == TLS and now >= self._warned.get(which, 0.0):
            self._warned[which] = now + QUIET_SECONDS
            log.warning("%s: %s", *which)

    async def _connect(self, shelf: Shelf, seconds: float) -> Upstream:
        loop = asyncio.get_running_loop()
        endpoint = shelf.endpoint

        def protocol() -> Upstream:
            return Upstream(endpoint, shelf.forget)

        if endpoint.scheme == "https":
            transport, upstream = await loop.create_connection(
                protocol,
                endpoint.host,
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
            _, upstream = await loop.create_connection(protocol, endpoint.host, endpoint.port)
        return upstream


def _failure(endpoint: Endpoint, error: Exception) -> DialFailed:
    match error:
        case socket.gaierror():
            return DialFailed(502, "its name could not be resolved")
        case ConnectionRefusedError():
            return DialFailed(502, "the connection was refused")
        case ssl.SSLError() | ConnectionError() if endpoint.scheme == "https":
            return DialFailed(502, handshake_failure(error), TLS)
        case _:
            return DialFailed(502, "no connection could be made")
