"""An endpoint that does what the request tells it to, bad things included, and tags all that it answers.

``GET /TAG?do=WORD&size=N`` is answered by the word's behaviour. A good answer has the tag in its head (X-Tag)
and all through its body, so that no piece of it can pass for a piece of another one; X-Sum is the CRC of the
body that came with the request. It runs in the loop of whoever starts it.
"""

import asyncio
import random
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from rig.client import reset

from proxy.demo.ports import LOOPBACK

DRIP = 0.02  # seconds between the pieces of a slow answer
UNASKED = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nX-Tag: unasked\r\n\r\nunasked"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    tag: str
    do: str
    size: int
    headers: dict[str, str]
    sum: int
    """CRC of its body."""

    @property
    def body(self) -> bytes:
        """The body of its answer."""
        return tagged(self.tag, self.size)


def tagged(tag: str, size: int) -> bytes:
    """So many bytes that are this tag again and again."""
    one = f"{tag} ".encode()
    return (one * (size // len(one) + 1))[:size]


def head(asked: Asked, *more: str) -> bytes:
    """The head of a good answer, with further lines."""
    lines = ["HTTP/1.1 200 OK", f"X-Tag: {asked.tag}", f"X-Sum: {asked.sum}", *more, "", ""]
    return "\r\n".join(lines).encode()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Asked:
    """One request, body and all."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    path, _, query = target.partition("?")
    values = dict(pair.split("=") for pair in query.split("&") if pair)
    do = values.get("do", "good")
    if do == "early":
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    total = 0 if do in UNREAD else await _sum(reader, headers)
    return Asked(method, path[1:], do, int(values.get("size", "0")), headers, total)


async def _sum(reader: asyncio.StreamReader, headers: dict[str, str]) -> int:
    """The CRC of a body as it comes."""
    total = 0
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            total = zlib.crc32((await reader.readexactly(size + 2))[:-2], total)
        await reader.readexactly(2)
        return total
    left = int(headers.get("content-length", "0"))
    while left:
        piece = await reader.read(min(left, 65536))
        if not piece:
            raise EOFError("the request was cut")
        total = zlib.crc32(piece, total)
        left -= len(piece)
    return total


# What an endpoint does. True: the connection goes on.

Deed = Callable[[Asked, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]


async def good(asked: Asked, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """A sized answer."""
    writer.write(
        head(asked, f"Content-Length: {asked.size}") + (asked.body if asked.method != "HEAD" else b"")
    )
    await writer.drain()
    return True


async def chunked(asked: Asked, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """A chunked answer, in chunks of any size."""
    writer.write(head(asked, "Transfer-Encoding: chunked"))
    left = asked.body
    while left:
        size = random.randint(1, 16384)
        piece, left = left[:size], left[size:]
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    return True


async def drips(asked: Asked, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """A sized answer in five pieces, slowly."""
    writer.write(head(asked, f"Content-Length: {asked.size}"))
    step = asked.size // 5 + 1
    for at in range(0, asked.size, step):
        await asyncio.sleep(DRIP)
        await writer.drain()
        writer.write(asked.body[at : at + step])
    return True


async def closes(asked: Asked, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """A good answer that is the last one."""
    writer.write(head(asked, f"Content-Length: {asked.size}", "Connection: close") + asked.body)
    return False


async def leaves(asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """A good answer; soon after it the connection ends without a word, one way or the other."""
    await good(asked, reader, writer)
    await asyncio.sleep(random.random() * 0.01)
    if random.random() < 0.5:
        reset(writer)
    return False


async def hints(asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """A good answer with an interim one before it."""
    writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
    return await good(asked, reader, writer)


async def extra(asked: Asked, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """A good answer, and behind it, in one write, another one that nobody asked for."""
    writer.write(head(asked, f"Content-Length: {asked.size}") + asked.body + UNASKED)
    return True


async def hangs(asked: Asked, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> bool:
    """No answer, for as long as anybody waits for it."""
    while await reader.read(65536):
        pass
    return False


async def resets(asked: Asked, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """A reset instead of an answer."""
    reset(writer)
    return False


async def resets_within(asked: Asked, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """A reset in the middle of an answer."""
    writer.write(head(asked, f"Content-Length: {asked.size + 1000}") + asked.body)
    await asyncio.sleep(random.random() * 0.01)
    reset(writer)
    return False


async def truncates(asked: Asked, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """A clean end in the middle of an answer."""
    writer.write(head(asked, "Transfer-Encoding: chunked") + b"%x\r\n" % (asked.size + 1000) + asked.body)
    return False


async def garbage(asked: Asked, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Something that isn't HTTP."""
    writer.write(random.choice([b"SSH-2.0-OpenSSH\r\n\r\n", b"\0" * 100, b"HTTP/1.1 200 OK\nA: b\n\n"]))
    return False


async def early(asked: Asked, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> bool:
    """It has answered before the body came, and reads a while without a use for it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.1):
            while await reader.read(65536):
                pass
    return False


async def switches(asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """A tunnel that says everything back, where the request asks for one; a good answer otherwise."""
    if asked.headers.get("upgrade", "").lower() != "websocket":
        return await good(asked, reader, writer)
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"X-Tag: %b\r\n\r\n" % asked.tag.encode()
    )
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    return False


DEEDS: dict[str, Deed] = {
    deed.__name__: deed
    for deed in (
        good, chunked, drips, closes, leaves, hints, extra, hangs, resets, resets_within, truncates, garbage,
        early, switches,
    )
}  # fmt: skip
UNREAD = ("early",)
"""What is done without reading the body first."""


class Unruly:
    """The endpoint: its port, and how often it did what."""

    def __init__(self) -> None:
        self.port = 0
        self.done: Counter[str] = Counter()
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        try:
            with suppress(OSError, EOFError):
                goes_on = True
                while goes_on:
                    asked = await _read(reader, writer)
                    self.done[asked.do] += 1
                    goes_on = await DEEDS[asked.do](asked, reader, writer)
        finally:
            del self._open[task]
            writer.close()

    async def end(self) -> None:
        """Breaks every connection, and waits until nobody serves one any more."""
        tasks = list(self._open)
        for writer in self._open.values():
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def unruly() -> AsyncIterator[Unruly]:
    """An endpoint on a free port."""
    made = Unruly()
    server = await asyncio.start_server(made.serve, LOOPBACK, 0, backlog=1024)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.end()
