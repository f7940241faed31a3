"""Connecting to an endpoint: the only task on the way of a request, and only when the pool had nothing."""

import asyncio
import socket
from collections.abc import Callable

from proxy.forwarding.pool import Shelf
from proxy.forwarding.upstream import Upstream


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
    """Opens the connections of one worker."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Dialler of {len(self._tasks)} connections>"

    def dial(self, shelf: Shelf, seconds: float, then: Connected) -> None:
        """Connect to the shelf's endpoint within so many seconds, then call back with what came of it."""
        task = asyncio.get_running_loop().create_task(self._dial(shelf, seconds, then))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _dial(self, shelf: Shelf, seconds: float, then: Connected) -> None:
        result: Upstream | DialFailed
        try:
            async with asyncio.timeout(seconds):
                result = await _connect(shelf)
        except TimeoutError:
            result = DialFailed(504, f"connecting took longer than {seconds:g} s")
        except (OSError, UnicodeError) as error:
            result = DialFailed(502, _reason(error))
        then(result)


async def _connect(shelf: Shelf) -> Upstream:
    loop = asyncio.get_running_loop()
    endpoint = shelf.endpoint

    def protocol() -> Upstream:
        return Upstream(endpoint, shelf.forget)

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
