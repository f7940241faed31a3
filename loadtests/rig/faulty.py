"""An origin that can be made faulty at a moment, and the process that it runs in: `loadtests/faulty.py`.

It answers every request after 20 ms. An order, one line on its second port, changes how: `well`, `fail`
(500), `hang` (accept and never answer), `slow` (three times as long) or `refuse` (no connection: the port is
closed, and what is open is reset). A request with Upgrade gets a tunnel, one for /stream an answer without an
end. The answer to an order is a line of JSON: when the fault began, how many requests came since then and
when the last did; an empty line asks for it and changes nothing. Times are monotonic seconds, which all
processes share.
"""

import asyncio
import json
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

from rig.origins import await_listening

from proxy.demo.ports import LOOPBACK, free_ports
from proxy.demo.processes import LifelineProcess

COMMAND = Path(__file__).parents[1] / "faulty.py"
DELAY = 0.02  # seconds
SLOWER = 3  # times
TICK = 0.05  # seconds from one piece of a stream to the next
MODES = ("well", "fail", "hang", "slow", "refuse")


@dataclass(slots=True)
class Seen:
    """What a fault met: requests that came since it began, the last of them and the fault in monotonic s."""

    mode: str = "well"
    fault: float | None = None
    met: int = 0
    last: float | None = None

    def order(self, mode: str) -> None:
        """A fault begins, or ends."""
        self.mode, self.fault, self.met, self.last = mode, time.monotonic(), 0, None

    def came(self) -> None:
        """Counts one request."""
        self.met += 1
        self.last = time.monotonic()


class Talk(asyncio.Protocol):
    """One connection. Requests have no body, and one comes after the other."""

    def __init__(self, faulty: "Faulty") -> None:
        self._faulty = faulty
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps it among those that a refusal resets."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass
        self._faulty.open.add(self._transport)

    def connection_lost(self, _: Exception | None) -> None:
        """Forgets it."""
        self._faulty.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        """Answers a whole head."""
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            self._asked(head.lower())

    def _asked(self, head: bytes) -> None:
        seen = self._faulty.seen
        seen.came()
        if seen.mode == "hang":
            return
        if b"\r\nupgrade:" in head:
            self._write(self._faulty.head("101 Switching", "Connection: upgrade\r\nUpgrade: websocket"))
        elif head.startswith(b"get /stream"):
            self._write(self._faulty.head("200 OK", "Transfer-Encoding: chunked"))
            self._stream()
        else:
            status = "500 Failed" if seen.mode == "fail" else "200 OK"
            answer = self._faulty.head(status, "Content-Length: 2") + b"ok"
            self._later(DELAY * (SLOWER if seen.mode == "slow" else 1), answer)

    def _later(self, seconds: float, data: bytes) -> None:
        asyncio.get_running_loop().call_later(seconds, self._write, data)

    def _stream(self) -> None:
        self._write(b"2\r\nok\r\n")
        if not self._transport.is_closing():
            asyncio.get_running_loop().call_later(TICK, self._stream)

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)


class Faulty:
    """The origin itself, in its own process."""

    def __init__(self, version: str, port: int) -> None:
        self.seen = Seen()
        self.open: set[asyncio.Transport] = set()
        self._version, self._port = version, port
        self._server: asyncio.Server | None = None

    def head(self, status: str, more: str) -> bytes:
        """A head that names the version."""
        return f"HTTP/1.1 {status}\r\nX-Version: {self._version}\r\n{more}\r\n\r\n".encode()

    async def listen(self) -> None:
        """Takes connections."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Talk(self), LOOPBACK, self._port, backlog=1024)

    def refuse(self) -> None:
        """Takes none any more, and has none."""
        if self._server:
            self._server.close()
        for transport in tuple(self.open):
            transport.abort()

    async def take_orders(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One order."""
        mode = (await reader.readline()).decode().strip()
        if mode:
            self.seen.order(mode)
        if mode == "refuse":
            self.refuse()
        writer.write(json.dumps(asdict(self.seen)).encode() + b"\n")
        writer.close()


class FaultyOrigin:
    """The origin as others see it: `order` it to be faulty, ask what it has `seen`."""

    kind = "20 ms each"

    def __init__(self, port: int, orders: int) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self._orders = orders

    def order(self, mode: str) -> Seen:
        """Changes how it answers from now on."""
        if mode not in MODES:
            raise ValueError(f"no such mode: {mode!r}; expected one of {', '.join(MODES)}")
        return self._say(mode)

    def seen(self) -> Seen:
        """Whom the fault met up to now."""
        return self._say("")

    def _say(self, line: str) -> Seen:
        with socket.create_connection((LOOPBACK, self._orders), 5.0) as connection:
            connection.sendall(f"{line}\n".encode())
            with connection.makefile() as answers:
                return Seen(**json.loads(answers.readline()))


@contextmanager
def faulty(version: str) -> Iterator[FaultyOrigin]:
    """A faulty origin on free ports, well as yet, and gone when this ends."""
    with ExitStack() as stack:
        made = stack.enter_context(tempfile.TemporaryDirectory(prefix="faulty-", ignore_cleanup_errors=True))
        port, orders = free_ports([0, 0])
        command = [sys.executable, str(COMMAND), version, str(port), str(orders)]
        arguments = ["--remove", made, "--", *command]
        child = LifelineProcess("faulty", "proxy.demo.lifeline_runner", arguments, Path(made) / "log")
        stack.callback(child.end)
        await_listening(child, orders)
        yield FaultyOrigin(port, orders)


async def serve(version: str, port: int, orders: int) -> None:
    """The origin until the process ends."""
    origin = Faulty(version, port)
    await origin.listen()
    server = await asyncio.start_server(origin.take_orders, LOOPBACK, orders)
    await server.serve_forever()
