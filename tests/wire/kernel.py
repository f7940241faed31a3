"""What the kernel knows of a connection: whether the other end has taken what was sent to it.

That is what a case waits for where segments have to arrive one by one, instead of for some time to pass.
Linux tells it through netlink (sock_diag(7)), 7 us a question. Elsewhere, and on unix sockets, nothing is
awaited, and segments may arrive together.
"""

import contextlib
import errno
import socket
import struct
from collections.abc import Iterable
from typing import NamedTuple

from proxy.demo.processes import wait_until

PATIENCE = 5.0

_NETLINK = getattr(socket, "AF_NETLINK", None)
_SOCK_DIAG, _BY_FAMILY, _REQUEST, _ERROR = 4, 20, 1, 2
_LISTEN = 10
_OPEN = (1, 8)  # ESTABLISHED, CLOSE_WAIT
_ANY_STATE = _ANY_COOKIE = 0xFFFFFFFF

MIB = bytes(1 << 20)

Address = tuple[str, int]


def await_taken(socks: Iterable[socket.socket]) -> None:
    """Returns once the peers of all these sockets have read everything that was sent to them, or are gone."""
    pairs = [pair for pair in map(_ends, socks) if pair is not None]
    if not pairs or _NETLINK is None:
        return
    with socket.socket(_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as asked:

        def taken() -> bool:
            while pairs and not _waiting(asked, *pairs[-1]):
                pairs.pop()
            return not pairs

        wait_until(taken, "what was sent is read", PATIENCE, pause=0.0002)


def fill(sock: socket.socket, most: int, block: bytes = MIB) -> int:
    """Sends the block until nobody takes any more for a while, or `most` bytes; how many were taken."""
    patience, sent = sock.gettimeout(), 0
    sock.settimeout(0.3)
    with contextlib.suppress(TimeoutError):
        while sent < most:
            sent += sock.send(block)
    sock.settimeout(patience)
    return sent


def pour(sock: socket.socket, size: int, block: bytes = MIB) -> None:
    """Sends so many bytes, each block within the socket's timeout: for `sendall` it holds for all of them."""
    for _ in range(size // len(block)):
        sock.sendall(block)
    sock.sendall(block[: size % len(block)])


def await_let_go(sock: socket.socket, seconds: float) -> None:
    """Returns once the peer has closed its end, even where its goodbye can't get through; Linux only."""
    ends = _ends(sock)
    if ends is None or _NETLINK is None:
        return
    ours, theirs = ends
    with socket.socket(_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as asked:
        wait_until(lambda: _ask(asked, theirs, ours).state not in _OPEN, "the connection is closed", seconds)


def _waiting(asked: socket.socket, ours: Address, theirs: Address) -> bool:
    """Whether bytes wait on their way: to be sent at our end, or to be read at the other."""
    return bool(_ask(asked, ours, theirs).to_send or _ask(asked, theirs, ours).to_read)


def _ends(sock: socket.socket) -> tuple[Address, Address] | None:
    try:
        return (sock.getsockname(), sock.getpeername()) if sock.family == socket.AF_INET else None
    except OSError:
        return None  # it is gone


class _Told(NamedTuple):
    """What is known of one socket; nothing of one that isn't there."""

    state: int = 0
    to_read: int = 0
    to_send: int = 0


def _ask(asked: socket.socket, local: Address, remote: Address) -> _Told:
    """What is known of the socket with these two ends."""
    ends = struct.pack("!HH4s12x4s12x", local[1], remote[1], _packed(local), _packed(remote))
    ends += struct.pack("=III", 0, _ANY_COOKIE, _ANY_COOKIE)
    question = struct.pack("=BBBxI", socket.AF_INET, socket.IPPROTO_TCP, 0, _ANY_STATE) + ends
    asked.send(struct.pack("=IHHII", 16 + len(question), _BY_FAMILY, _REQUEST, 1, 0) + question)
    answer = asked.recv(4096)
    if struct.unpack_from("=IH", answer)[1] == _ERROR:
        (code,) = struct.unpack_from("=i", answer, 16)
        assert code == -errno.ENOENT, f"sock_diag: {errno.errorcode.get(-code, code)}"
        return _Told()
    if answer[17] == _LISTEN:
        return _Told()  # the connection is gone, and this is the listener that would take another one
    return _Told(answer[17], *struct.unpack_from("=II", answer, 72))  # behind headers, ends and one timer


def _packed(address: Address) -> bytes:
    return socket.inet_aton(address[0])
