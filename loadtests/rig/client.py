"""A plain HTTP/1.1 client that hides nothing.

Ready-made clients send a request again when a kept-alive connection breaks under it. That is kind, and it
would hide exactly what is measured here; so this one reports every broken request as it happened. It knows
what it needs and no more: GET, kept-alive connections, Content-Length and chunked bodies.
"""

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

PATIENCE = 10.0  # seconds until a request counts as lost


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `sent` and `at` in monotonic seconds; status 0 and `trouble` when nothing whole did."""

    sent: float
    at: float
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""

    @property
    def version(self) -> str:
        """The version that the sample names; "" when there is none."""
        return self.headers.get("x-version", "")

    @property
    def result(self) -> str:
        """The status, or 0 and the trouble."""
        return f"{self.status} {self.trouble}".strip()

    @property
    def good(self) -> bool:
        """A whole 2xx answer."""
        return 200 <= self.status < 300


class Connection:
    """One kept-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def usable(self) -> bool:
        """False when the other side has closed it while it was idle."""
        return not self._reader.at_eof() and not self._writer.is_closing()

    def close(self) -> None:
        """Closes at once."""
        self._writer.close()

    def reset(self) -> None:
        """Breaks the connection: a RST and no FIN."""
        reset(self._writer)

    async def send(self, data: bytes) -> None:
        """Sends bytes, and waits while the other side takes none."""
        self._writer.write(data)
        await self._writer.drain()

    async def ask(self, request: bytes) -> tuple[int, dict[str, str]]:
        """Sends one request; status and headers once the body is read. OSError or EOFError when it broke."""
        self._writer.write(request)
        status, headers, _ = await self.answer()
        return status, headers

    async def answer(self, *, bodiless: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next final answer; `bodiless`: it is one to HEAD."""
        status, headers = await self.head()
        while 101 < status < 200:
            status, headers = await self.head()
        body = b"" if bodiless or status in (101, 204, 304) else await self._body(headers)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return status, headers, body

    async def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers of the next head."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return int(status_line.split(" ", 2)[1]), headers

    async def read(self, most: int) -> bytes:
        """Up to so many bytes as they come; none at the end."""
        return await self._reader.read(most)

    async def _body(self, headers: Mapping[str, str]) -> bytes:
        if "content-length" in headers:
            return await self._reader.readexactly(int(headers["content-length"]))
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await self._chunks()
        return b""

    async def _chunks(self) -> bytes:
        pieces = []
        while size := int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16):
            pieces.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readuntil(b"\r\n")
        return b"".join(pieces)


def reset(writer: asyncio.StreamWriter) -> None:
    """Breaks a connection: a RST and no FIN."""
    endpoint = writer.get_extra_info("socket")
    if endpoint is not None and not writer.is_closing():
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Client:
    """Requests to one address over as many kept-alive connections as are wanted at once."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._address = (host, port)
        self._idle: list[Connection] = []

    def close(self) -> None:
        """Closes the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def request(self, path: str, headers: Mapping[str, str] = {}) -> bytes:
        """A GET as it goes over the wire."""
        host, port = self._address
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    async def ask(self, request: bytes) -> Answer:
        """One request, sent once; whatever goes wrong is part of the answer."""
        sent = time.monotonic()
        connection: Connection | None = None
        try:
            async with asyncio.timeout(PATIENCE):
                connection = await self._take()
                status, headers = await connection.ask(request)
        except (OSError, EOFError, TimeoutError, ValueError) as problem:
            if connection is not None:
                connection.close()
            return Answer(sent, time.monotonic(), trouble=f"{type(problem).__name__}: {problem}")
        self._idle.append(connection)
        return Answer(sent, time.monotonic(), status, headers)

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            connection.close()
        return Connection(*await asyncio.open_connection(*self._address))


async def closed_loop(count: int, wide: int, ask: Callable[[int], Awaitable[None]]) -> None:
    """Calls `ask` with 0 .. count-1, `wide` of them at a time."""
    numbers = iter(range(count))

    async def one() -> None:
        for number in numbers:
            await ask(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(wide):
            group.create_task(one())


async def open_loop(
    rate: float, ask: Callable[[int], Awaitable[None]], over: asyncio.Event, most: int
) -> None:
    """Calls `ask` `rate` times a second, however long its answers take, until `over` or `most` calls."""
    begun, asked = time.monotonic(), 0
    async with asyncio.TaskGroup() as group:
        while not over.is_set() and asked < most:
            due = min(int((time.monotonic() - begun) * rate) - asked, most - asked)
            for number in range(asked, asked + due):
                group.create_task(_as_coroutine(ask, number))
            asked += due
            await asyncio.sleep(max(0.001, (asked + 1) / rate - (time.monotonic() - begun)))


async def _as_coroutine(ask: Callable[[int], Awaitable[None]], number: int) -> None:
    await ask(number)
