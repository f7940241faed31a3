"""What does a slow reader cost? 256 MiB to a client that takes its time, and to an endpoint that does.

    python loadtests/pace.py [--mebibytes 256] [--tls]

Who reads takes up to 256 KiB and pauses for 2 ms, and after the first MiB takes nothing for three seconds;
the other side sends as fast as it may. The growth of the worker's resident memory, from before to its peak,
has to stay below 16 MiB each. With `--tls` both sides speak TLS. Exit code 1 when it doesn't, or when a
byte got lost. Linux only.
"""

import argparse
import asyncio
import ssl
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop
from rig.client import Connection
from rig.processes import forget_peak, resident
from rig.weir import Weir, services, weir

from proxy.demo.ports import LOOPBACK, free_ports

MIB = 1024 * 1024
PIECE = bytes(range(256)) * 1024  # 256 KiB
PAUSE = 0.002  # seconds
STOP_AT, STOP_SECONDS = MIB, 3.0
LIMIT = 16.0  # MiB
Reads = Callable[[int], Awaitable[bytes]]
Way = Callable[[Connection, "Endpoint"], Awaitable[int]]


async def take_time(read: Reads, size: int) -> int:
    """Reads so many bytes, slowly; their CRC."""
    total, left, stopped = 0, size, False
    while left:
        piece = await read(min(left, len(PIECE)))
        if not piece:
            raise EOFError(f"it ended {left} bytes early")
        total, left = zlib.crc32(piece, total), left - len(piece)
        await asyncio.sleep(PAUSE)
        if not stopped and size - left > STOP_AT:
            stopped = True
            await asyncio.sleep(STOP_SECONDS)
    return total


class Endpoint:
    """GET is answered with as many bytes as can be; PUT is read slowly."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.taken: list[int] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"PUT "):
                self.taken.append(await take_time(reader.read, self.size))
                writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            else:
                writer.write(
                    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % self.size
                )
                for _ in range(self.size // len(PIECE)):
                    writer.write(PIECE)
                    await writer.drain()
        finally:
            writer.close()


@dataclass(frozen=True, slots=True)
class Wire:
    """What both sides speak: as the config has it for a port, and the contexts that go with it."""

    backend: str
    listen: str
    served: ssl.SSLContext | None = None
    asked: ssl.SSLContext | None = None


PLAIN = Wire(f"http://{LOOPBACK}:%d", f'"{LOOPBACK}:%d"')


def secure(directory: Path) -> Wire:
    """TLS, with a certificate made for this run."""
    cert, key = directory / "cert.pem", directory / "key.pem"
    words = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
    ]
    name, files = f"subjectAltName=IP:{LOOPBACK}", ["-out", str(cert), "-keyout", str(key)]
    subprocess.run(["openssl", *words, name, *files], check=True, capture_output=True)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(cert, key)
    return Wire(
        f"{{endpoints: [https://{LOOPBACK}:%d], tls: {{ca: {cert}}}}}",
        f'{{address: "{LOOPBACK}:%d", tls: {{cert: {cert}, key: {key}}}}}',
        served,
        ssl.create_default_context(cafile=str(cert)),
    )


@asynccontextmanager
async def endpoint(size: int, wire: Wire) -> AsyncIterator[tuple[Endpoint, str]]:
    """An endpoint, and what the config says of it."""
    made = Endpoint(size)
    async with await asyncio.start_server(made.serve, LOOPBACK, 0, ssl=wire.served) as server:
        yield made, wire.backend % server.sockets[0].getsockname()[1]


async def slow_reader(connection: Connection, made: Endpoint) -> int:
    """The client reads slowly; the CRC of what it got."""
    await connection.send(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
    await connection.head()
    return await take_time(connection.read, made.size)


async def slow_endpoint(connection: Connection, made: Endpoint) -> int:
    """The endpoint reads slowly; the CRC of what it got."""
    await connection.send(b"PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n" % made.size)
    for _ in range(made.size // len(PIECE)):
        await connection.send(PIECE)
    await connection.answer()
    return made.taken.pop()


@dataclass(frozen=True, slots=True)
class Measured:
    """One crossing after the other through one proxy."""

    running: Weir
    made: Endpoint
    port: int
    asked: ssl.SSLContext | None

    async def cross(self, name: str, way: Way) -> bool:
        """Crosses once and tells what it cost; whether that is little enough."""
        (pid,) = self.running.workers()
        connection = Connection(*await asyncio.open_connection(LOOPBACK, self.port, ssl=self.asked))
        before, begun, size = resident(pid), time.monotonic(), self.made.size
        forget_peak(pid)
        total = await way(connection, self.made)
        connection.close()
        growth = resident(pid, peak=True) - before
        whole = total == expected(size)
        print(
            f"{name}: {size // MIB} MiB in {time.monotonic() - begun:.0f} s, "
            f"{'whole' if whole else 'NOT whole'}; "
            f"resident memory of the worker {before:.1f} MiB before, {growth:+.1f} MiB at its peak",
            flush=True,
        )
        return whole and growth < LIMIT


def expected(size: int) -> int:
    """The CRC of all that is sent."""
    total = 0
    for _ in range(size // len(PIECE)):
        total = zlib.crc32(PIECE, total)
    return total


async def run(size: int, *, tls: bool) -> bool:
    """Both ways, one after the other."""
    with tempfile.TemporaryDirectory() as directory:
        wire = secure(Path(directory)) if tls else PLAIN
        async with endpoint(size, wire) as (made, backend):
            (port,) = free_ports([0])
            settings, listen = services(backend, backend), [wire.listen % port]
            with weir(Path(directory), settings, workers=1, more_listen=listen) as running:
                measured = Measured(running, made, port, wire.asked)
                fine = await measured.cross("slow reader", slow_reader)
                return await measured.cross("slow endpoint", slow_endpoint) and fine


def main() -> int:
    """Takes its time; 0 when both cost little."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mebibytes", type=int, default=256)
    parser.add_argument("--tls", action="store_true", help="both sides speak TLS")
    options = parser.parse_args()
    fine = uvloop.run(run(options.mebibytes * MIB, tls=options.tls))
    print("fine" if fine else "NOT as it has to be")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
