"""How long is a worker kept from its traffic by a table? CPU time of the longest turn of its event loop.

A real worker and a made control share one loop, and all that control does there is to write bytes that were
made beforehand. A turn is measured in CPU time of the thread, so that a busy machine makes none longer.
"""

import asyncio
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from multiprocessing import get_context
from pathlib import Path

import uvloop

from proxy.link.frames import Decoder, encode
from proxy.link.messages import Ack, Hello, Table
from proxy.routing.table import Service
from proxy.worker.worker import Worker


class Probe:
    """Runs in every turn of the loop, and knows the longest since it was asked last."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._last, self._longest = time.thread_time(), 0.0
        self._next = self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        now = time.thread_time()
        self._longest, self._last = max(self._longest, now - self._last), now
        self._next = self._loop.call_soon(self._turn)

    def longest(self) -> float:
        """Milliseconds."""
        longest, self._longest = self._longest, 0.0
        return longest * 1000

    def stop(self) -> None:
        """Run no more."""
        self._next.cancel()


class Control(asyncio.Protocol):
    """Says what it is told to, and waits until the worker has done it."""

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._transport: asyncio.WriteTransport
        self.here, self.done = asyncio.Event(), asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        for message in self._decoder.feed(data):
            if isinstance(message, Hello):
                self.here.set()
            elif isinstance(message, Ack):
                self.done.set()

    async def say(self, frames: bytes) -> None:
        """Say it, and wait for its acknowledgement."""
        self.done.clear()
        self._transport.write(frames)
        await self.done.wait()


@asynccontextmanager
async def working() -> AsyncIterator[Control]:
    """A worker that listens nowhere, and the control that it is linked to."""
    control, loop = Control(), asyncio.get_running_loop()
    supervisor, inherited = socket.socketpair()
    supervisor.detach()  # stays open for as long as this process lives: its end would be the worker's, too
    with tempfile.TemporaryDirectory() as made:
        path = str(Path(made) / "link")
        server = await loop.create_unix_server(lambda: control, path)
        running = asyncio.ensure_future(Worker(0, "boot", path, (), 1.0).run(inherited.detach()))
        await control.here.wait()
        yield control
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        server.close()


async def longest_turns(told: Sequence[bytes]) -> list[float]:
    """Milliseconds of CPU of the longest turn while a worker takes each of these tables."""
    found = []
    async with working() as control:
        probe = Probe()
        for frames in told:
            await asyncio.sleep(0.02)
            probe.longest()
            await control.say(frames)
            await asyncio.sleep(0)
            found.append(probe.longest())
        probe.stop()
    return found


def measure(tables: Iterable[Sequence[Service]]) -> list[float]:
    """The same in a process of its own, with the memory of a worker; the first table is its first."""
    told = [
        b"".join(map(encode, Table(generation, tuple(services), (), complete=generation == 1).parts()))
        for generation, services in enumerate(tables, 1)
    ]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        return alone.submit(_measured, told).result()


def _measured(told: Sequence[bytes]) -> list[float]:
    return uvloop.run(longest_turns(told))
