"""A unix socket that clients connect to: a file, bound once and shared by all workers.

Paths have no SO_REUSEPORT, and the file stays when the program that bound it is killed. A file on which no
program listens any more is replaced; a file on which one listens is not.
"""

import errno
import os
import socket
import stat
from pathlib import Path

MODE = 0o666
"""As with a port, every user may connect; the permissions of the directory restrict that."""


class SocketFile:
    """A listening socket at a path.

    The constructor raises OSError: EADDRINUSE when a program listens there.
    """

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
        """Close this process's copy and remove the file, unless another program has replaced it."""
        self.socket.close()
        ours, self._identity = self._identity, None  # the next file may get the same inode
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
