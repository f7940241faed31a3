"""The file of a unix socket: whom it makes room for, and that it is gone at the end."""

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from proxy.supervisor.socketfile import SocketFile

pytestmark = pytest.mark.process


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weir.sock"


def calls(path: Path) -> int:
    """The errno of a connection to the path, 0 when it is there."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.setblocking(False)
        return caller.connect_ex(str(path))


def test_it_listens_and_is_gone_at_the_end(path: Path) -> None:
    file = SocketFile(str(path), 8)
    assert repr(file) == f"<SocketFile {path}>"
    assert calls(path) == 0
    assert not file.socket.getblocking()
    file.close()
    assert not path.exists()
    file.close()


def test_whoever_may_enter_the_directory_may_connect(path: Path) -> None:
    before = os.umask(0o077)
    try:
        file = SocketFile(str(path), 8)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666
    file.close()


def test_what_is_left_over_makes_room(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    assert path.exists()
    file = SocketFile(str(path), 8)
    assert calls(path) == 0
    file.close()


def test_somebody_who_listens_is_left_alone_even_with_a_full_queue(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_UNIX) as waiting:
        other.bind(str(path))
        other.listen(0)
        waiting.connect(str(path))
        for _ in range(2):
            with pytest.raises(OSError) as refused:
                SocketFile(str(path), 8)
            assert refused.value.errno == errno.EADDRINUSE
        assert path.exists()


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_what_is_no_socket_is_left_alone(path: Path, make: object) -> None:
    make(path)  # type: ignore[operator]
    with pytest.raises(OSError, match="a file that is no socket has this name"):
        SocketFile(str(path), 8)
    assert path.exists()


def test_another_programs_file_is_not_removed(path: Path) -> None:
    ours = SocketFile(str(path), 8)
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        ours.close()
        assert path.exists()


def test_what_goes_wrong_behind_the_bind_leaves_no_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(PermissionError):
        SocketFile(str(path), 8)
    assert not path.exists()
