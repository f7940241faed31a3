"""Looking at sockets: what has come on them, whether their other end is gone, and what they still hold."""

import contextlib
import select
import socket
import struct
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from proxy.forwarding.peek import Peek, queued

pytestmark = pytest.mark.process


@contextlib.contextmanager
def tcp() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    with ours, theirs:
        yield ours, theirs


@contextlib.contextmanager
def unix() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture(params=[tcp, unix])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Our end of a connection, and the peer's."""
    with request.param() as ends:
        yield ends


def transport(ours: socket.socket) -> SimpleNamespace:
    return SimpleNamespace(get_extra_info={"socket": ours}.get)


def wait_for(ours: socket.socket, events: int = select.POLLIN) -> None:
    """Until the kernel knows: on the loopback that is at once, but nobody promises it."""
    poll = select.poll()
    poll.register(ours, events)
    assert poll.poll(5000)


def break_off(theirs: socket.socket) -> None:
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()


def test_nothing_has_come(pair: tuple[socket.socket, socket.socket]) -> None:
    peek = Peek(transport(pair[0]))
    assert (peek.arrived(), peek.ended()) == (False, False)


def test_bytes_have_come_and_stay_where_they_are(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    peek = Peek(transport(ours))
    theirs.sendall(b"x")
    wait_for(ours)
    for _ in range(2):
        assert (peek.arrived(), peek.ended()) == (True, False)
    assert ours.recv(10) == b"x"
    assert (peek.arrived(), peek.ended()) == (False, False)


@pytest.mark.skipif(not hasattr(select, "POLLRDHUP"), reason="only Linux tells of the end behind bytes")
@pytest.mark.parametrize("before", [b"", b"bytes that nobody has read"])
@pytest.mark.parametrize("end", [lambda one: one.shutdown(socket.SHUT_WR), socket.socket.close])
def test_the_end_has_come_behind_whatever_was_sent(
    pair: tuple[socket.socket, socket.socket], before: bytes, end: Callable[..., Any]
) -> None:
    ours, theirs = pair
    peek = Peek(transport(ours))
    theirs.sendall(before)
    end(theirs)
    wait_for(ours, select.POLLRDHUP)
    assert (peek.arrived(), peek.ended()) == (True, True)


@pytest.mark.parametrize("before", [b"", b"bytes that nobody has read"])
def test_a_reset_is_an_end(before: bytes) -> None:
    with tcp() as (ours, theirs):
        peek = Peek(transport(ours))
        theirs.sendall(before)
        break_off(theirs)
        wait_for(ours, select.POLLHUP)
        assert (peek.arrived(), peek.ended(), peek.broken()) == (True, True, True)


def test_one_that_ended_its_half_is_not_broken(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    peek = Peek(transport(ours))
    theirs.sendall(b"x")
    theirs.shutdown(socket.SHUT_WR)
    wait_for(ours)
    assert (peek.arrived(), peek.broken()) == (True, False)


@pytest.mark.skipif(not hasattr(select, "POLLRDHUP"), reason="only Linux tells of the end behind bytes")
def test_one_that_ends_as_we_have_is_not_broken(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    peek = Peek(transport(ours))
    ours.shutdown(socket.SHUT_WR)
    theirs.sendall(b"bytes that nobody has read")
    theirs.shutdown(socket.SHUT_WR)
    wait_for(ours, select.POLLRDHUP)
    assert (peek.ended(), peek.broken()) == (True, False)


def test_that_we_have_ended_is_not_the_peers_end(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, _ = pair
    peek = Peek(transport(ours))
    ours.shutdown(socket.SHUT_WR)
    assert (peek.arrived(), peek.ended(), peek.broken()) == (False, False, False)


def test_the_kernel_holds_what_the_peer_has_not_taken(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    assert queued(transport(ours)) == 0
    ours.setblocking(False)
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sent += ours.send(b"x" * 65_536)
    before = queued(transport(ours))
    assert before > 0
    theirs.settimeout(5)
    taken = 0
    while taken < sent:
        taken += len(theirs.recv(65_536))
    poll = select.poll()
    poll.register(ours, select.POLLOUT)
    assert poll.poll(5000)
    assert queued(transport(ours)) < before


def test_of_a_closed_socket_all_is_over(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, _ = pair
    ours.close()
    peek = Peek(transport(ours))
    assert (peek.arrived(), peek.ended(), peek.broken()) == (True, True, True)


@pytest.mark.parametrize("gone", [None, SimpleNamespace(fileno=lambda: -1)])
def test_a_closed_socket_holds_nothing(gone: SimpleNamespace | None) -> None:
    assert queued(SimpleNamespace(get_extra_info=lambda name: gone)) == 0
