"""Breaking off: a TCP peer reads a reset and no end, and a unix socket is spared what it doesn't know."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from proxy.forwarding.connection import reset


class Transport:
    """Notes what is done to it and to its socket, in order."""

    def __init__(self, family: socket.AddressFamily | None = None) -> None:
        self.done = []
        self._family = family

    def get_extra_info(self, name: str) -> "Transport | None":
        assert name == "socket"
        return None if self._family is None else self

    @property
    def family(self) -> socket.AddressFamily:
        return self._family

    def setsockopt(self, *option: bytes | int) -> None:
        self.done.append(option)

    def abort(self) -> None:
        self.done.append("abort")


AT_ONCE = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    ("family", "done"),
    [
        (socket.AF_INET, [AT_ONCE, "abort"]),
        (socket.AF_INET6, [AT_ONCE, "abort"]),
        (socket.AF_UNIX, ["abort"]),
        (None, ["abort"]),
    ],
)
def test_what_is_done_to_a_connection(family: socket.AddressFamily | None, done: list[Any]) -> None:
    transport = Transport(family)
    reset(transport)
    assert transport.done == done


@pytest.mark.process
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_peer_reads_a_reset_behind_what_was_sent(loop: Callable[..., Any]) -> None:
    async def play() -> None:
        serving = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(lambda _, writer: serving.set_result(writer), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        ours = await serving
        ours.write(b"part")
        assert await reader.readexactly(4) == b"part"
        reset(ours.transport)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        server.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(play())
