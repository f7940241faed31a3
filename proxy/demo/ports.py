"""Which port is free?

A trial bind answers, and it does without SO_REUSEPORT: with that option the bind would succeed beside a
proxy that is already listening there, and the two would share its connections.
"""

import socket
import sys
from collections.abc import Iterable
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"
TRIES = 200


class NoFreePort(OSError):
    """Every port that was tried is in use."""


def listening(port: int) -> socket.socket | None:
    """A socket that listens on loopback at `port` (0: any), or None when somebody else does already."""
    trial = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform == "linux":
        # Only Linux refuses a listening neighbour in spite of this option; it forgives connections that
        # have ended a moment ago, so that a second run finds the same ports again.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        trial.bind((LOOPBACK, port))
        trial.listen(128)
    except OSError:
        trial.close()
        return None
    return trial


def first_listening(wanted: int) -> socket.socket:
    """A listening socket on `wanted` or the first free port above it; NoFreePort after 200 of them."""
    for port in range(wanted, min(wanted + TRIES, 65_536)):
        if (found := listening(port)) is not None:
            return found
    raise NoFreePort(f"no free port on {LOOPBACK} from {wanted} to {wanted + TRIES - 1}")


def port_of(sock: socket.socket) -> int:
    """The port a socket is bound to."""
    port: int = sock.getsockname()[1]
    return port


def free_ports(wanted: Iterable[int]) -> list[int]:
    """One free port for each wanted one (0: any), all different.

    The ports are given back before this returns: somebody may take one in between, and whoever binds it
    next has to be ready for that.
    """
    with ExitStack() as held:
        socks = [held.enter_context(first_listening(port) if port else _any_port()) for port in wanted]
        return [port_of(sock) for sock in socks]


def _any_port() -> socket.socket:
    sock = listening(0)
    if sock is None:
        raise NoFreePort(f"no free port on {LOOPBACK}")
    return sock
