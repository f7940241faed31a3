"""A unix socket that clients connect to: a file, bound once and shared by all workers.

There is no SO_REUSEPORT for paths, and a file outlives whoever bound it. One that nobody listens on any more
is left over from a program that was killed, and makes room; one that somebody listens on does not.
"""

import errno
import os
import socket
import stat
from pathlib import Path

MODE = 0o666
"""As with a port, whoever can get there may connect: the directory decides who that is."""


class SocketFile:
    """Binds the path and listens. OSError when it can't be had: EADDRINUSE when somebody listens there."""

    def __init__(self, path: str, queue: int) -> None:
        self._path = Path(path)
        _make_room(self._path)
        self._identity: tuple[int, int] | None = None
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.bind(path)
            self._identity = _identity(self._path)
            self._path.chmod(MODE)
            self.socket.listen(queue)
            self.socket.setblocking(False)
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"<SocketFile {self._path}>"

    def close(self) -> None:
        """Close this process's copy and remove the file, unless another program has put its own there."""
        self.socket.close()
        ours, self._identity = self._identity, None  # whoever comes next may be given the same inode
        if ours is not None and ours == _identity(self._path):
            self._path.unlink(missing_ok=True)


def _make_room(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(errno.EEXIST, "a file that is no socket has this name")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.setblocking(False)
        try:
            caller.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except BlockingIOError:  # its queue is full
            pass
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
