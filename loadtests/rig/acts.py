"""What clients do in a soak: good things and bad ones, each an act of its own, and what has to come of it."""

import asyncio
import os
import random
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from rig.client import Connection
from rig.unruly import tagged

from proxy.demo.ports import LOOPBACK

PATIENCE = 20.0  # seconds until an act counts as hung; more than any of the proxy's deadlines in a soak
SIZES = (0, 1, 200, 5_000, 100_000, 1_000_000)
GOOD = ("good", "chunked", "drips", "closes", "leaves", "hints", "extra")
BAD = ("hangs", "resets", "resets_within", "truncates", "garbage")
HALF_HEADS = (
    b"GET / HTTP/1.1\r\nHost: sh",
    b"G",
    b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n123",
)
BAD_HEADS = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\nHost: a\n\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
)
Act = Callable[["Crowd", str], Awaitable[str]]


class Wrong(Exception):
    """An answer that must not be."""


def request(method: str, tag: str, do: str, size: int, *lines: str) -> bytes:
    """The head of a request."""
    first = f"{method} /{tag}?do={do}&size={size} HTTP/1.1"
    return "\r\n".join([first, "Host: shop", *lines, "", ""]).encode()


async def expected(
    connection: Connection, tag: str, size: int, total: int = 0, *, bodiless: bool = False
) -> str:
    """Reads one answer; "good" for the right one, the status for one of the proxy's own, or Wrong."""
    status, headers, body = await connection.answer(bodiless=bodiless)
    if status == 200 and "x-tag" in headers:
        right = headers["x-tag"] == tag and headers.get("x-sum", "0") == str(total)
        if right and body == (b"" if bodiless else tagged(tag, size)):
            return "good"
    elif "x-tag" not in headers and (status >= 500 or status in (408, 413)):
        return str(status)
    raise Wrong(f"{tag}, {size} bytes: {status} {headers} {body[:60]!r}")


class Crowd:
    """The clients' side: where to go, and what has come of it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.seen: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._numbers = iter(range(1 << 60))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        """One connection, closed in the end."""
        connection = Connection(*await asyncio.open_connection(LOOPBACK, self._port))
        try:
            yield connection
        finally:
            connection.close()

    async def act(self) -> None:
        """One act of one kind, whatever comes of it."""
        (kind,) = random.choices(list(ACTS), [weight for weight, _ in ACTS.values()])
        tag = f"{kind.replace(' ', '-')}.{next(self._numbers)}"
        try:
            async with asyncio.timeout(PATIENCE):
                what = await ACTS[kind][1](self, tag)
        except (OSError, EOFError):
            what = "cut"
        except TimeoutError:
            what = "hung"
            self.wrong.append(f"{tag}: nothing came for {PATIENCE:g} s")
        except (Wrong, ValueError) as problem:
            what = "wrong"
            self.wrong.append(str(problem)[:300])
        self.seen[f"{kind}: {what}"] += 1

    async def for_seconds(self, seconds: float, actors: int) -> None:
        """So many actors act for so long."""
        end = time.monotonic() + seconds

        async def one() -> None:
            while time.monotonic() < end:
                await self.act()

        async with asyncio.TaskGroup() as group:
            for _ in range(actors):
                group.create_task(one())


# What clients do.


async def gets(crowd: Crowd, tag: str) -> str:
    """A few good answers over one connection."""
    async with crowd.connected() as connection:
        for number in range(random.randint(1, 20)):
            do, size, one = random.choice(GOOD), random.choice(SIZES[:-1]), f"{tag}.{number}"
            await connection.send(request("GET", one, do, size))
            await expected(connection, one, size)
            if not connection.usable:
                break
    return "good"


async def heads(crowd: Crowd, tag: str) -> str:
    """An answer without its body, and one behind it."""
    async with crowd.connected() as connection:
        await connection.send(request("HEAD", tag, "good", 5000))
        await expected(connection, tag, 5000, bodiless=True)
        await connection.send(request("GET", tag, "good", 5000))
        return await expected(connection, tag, 5000)


async def uploads(crowd: Crowd, tag: str) -> str:
    """An upload, sized or chunked, and an answer that knows its CRC."""
    body, size = os.urandom(random.choice(SIZES)), random.choice(SIZES)
    do = random.choice(("good", "chunked"))
    async with crowd.connected() as connection:
        if random.random() < 0.5:
            await connection.send(request("PUT", tag, do, size, f"Content-Length: {len(body)}") + body)
        else:
            await connection.send(request("PUT", tag, do, size, "Transfer-Encoding: chunked"))
            for at in range(0, len(body), 30_000):
                piece = body[at : at + 30_000]
                await connection.send(b"%x;a=b\r\n%b\r\n" % (len(piece), piece))
            await connection.send(b"0\r\nA: b\r\n\r\n")
        return await expected(connection, tag, size, zlib.crc32(body))


async def reads_slowly(crowd: Crowd, tag: str) -> str:
    """A large answer, read with pauses."""
    size, got = 3_000_000, b""
    async with crowd.connected() as connection:
        await connection.send(request("GET", tag, "good", size))
        await connection.head()
        while len(got) < size and (piece := await connection.read(50_000)):
            got += piece
            await asyncio.sleep(0.01)
    if got != tagged(tag, size):
        raise Wrong(f"{tag}: {len(got)} bytes read slowly, and not the right ones")
    return "good"


async def pipelines(crowd: Crowd, tag: str) -> str:
    """Several requests in one write; their answers in order."""
    async with crowd.connected() as connection:
        tags = [f"{tag}.{number}" for number in range(random.randint(2, 30))]
        await connection.send(b"".join(request("GET", one, "good", 300) for one in tags))
        for one in tags:
            await expected(connection, one, 300)
    return "good"


async def meets_faults(crowd: Crowd, tag: str) -> str:
    """An endpoint that does something bad; then a good answer over the same connection, if it goes on."""
    async with crowd.connected() as connection:
        await connection.send(request("GET", tag, random.choice(BAD), 3000))
        what = await expected(connection, tag, 3000)
        if what == "good":
            raise Wrong(f"{tag}: a good answer where there was none")
        if connection.usable:
            await connection.send(request("GET", tag, "good", 300))
            await expected(connection, tag, 300)
        return what


async def meets_early_answer(crowd: Crowd, tag: str) -> str:
    """An endpoint that answers before it has the body."""
    async with crowd.connected() as connection:
        await connection.send(request("PUT", tag, "early", 0, "Content-Length: 500000"))
        await connection.send(bytes(100_000))
        return await expected(connection, tag, 0)


async def leaves_within_upload(crowd: Crowd, tag: str) -> str:
    """A client that leaves when half of its body is sent."""
    async with crowd.connected() as connection:
        await connection.send(request("PUT", tag, "good", 0, "Content-Length: 100000") + bytes(50_000))
        await asyncio.sleep(random.random() * 0.05)
        return leave(connection)


async def leaves_within_answer(crowd: Crowd, tag: str) -> str:
    """A client that leaves while it waits, or when it has half of the answer."""
    async with crowd.connected() as connection:
        await connection.send(request("GET", tag, random.choice(("drips", "good", "hangs")), 1_000_000))
        with suppress(TimeoutError):
            async with asyncio.timeout(random.random() * 0.1):
                await connection.read(1000)
                await asyncio.sleep(random.random() * 0.05)
        return leave(connection)


def leave(connection: Connection) -> str:
    """Ends it, one way or the other."""
    if random.random() < 0.5:
        connection.reset()
        return "reset"
    connection.close()
    return "closed"


async def sends_half(crowd: Crowd, tag: str) -> str:
    """Half a head or half a body, and then nothing; or nothing at all. The proxy ends it in time."""
    async with crowd.connected() as connection:
        await connection.send(random.choice(HALF_HEADS))
        if random.random() < 0.7:
            return leave(connection)
        while await connection.read(65536):
            pass
        return "ended"


async def sends_garbage(crowd: Crowd, tag: str) -> str:
    """What is no request; it is refused, and the connection ended."""
    async with crowd.connected() as connection:
        await connection.send(random.choice(BAD_HEADS))
        status, _, _ = await connection.answer()
        if not 400 <= status < 500:
            raise Wrong(f"{tag}: garbage was answered with {status}")
        while await connection.read(65536):
            pass
        return str(status)


async def tunnels(crowd: Crowd, tag: str) -> str:
    """An upgrade; what is said through the tunnel comes back."""
    asks = (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAA",
    )
    async with crowd.connected() as connection:
        await connection.send(request("GET", tag, "switches", 10, *asks))
        status, headers = await connection.head()
        if status != 101:
            return f"no tunnel: {status}"
        if headers.get("x-tag") != tag:
            raise Wrong(f"{tag}: {headers}")
        for _ in range(random.randint(0, 10)):
            said, heard = os.urandom(random.choice((1, 1000, 50_000))), b""
            await connection.send(said)
            while len(heard) < len(said) and (piece := await connection.read(65536)):
                heard += piece
            if heard != said:
                raise Wrong(f"{tag}: {len(said)} bytes said through the tunnel, {len(heard)} others heard")
        return leave(connection)


ACTS: dict[str, tuple[int, Act]] = {
    "get": (30, gets),
    "head": (5, heads),
    "upload": (15, uploads),
    "slow reader": (5, reads_slowly),
    "pipelined": (8, pipelines),
    "fault": (15, meets_faults),
    "early answer": (4, meets_early_answer),
    "leaves in upload": (6, leaves_within_upload),
    "leaves in answer": (6, leaves_within_answer),
    "half": (5, sends_half),
    "garbage": (6, sends_garbage),
    "tunnel": (5, tunnels),
}
