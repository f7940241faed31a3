"""Connecting to an endpoint: the only task on the way of a request, and only when the pool had nothing."""

import asyncio
import socket
from collections.abc import Callable

from proxy.forwarding.upstream import Gone, Upstream
from proxy.routing.endpoint import Endpoint


class DialFailed(Exception):
    """No connection to the endpoint could be had.

    Args:
        status: what the client is told: 502 when it was refused, 504 when it took too long.
        detail: why, for a person; it names no address.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


Connected = Callable[[Upstream | DialFailed], None]


class Dialler:
    """Opens the connections of one worker.

    Args:
        gone: told of every connection that ends while it is idle.
    """

    def __init__(self, gone: Gone) -> None:
        self._gone = gone
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Dialler of {len(self._tasks)} connections>"

    def dial(self, endpoint: Endpoint, seconds: float, then: Connected) -> None:
        """Connect within so many seconds, then call back with the connection or with the failure."""
        task = asyncio.get_running_loop().create_task(self._dial(endpoint, seconds, then))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _dial(self, endpoint: Endpoint, seconds: float, then: Connected) -> None:
        result: Upstream | DialFailed
        try:
            async with asyncio.timeout(seconds):
                result = await self._connect(endpoint)
        except TimeoutError:
            result = DialFailed(504, f"connecting took longer than {seconds:g} s")
        except (OSError, UnicodeError) as error:
            result = DialFailed(502, _reason(error))
        then(result)

    async def _connect(self, endpoint: Endpoint) -> Upstream:
        loop = asyncio.get_running_loop()

        def protocol() -> Upstream:
            return Upstream(endpoint, self._gone)

        if endpoint.scheme == "unix":
            _, upstream = await loop.create_unix_connection(protocol, endpoint.path)
        else:
            _, upstream = await loop.create_connection(protocol, endpoint.host, endpoint.port)
        return upstream


def _reason(error: Exception) -> str:
    match error:
        case socket.gaierror():
            return "its name could not be resolved"
        case ConnectionRefusedError():
            return "the connection was refused"
        case _:
            return "no connection could be made"
