"""Clients that speak TLS come in, each by itself: who stalls or fails holds up nobody and leaves nothing."""

import asyncio
import contextlib
import errno
import os
import select
import socket
import ssl
import stat
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from proxy.tls import handshakes as module
from proxy.tls.certificates import Certificates, renew
from proxy.tls.handshakes import Handshakes, limit_buffers
from proxy.tls.pem import Pair
from tests.kits.authority import Authority, Issued


class Echo(asyncio.Protocol):
    """A connection that came in."""

    def __init__(self, met: list["Echo | str"]) -> None:
        self.met = met
        self.got = b""
        self.lost = asyncio.get_running_loop().create_future()
        self.full = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.met.append(self)

    def data_received(self, data: bytes) -> None:
        self.got += data

    def eof_received(self) -> None:
        self.met.append("eof")

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False

    def connection_lost(self, error: ConnectionResetError | None) -> None:
        self.lost.set_result(error)


class Entrance(socket.socket):
    """A listening socket for which there may be no file descriptor left."""

    exhausted = False
    refused = 0

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        if self.exhausted:
            self.refused += 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


class Door:
    """A socket whose clients come in by handshakes."""

    def __init__(self, pair: Issued, authority: Authority, seconds: float) -> None:
        certificates = Certificates([Pair(pair.cert, pair.key)])
        renew([certificates])
        self.met = []
        self.room = 1000
        self.socket = Entrance(fileno=socket.create_server(("127.0.0.1", 0), backlog=64).detach())
        self.address = self.socket.getsockname()
        self.failed = []
        self.handshakes = Handshakes(
            self.socket,
            certificates,
            lambda: Echo(self.met),
            lambda: seconds,
            lambda: self.room,
            lambda: self.failed.append(1),
        )
        self.trusting = ssl.create_default_context(cafile=authority.cert)

    async def client(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.address, ssl=self.trusting, server_hostname="localhost")

    def stalled(self) -> socket.socket:
        """A client that connects and says nothing."""
        one = socket.create_connection(self.address)
        one.setblocking(False)
        return one

    async def under_way(self, number: int) -> None:
        await until(lambda: repr(self.handshakes) == f"<Handshakes {number} under way>")


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for is the kernel's doing
            await asyncio.sleep(0.001)


async def end_of(sock: socket.socket) -> None:
    """Waits for the end of a stalled client's connection."""
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(10):
            assert await asyncio.get_running_loop().sock_recv(sock, 100) == b""
    sock.close()


def sockets() -> int:
    """How many file descriptors of this process are sockets."""
    found = 0
    for path in Path("/dev/fd").iterdir():
        with contextlib.suppress(OSError):  # that of the directory itself
            found += stat.S_ISSOCK(os.fstat(int(path.name)).st_mode)
    return found


Story = Callable[[Door], Awaitable[None]]


def with_a_door(seconds: float = 30.0) -> Callable[[Story], Callable[..., None]]:
    """Play the test on both kinds of event loop; at its end no socket may be left."""

    def decorate(test: Story) -> Callable[..., None]:
        @pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
        def played(loop: Callable[[], asyncio.AbstractEventLoop], shop: Issued, authority: Authority) -> None:
            async def play() -> None:
                before = sockets()
                door = Door(shop, authority, seconds)
                door.handshakes.open()
                async with asyncio.timeout(20):
                    await test(door)
                door.handshakes.close()
                door.socket.close()
                await door.handshakes.wait_closed(0)
                await door.under_way(0)
                for one in door.met:
                    if isinstance(one, Echo):
                        one.transport.abort()
                        await one.lost
                await until(lambda: sockets() <= before)

            with asyncio.Runner(loop_factory=loop) as runner:
                runner.run(play())

        return played

    return decorate


@with_a_door()
async def test_who_completes_the_handshake_is_a_connection(door: Door) -> None:
    _, writer = await door.client()
    await until(lambda: door.met)
    assert door.met[0].transport.get_extra_info("ssl_object") is not None
    assert door.met[0].transport.get_extra_info("peername") == writer.get_extra_info("sockname")
    writer.write(b"hello")
    await until(lambda: door.met[0].got == b"hello")
    writer.transport.abort()


@with_a_door()
async def test_those_who_stall_hold_up_nobody(door: Door) -> None:
    stalled = [door.stalled() for _ in range(50)]
    await door.under_way(50)
    for number in range(1, 4):
        _, writer = await door.client()
        await until(lambda number=number: len(door.met) == number)
        writer.transport.abort()
    await door.under_way(50)
    for one in stalled:
        one.close()
    await door.under_way(0)


@with_a_door(seconds=0.1)
async def test_a_handshake_ends_in_time(door: Door) -> None:
    stalled, slow = door.stalled(), door.stalled()
    slow.send(b"\x16\x03\x01")
    await end_of(stalled)
    await end_of(slow)
    await door.under_way(0)
    assert door.met == []


@with_a_door()
async def test_who_speaks_no_tls_is_let_go(door: Door) -> None:
    plain = door.stalled()
    plain.send(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
    await end_of(plain)
    await door.under_way(0)
    assert door.met == []
    assert door.failed == [1]


@with_a_door()
async def test_who_resets_within_the_handshake_leaves_nothing(door: Door) -> None:
    gone = door.stalled()
    await door.under_way(1)
    gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    gone.close()
    await door.under_way(0)


@with_a_door()
async def test_the_oldest_makes_room_when_there_are_too_many(door: Door) -> None:
    door.room = module.FEWEST + 1
    stalled = [door.stalled() for _ in range(door.room)]
    await door.under_way(door.room)
    _, writer = await door.client()
    await end_of(stalled[0])
    await until(lambda: door.met)
    await door.under_way(module.FEWEST)
    writer.transport.abort()
    for one in stalled[1:]:
        one.close()


@with_a_door()
async def test_a_burst_makes_no_more_room_than_there_is(door: Door) -> None:
    door.room = module.FEWEST
    stalled = [door.stalled() for _ in range(2 * module.FEWEST - 4)]
    await asyncio.gather(*(end_of(one) for one in stalled[: -module.FEWEST]))
    await door.under_way(module.FEWEST)
    assert len(door.failed) == len(stalled) - module.FEWEST
    for one in stalled:
        one.close()


@with_a_door()
async def test_some_accept_some_even_when_there_is_no_room_to_be_told_so(door: Door) -> None:
    door.room = 0
    stalled = [door.stalled() for _ in range(module.FEWEST)]
    await door.under_way(module.FEWEST)
    for one in stalled:
        one.close()


@with_a_door()
async def test_closing_takes_in_who_queues_and_nobody_after_that(door: Door) -> None:
    asyncio.get_running_loop().remove_reader(door.socket)
    _, writer = await hurried(door)
    await until(lambda: door.met)
    writer.transport.abort()
    late = door.stalled()
    for _ in range(5):
        await asyncio.sleep(0)
    assert repr(door.handshakes) == "<Handshakes 0 under way>"
    late.close()


async def hurried(door: Door) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that is in the queue when the door closes."""
    queued = in_the_queue(door)
    door.handshakes.close()
    return await asyncio.open_connection(sock=queued, ssl=door.trusting, server_hostname="localhost")


@with_a_door()
async def test_who_is_on_the_way_in_at_the_end_is_awaited_then_cut(door: Door) -> None:
    stalled = door.stalled()
    await door.under_way(1)
    await door.handshakes.wait_closed(0.05)
    await end_of(stalled)


@with_a_door()
async def test_who_is_cut_before_the_first_step_leaves_nothing(door: Door) -> None:
    client = in_the_queue(door)
    door.handshakes.close()  # accepts it at once
    begun = asyncio.all_tasks() - {asyncio.current_task()}
    assert len(begun) == 1
    begun.pop().cancel()
    await end_of(client)


@with_a_door()
async def test_without_a_file_descriptor_it_pauses_and_goes_on(door: Door) -> None:
    pause, module.RETRY_SECONDS = module.RETRY_SECONDS, 0.5
    door.socket.exhausted = True
    try:
        coming = asyncio.ensure_future(door.client())
        await until(lambda: door.socket.refused)
        for _ in range(5):
            await asyncio.sleep(0)
        assert door.socket.refused == 1, "it doesn't try again at once"
        door.socket.exhausted = False
        _, writer = await coming
        await until(lambda: door.met)
    finally:
        module.RETRY_SECONDS = pause
    writer.transport.abort()


@with_a_door()
async def test_what_came_before_the_end_is_not_lost_while_it_is_not_read(door: Door) -> None:
    """uvloop would throw it away; see `limit_buffers`."""
    _, writer = await door.client()
    await until(lambda: door.met)
    (one,) = door.met
    one.transport.pause_reading()
    client = writer.transport.get_extra_info("socket")
    writer.write(b"x" * 1000)
    await until(lambda: queued(one) > 0)
    writer.transport.abort()  # the end of the stream, right behind the data
    await until(lambda: client.fileno() < 0 and ended(one))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not one.lost.done()
    one.transport.resume_reading()
    await one.lost
    assert one.got == b"x" * 1000


def in_the_queue(door: Door) -> socket.socket:
    """A client that has connected and waits to be accepted, in this very turn of the event loop."""
    client = door.stalled()
    assert select.select([door.socket], [], [], 10)[0]
    return client


def ended(one: Echo) -> bool:
    """Whether the end of the stream has come for a connection, as the kernel knows it."""
    poll = select.poll()
    poll.register(one.transport.get_extra_info("socket"), getattr(select, "POLLRDHUP", select.POLLHUP))
    return bool(poll.poll(0))


def queued(one: Echo) -> int:
    """Bytes that have come for a connection and were not given to it."""
    return one.transport.get_read_buffer_size() if hasattr(one.transport, "get_read_buffer_size") else 1


@with_a_door()
async def test_a_slow_reader_has_the_sender_pause_early(door: Door) -> None:
    _, writer = await door.client()
    await until(lambda: door.met)
    (one,) = door.met
    writer.transport.pause_reading()
    while not one.full:
        one.transport.write(b"z" * 65536)
        await asyncio.sleep(0)
    assert one.transport.get_write_buffer_size() < 192 * 1024
    writer.transport.abort()


def test_the_bounds_are_those_that_the_transport_is_told() -> None:
    class Transport(asyncio.Transport):
        def set_read_buffer_limits(self, high: int, low: int) -> None:
            self.read = (high, low)

        def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
            self.write_limits = (high, low)

    transport = Transport()
    limit_buffers(transport)
    assert transport.read == (1, 0)
    assert transport.write_limits == (65536, 16384)
