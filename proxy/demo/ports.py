"""Free ports on loopback, found by a trial bind.

The trial bind does not set SO_REUSEPORT: with it the bind would succeed beside a proxy that listens on the
port already, and the two would share its connections.
"""

import socket
import sys
from collections.abc import Iterable
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"
TRIES = 200
"""Ports that are tried, at most."""


class NoFreePort(OSError):
    """An error: every port that was tried is in use."""


def listening(port: int) -> socket.socket | None:
    """Return a socket that listens on loopback at `port` (0: any); None when the port is in use."""
    trial = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform == "linux":
        # With this option a port is free although connections to it ended a moment ago, so that a second run
        # finds the same ports. Only Linux still refuses a port on which another socket listens.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        trial.bind((LOOPBACK, port))
        trial.listen(128)
    except OSError:
        trial.close()
        return None
    return trial


def first_listening(wanted: int) -> socket.socket:
    """Return a listening socket on `wanted` or the first free port above it; raise NoFreePort after 200."""
    for port in range(wanted, min(wanted + TRIES, 65_536)):
        if (found := listening(port)) is not None:
            return found
    raise NoFreePort(f"no free port on {LOOPBACK} from {wanted} to {wanted + TRIES - 1}")


def port_of(sock: socket.socket) -> int:
    """Return the port that a socket is bound to."""
    port: int = sock.getsockname()[1]
    return port


def free_ports(wanted: Iterable[int]) -> list[int]:
    """Return a free port for each wanted one (0: any), all different.

    The ports are closed again before this returns. Another program may take one of them, so the later bind
    may fail.
    """
    with ExitStack() as held:
        socks = [held.enter_context(first_listening(port) if port else _any_port()) for port in wanted]
        return [port_of(sock) for sock in socks]


def _any_port() -> socket.socket:
    sock = listening(0)
    if sock is None:
        raise NoFreePort(f"no free port on {LOOPBACK}")
    return sock
