"""The listening sockets, bound once for the life of the supervisor.

On Linux every worker has a socket of its own for each address (SO_REUSEPORT), so that the kernel spreads
connections without a lock and without waking all workers. The supervisor keeps a copy of each socket, so that
the connections in the queue of a dead worker stay for the next one. On other systems SO_REUSEPORT does not
spread connections, and all workers share one socket. They share a unix socket on every system.

SO_REUSEPORT also lets a second proxy of the same user bind the same port unnoticed and take half of the
traffic. Hence the trial: every address is bound once without that option, all at the same time, so that an
address that is named twice is found too.
"""

import contextlib
import errno
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from proxy.supervisor.plan import LaunchPlan, SocketAddress
from proxy.supervisor.socketfile import SocketFile

_QUEUE = 4096
"""Connections that may wait to be accepted; the kernel limits it further (net.core.somaxconn)."""

_LISTEN_KEY = "`listen:` or --listen"
_ADMIN_KEY = "`admin.listen:` or --admin"

_SPREADS = sys.platform == "linux"

_ADVICE = {
    errno.EADDRINUSE: "it is already in use: stop the program that uses it, or choose another with {key}",
    errno.EACCES: "not permitted: a port below 1024 takes root or CAP_NET_BIND_SERVICE; correct {key}",
    errno.EADDRNOTAVAIL: "this machine has no such address: correct {key}",
}
_PATH_ADVICE = {
    errno.EADDRINUSE: _ADVICE[errno.EADDRINUSE],
    errno.EACCES: "not permitted: the directory is not writable, or the socket there refuses connections; "
    "correct {key}",
    errno.ENOENT: "there is no such directory: create it, or correct {key}",
}


class CannotListen(Exception):
    """An error: an address can't be bound. The message names it and what to do."""


@dataclass(frozen=True, slots=True)
class Sockets:
    """All bound sockets."""

    workers: tuple[tuple[socket.socket, ...], ...]
    """For each worker its sockets, one for each address of `listen`."""
    admin: socket.socket
    link: socket.socket
    files: tuple[SocketFile, ...]
    """The unix sockets among them."""
    listen: tuple[SocketAddress, ...]
    """The addresses of the plan, with the port that the system chose in place of port 0."""
    admin_at: tuple[str, int]
    """The address of the admin API, with its port."""

    def close_listeners(self) -> None:
        """Close the supervisor's copies of the clients' sockets, and remove the files of unix sockets."""
        for sockets in self.workers:
            for each in sockets:
                each.close()
        for file in self.files:
            file.close()

    def close(self) -> None:
        """Close everything."""
        self.close_listeners()
        self.admin.close()
        self.link.close()


def bind(plan: LaunchPlan) -> Sockets:
    """Bind every address of the plan; raise CannotListen when one can't be bound."""
    listen, admin = _trial(plan)
    with contextlib.ExitStack() as undo:
        link = undo.enter_context(_bind_link(Path(plan.directory) / "link"))
        admin_socket = undo.enter_context(_bind(admin, _ADMIN_KEY))
        files = [
            undo.enter_context(contextlib.closing(_bind_path(each)))
            for each in listen
            if isinstance(each, str)
        ]
        shared = iter([file.socket for file in files] * plan.workers)
        sets = 1 if not _SPREADS else plan.workers
        bound = [
            tuple(
                next(shared)
                if isinstance(address, str)
                else undo.enter_context(_bind(address, _LISTEN_KEY, spread=_SPREADS))
                for address in listen
            )
            for _ in range(sets)
        ]
        undo.pop_all()
    workers = tuple(bound) if _SPREADS else tuple(bound * plan.workers)
    return Sockets(workers, admin_socket, link, tuple(files), listen, admin)


def _trial(plan: LaunchPlan) -> tuple[tuple[SocketAddress, ...], tuple[str, int]]:
    """Bind every port exclusively and close it again; return the addresses with their ports, and admin's."""
    with contextlib.ExitStack() as bound:

        def real(address: tuple[str, int], key: str) -> tuple[str, int]:
            return address[0], bound.enter_context(_bind(address, key)).getsockname()[1]

        listen = (each if isinstance(each, str) else real(each, _LISTEN_KEY) for each in plan.listen)
        return tuple(listen), real(plan.admin, _ADMIN_KEY)


def _bind(address: tuple[str, int], key: str, *, spread: bool = False) -> socket.socket:
    try:
        return _listening(*address, spread)
    except (OSError, UnicodeError) as error:
        raise _refusal(address, error, _ADVICE, key) from error


def _bind_path(path: str) -> SocketFile:
    try:
        return SocketFile(path, _QUEUE)
    except OSError as error:
        raise _refusal(path, error, _PATH_ADVICE, _LISTEN_KEY) from error


def _refusal(address: SocketAddress, error: Exception, advice: Mapping[int, str], key: str) -> CannotListen:
    known = advice.get(getattr(error, "errno", None) or 0, "{reason}: correct {key}")
    reason = getattr(error, "strerror", None) or str(error)
    return CannotListen(f"cannot listen on {display(address)}: {known.format(key=key, reason=reason)}")


def _listening(host: str, port: int, spread: bool) -> socket.socket:
    if host == "":
        return _everywhere(port, spread)
    family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    # A socket for a given IPv6 address takes IPv6 only, so that 0.0.0.0 and [::] may both be listed.
    return _open(family, where, spread, both=False)


def _everywhere(port: int, spread: bool) -> socket.socket:
    """Return one socket for IPv6 and IPv4, or for IPv4 only where the machine has no IPv6."""
    try:
        return _open(socket.AF_INET6, ("::", port), spread, both=True)
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT):
            raise
    return _open(socket.AF_INET, ("0.0.0.0", port), spread, both=False)


def _open(family: int, where: object, spread: bool, *, both: bool) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Without this option a restart fails for a minute, while connections are in TIME_WAIT.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if spread:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if both else 1)
        opened.bind(where)  # type: ignore[arg-type]  # as getaddrinfo gave it; its shape depends on the family
        opened.listen(_QUEUE)
        opened.setblocking(False)
    except BaseException:
        opened.close()
        raise
    return opened


def _bind_link(path: Path) -> socket.socket:
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        opened.bind(os.fspath(path))
        opened.listen(_QUEUE)
        opened.setblocking(False)
    except OSError as error:
        opened.close()
        raise CannotListen(f"cannot listen on {path}: {error}; set TMPDIR to another directory") from error
    return opened


def display(address: SocketAddress) -> str:
    """Return an address as the config has it: 127.0.0.1:8080, [::1]:8080, :8080, unix:/run/weir.sock."""
    if isinstance(address, str):
        return f"unix:{address}"
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def url(address: SocketAddress, *, secure: bool = False) -> str:
    """Return the URL of an address, with 0.0.0.0 for every interface; https if `secure`."""
    if isinstance(address, str):
        return display(address)
    host, port = address
    return f"{'https' if secure else 'http'}://{display((host or '0.0.0.0', port))}"
