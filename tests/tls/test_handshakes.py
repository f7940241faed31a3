"""Handshakes with clients: who becomes a connection, who does not, and what the transport must not lose."""

import asyncio
import select
import socket
import struct

from proxy.tls.handshakes import limit_buffers
from tests.kits.door import Door, Echo, end_of, until, with_a_door


@with_a_door()
async def test_who_completes_the_handshake_is_a_connection(door: Door) -> None:
    _, writer = await door.client()
    await until(lambda: door.met)
    assert door.met[0].transport.get_extra_info("ssl_object") is not None
    assert door.met[0].transport.get_extra_info("peername") == writer.get_extra_info("sockname")
    writer.write(b"hello")
    await until(lambda: door.met[0].got == b"hello")
    writer.transport.abort()


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
