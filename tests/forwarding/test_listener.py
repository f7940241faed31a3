"""A listener with real sockets: what it takes in, and that it lets nobody down when it drains."""

import asyncio
import contextlib
import pathlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from proxy.forwarding import listener as module
from proxy.forwarding.data_plane import DataPlane
from proxy.forwarding.listener import Entrance, Listener
from proxy.http1.forwarded_fields import Peers
from proxy.routing.table import RoutingTable
from proxy.telemetry.outcome import UNROUTED
from proxy.telemetry.tally import Tally
from proxy.tls.certificates import Certificates, renew
from proxy.tls.pem import Pair

GET = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
OK_CLOSE = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


class Origin:
    """An endpoint that answers each head when its gate is open."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = 0
        self.writers = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self.asked += 1
                await self.gate.wait()
                writer.write(self.answer)
                await writer.drain()
        writer.close()


class Place:
    """A listener, its socket and the origin behind it."""

    def __init__(
        self,
        listener: Listener,
        plane: DataPlane,
        origin: Origin,
        address: str | tuple[str, int],
        trusting: ssl.SSLContext | None,
    ) -> None:
        self.listener = listener
        self.trusting = trusting
        self.plane = plane
        self.origin = origin
        self.address = address

        self.logged = []
        self.own = "unix" if isinstance(address, str) else "127.0.0.1"

    def refused(self) -> dict[str, int]:
        """How many connections were turned away, by reason."""
        entries = self.plane.accounts.tally.everything()
        return {key[2]: counts.excluded for key, counts in entries.items() if key[0] == UNROUTED}

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        name = "localhost" if self.trusting else None
        if isinstance(self.address, str):
            return await asyncio.open_unix_connection(self.address, ssl=self.trusting, server_hostname=name)
        return await asyncio.open_connection(*self.address, ssl=self.trusting, server_hostname=name)

    async def until(self, condition: Callable[..., Any]) -> None:
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 - what is waited for is the kernel's doing
                await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def a_place(
    service: Callable[..., Any], answer: bytes, kind: str, path: Path, shop: Any, authority: Any
) -> AsyncIterator[Any]:
    origin = Origin(answer)
    server = await asyncio.start_server(origin.serve, "127.0.0.1", 0)
    endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    table = RoutingTable.build(1, [service(endpoints=(endpoint,))])
    plane = DataPlane(asyncio.get_running_loop(), table, Tally("boot"), lambda: None, "w1")
    if "unix" in kind:
        one = socket.socket(socket.AF_UNIX)
        one.bind(str(path))
        one.listen(64)
    else:
        one = socket.create_server(("127.0.0.1", 0), backlog=64)
    certificates, trusting = None, None
    if "tls" in kind:
        certificates = Certificates([Pair(shop.cert, shop.key)])
        renew([certificates])
        trusting = ssl.create_default_context(cafile=authority.cert)
    balancers = Peers(["127.0.0.1", "unix"]) if "balanced" in kind else None
    listener = Listener(plane, [Entrance(one, certificates, balancers)])
    place = Place(listener, plane, origin, one.getsockname(), trusting)
    await place.listener.open()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module.log, "warning", lambda text, *values: place.logged.append(text % values))
        yield place
    origin.gate.set()
    if not plane.draining:
        await place.listener.drain(0)
    server.close()
    for writer in origin.writers:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    await place.until(lambda: repr(place.listener).endswith(" 0 connections>"))


KINDS = ("tcp", "unix", "tls", "tls over unix")


def with_a_place(answer: bytes, *kinds: str) -> Callable[..., Callable[..., None]]:
    """Play the test on both kinds of event loop: their transports differ in small things."""

    def decorate(test: Callable[..., Any]) -> Callable[..., None]:
        @pytest.mark.parametrize("kind", kinds or ["tcp"])
        @pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
        def played(
            loop: Callable[..., Any],
            kind: str,
            service: Callable[..., Any],
            tmp_path: Path,
            shop: Any,
            authority: Any,
        ) -> None:
            async def play() -> None:
                async with a_place(service, answer, kind, tmp_path / "s", shop, authority) as place:
                    await test(place)

            with asyncio.Runner(loop_factory=loop) as runner:
                runner.run(play())

        return played

    return decorate


async def over(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Everything that still comes, up to the end."""
    rest = await reader.read()
    writer.close()
    await writer.wait_closed()
    return rest


@with_a_place(OK, *KINDS)
async def test_a_request_and_its_answer(place: Place) -> None:
    reader, writer = await place.connect()
    for _ in range(3):
        writer.write(GET)
        assert await reader.readexactly(len(OK)) == OK
    assert repr(place.listener) == "<Listener open, 1 connections>"
    assert len(place.origin.writers) == 1
    writer.close()
    await place.until(lambda: repr(place.listener) == "<Listener open, 0 connections>")


@with_a_place(OK)
async def test_draining_closes_idle_connections_and_takes_no_more(place: Place) -> None:
    reader, writer = await place.connect()
    writer.write(GET)
    await reader.readexactly(len(OK))
    await place.listener.drain(5)
    assert await over(reader, writer) == b""
    with pytest.raises(ConnectionRefusedError):
        await place.connect()
    assert repr(place.listener) == "<Listener draining, 0 connections>"
    assert repr(place.plane.pool) == "<Pool 0 idle, 0 pending>"


@with_a_place(OK, *KINDS)
async def test_draining_finishes_what_is_under_way(place: Place) -> None:
    place.origin.gate.clear()
    reader, writer = await place.connect()
    writer.write(GET)
    await place.until(lambda: place.origin.asked)
    draining = asyncio.create_task(place.listener.drain(5))
    await place.until(lambda: place.plane.draining)
    assert not draining.done()
    place.origin.gate.set()
    assert await over(reader, writer) == OK_CLOSE
    await draining


@with_a_place(OK)
async def test_draining_ends_after_its_grace_with_resets(place: Place) -> None:
    place.origin.gate.clear()
    reader, writer = await place.connect()
    writer.write(GET)
    await place.until(lambda: place.origin.asked)
    await place.listener.drain(0.05)
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    await place.until(lambda: repr(place.listener).endswith(" 0 connections>"))
    [counts] = place.plane.accounts.tally.everything().values()
    assert (counts.in_flight, counts.excluded) == (0, 1)


@with_a_place(OK)
async def test_clients_in_the_queue_are_served_while_draining(place: Place) -> None:
    clients = []
    for _ in range(20):  # no turn of the loop in between: the kernel has accepted them, nobody else has
        one = socket.create_connection(place.address)
        one.sendall(GET)
        clients.append(one)
    draining = asyncio.create_task(place.listener.drain(5))
    for one in clients:
        assert await over(*await asyncio.open_connection(sock=one)) == OK_CLOSE
    await draining


@with_a_place(OK, "unix", "tls over unix")
async def test_draining_leaves_the_path_of_a_unix_socket_to_its_owner(place: Place) -> None:
    reader, writer = await place.connect()
    writer.write(GET)
    assert await reader.readexactly(len(OK)) == OK
    await place.listener.drain(5)
    assert await over(reader, writer) == b""
    assert pathlib.Path(place.address).is_socket()  # noqa: ASYNC240 - a look at a directory


@with_a_place(OK, "tls")
async def test_clients_on_their_way_in_are_served_while_draining(place: Place) -> None:
    late = socket.create_connection(place.address)
    (arrivals,) = place.listener.arrivals.values()
    await place.until(lambda: repr(arrivals) == "<Arrivals 1 under way>")
    draining = asyncio.create_task(place.listener.drain(10))
    await place.until(lambda: place.plane.draining)
    reader, writer = await asyncio.open_connection(sock=late, ssl=place.trusting, server_hostname="localhost")
    assert not draining.done()
    writer.write(GET)
    assert await over(reader, writer) == OK_CLOSE
    await draining


@with_a_place(OK, "tls")
async def test_clients_on_their_way_in_that_ask_for_nothing_do_not_hold_up_the_drain(place: Place) -> None:
    late = socket.create_connection(place.address)
    (arrivals,) = place.listener.arrivals.values()
    await place.until(lambda: repr(arrivals) == "<Arrivals 1 under way>")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("proxy.forwarding.deadlines.LINGER_SECONDS", 0.1)
        draining = asyncio.create_task(place.listener.drain(60))
        await place.until(lambda: place.plane.draining)
        reader, writer = await asyncio.open_connection(
            sock=late, ssl=place.trusting, server_hostname="localhost"
        )
        async with asyncio.timeout(20):
            assert await over(reader, writer) == b""
            await draining


@with_a_place(OK, "tls")
async def test_a_handshake_that_stalls_holds_up_the_drain_no_longer_than_its_grace(place: Place) -> None:
    stalled = socket.create_connection(place.address)
    stalled.setblocking(False)
    (arrivals,) = place.listener.arrivals.values()
    await place.until(lambda: repr(arrivals) == "<Arrivals 1 under way>")
    await place.listener.drain(0.05)
    assert await asyncio.get_running_loop().sock_recv(stalled, 1) == b""
    stalled.close()


@with_a_place(OK, "tls")
async def test_as_many_handshakes_as_there_may_be_connections(place: Place) -> None:
    place.plane.connections = 100
    assert place.listener.members.room() == 100
    _, writer = await place.connect()
    await place.until(lambda: place.listener.members.room() == 99)
    writer.close()


@with_a_place(OK)
async def test_a_client_in_the_queue_that_is_gone_stops_nothing(place: Place) -> None:
    gone, there = socket.create_connection(place.address), socket.create_connection(place.address)
    gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    gone.close()
    there.sendall(GET)
    draining = asyncio.create_task(place.listener.drain(5))
    assert await over(*await asyncio.open_connection(sock=there)) == OK_CLOSE
    await draining


@with_a_place(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
async def test_a_cut_answer_reads_as_a_reset(place: Place) -> None:
    reader, writer = await place.connect()
    writer.write(GET.replace(b"1.1", b"1.0"))
    await place.until(lambda: place.origin.asked)
    assert (await reader.readuntil(b"hello")).endswith(b"hello")
    for one in place.origin.writers:
        one.close()
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


SIZE = 4_000_000


@with_a_place(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (SIZE, b"x" * SIZE), *KINDS)
async def test_a_reader_that_takes_its_time_gets_all_of_it(place: Place) -> None:
    for minor in (b"1.0", b"1.1"):
        reader, writer = await place.connect()
        writer.write(GET.replace(b"1.1", minor))
        head = await reader.readuntil(b"\r\n\r\n")
        assert (b"Connection: close" in head) is (minor == b"1.0")
        assert len(await reader.readexactly(SIZE)) == SIZE
        writer.close()
        await writer.wait_closed()


@with_a_place(OK)
async def test_connections_over_the_limit_are_told_so_and_take_nobodys_room(place: Place) -> None:
    place.plane.connections = 1
    first, second = await place.connect(), await place.connect()
    assert (await second[0].readuntil(b"\r\n")).startswith(b"HTTP/1.1 503 ")
    assert repr(place.listener) == "<Listener open, 2 connections>"
    first[1].close()
    await place.until(lambda: repr(place.listener) == "<Listener open, 1 connections>")
    reader, writer = await place.connect()
    writer.write(GET)
    assert await reader.readexactly(len(OK)) == OK
    for one in (writer, second[1]):
        one.close()


PROXY = b"PROXY TCP4 192.0.2.7 10.0.0.1 50000 443\r\n"


async def through_a_balancer(
    place: Place, before: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that a balancer has made, and TLS behind its header."""
    if isinstance(place.address, str):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(place.address)
    else:
        connection = socket.create_connection(place.address)
    connection.sendall(before)
    name = "localhost" if place.trusting else None
    return await asyncio.open_connection(sock=connection, ssl=place.trusting, server_hostname=name)


async def turned_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Wait for the end, a reset perhaps, before which nothing came."""
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
    with contextlib.suppress(ConnectionResetError):
        await writer.wait_closed()


async def named_by_a_balancer(place: Place) -> None:
    for before, client in ((PROXY, "192.0.2.7"), (b"PROXY UNKNOWN\r\n", place.own)):
        reader, writer = await through_a_balancer(place, before)
        writer.write(GET)
        assert await reader.readexactly(len(OK)) == OK
        [member] = place.listener.members
        assert member.client == client
        writer.close()
        await place.until(lambda: not len(place.listener.members))


@with_a_place(OK, "balanced")
async def test_a_balancer_names_the_client(place: Place) -> None:
    await named_by_a_balancer(place)


@with_a_place(OK, "balanced tls")
async def test_a_balancer_names_the_client_before_tls(place: Place) -> None:
    await named_by_a_balancer(place)


@with_a_place(OK, "balanced unix")
async def test_a_balancer_on_a_unix_socket_names_the_client(place: Place) -> None:
    await named_by_a_balancer(place)


@with_a_place(OK, "balanced")
async def test_a_connection_without_the_header_is_closed_and_counted(place: Place) -> None:
    for before in (GET, b"PROXY TCP4 nonsense\r\n", GET):
        reader, writer = await through_a_balancer(place, before)
        await turned_away(reader, writer)
    assert place.refused() == {"proxy-protocol": 3}
    assert place.logged == [
        "a connection was refused where the PROXY protocol is spoken: "
        "it does not begin with a header of the PROXY protocol"
    ], "now and then, and not for each"
    assert place.origin.asked == 0


@with_a_place(OK, "balanced")
async def test_a_stranger_names_nobody(place: Place) -> None:
    (arrivals,) = place.listener.arrivals.values()
    stranger = socket.socket()
    stranger.bind(("127.0.0.2", 0))
    stranger.connect(place.address)
    stranger.sendall(PROXY + GET)
    reader, writer = await asyncio.open_connection(sock=stranger)
    await turned_away(reader, writer)
    await place.until(lambda: repr(arrivals) == "<Arrivals 0 under way>")
    assert place.refused() == {"proxy-protocol": 1}
    assert "127.0.0.2 is not among those that `proxy_protocol` names" in place.logged[0]
    assert place.origin.asked == 0


@with_a_place(OK, "balanced")
async def test_a_header_that_does_not_come_is_not_awaited_for_ever(place: Place) -> None:
    place.plane.header_seconds = 0.05
    reader, writer = await through_a_balancer(place, PROXY[:10])
    await turned_away(reader, writer)
    assert place.refused() == {"proxy-protocol": 1}
    assert "its header did not come in time" in place.logged[0]


@with_a_place(OK, "balanced")
async def test_a_look_whether_somebody_listens_is_no_refusal(place: Place) -> None:
    (arrivals,) = place.listener.arrivals.values()
    socket.create_connection(place.address).close()
    reader, writer = await through_a_balancer(place, b"")
    await place.until(lambda: repr(arrivals) == "<Arrivals 1 under way>")
    writer.close()
    await place.until(lambda: repr(arrivals) == "<Arrivals 0 under way>")
    assert (place.refused(), place.logged) == ({}, [])
    assert await reader.read() == b""


@with_a_place(OK, "balanced tls")
async def test_a_handshake_that_fails_behind_the_header_is_one_of_tls(place: Place) -> None:
    connection = socket.create_connection(place.address)
    connection.sendall(PROXY + GET)
    reader, writer = await asyncio.open_connection(sock=connection)
    await turned_away(reader, writer)
    await place.until(lambda: place.refused() == {"handshake": 1})
