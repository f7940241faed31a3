"""What is bound, and what is said when it can't be."""

import contextlib
import errno
import os
import socket
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.supervisor import sockets
from proxy.supervisor.plan import LaunchPlan
from proxy.supervisor.sockets import CannotListen, Sockets, bind, display, url

pytestmark = pytest.mark.process

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux spreads connections by SO_REUSEPORT")


@pytest.fixture
def plan(tmp_path: Path) -> LaunchPlan:
    return LaunchPlan(
        listen=(("127.0.0.1", 0),),
        admin=("127.0.0.1", 0),
        workers=2,
        directory=str(tmp_path),
        config="",
        source="weir.yaml",
        state="",
        delay=0,
        grace=1,
        log_level="info",
    )


@contextlib.contextmanager
def bound(plan: LaunchPlan) -> Iterator[Sockets]:
    sockets = bind(plan)
    try:
        yield sockets
    finally:
        sockets.close()


@contextlib.contextmanager
def taken(host: str = "127.0.0.1", *, share: bool = False) -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as other:
        if share:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind((host, 0))
        other.listen()
        yield other.getsockname()[1]


def reaches(port: int, host: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True


def test_one_socket_for_each_worker_on_the_same_port(plan: LaunchPlan) -> None:
    with bound(plan) as all_of_them:
        assert len(all_of_them.workers) == 2
        assert {each.getsockname() for (each,) in all_of_them.workers} == set(all_of_them.listen)
        assert all_of_them.listen[0][1] > 0
        assert all_of_them.admin.getsockname() == all_of_them.admin_at
        assert reaches(all_of_them.listen[0][1])
        assert reaches(all_of_them.admin_at[1])


@linux
def test_the_kernel_spreads_connections_over_the_workers(plan: LaunchPlan) -> None:
    with bound(plan) as all_of_them:
        one, two = (each for (each,) in all_of_them.workers)
        assert one.fileno() != two.fileno()
        clients = [socket.create_connection(all_of_them.listen[0]) for _ in range(64)]
        for worker in (one, two):
            worker.accept()[0].close()
        for client in clients:
            client.close()


def test_elsewhere_one_socket_is_shared(plan: LaunchPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "_SPREADS", False)
    with bound(plan) as all_of_them:
        assert all_of_them.workers[0] == all_of_them.workers[1]


def test_after_closing_the_listeners_the_rest_is_open(plan: LaunchPlan) -> None:
    with bound(plan) as all_of_them:
        all_of_them.close_listeners()
        assert not reaches(all_of_them.listen[0][1])
        assert reaches(all_of_them.admin_at[1])


def test_the_link_listens_in_the_private_directory(plan: LaunchPlan, tmp_path: Path) -> None:
    with bound(plan), socket.socket(socket.AF_UNIX) as worker:
        assert stat.S_ISSOCK((tmp_path / "link").stat().st_mode)
        worker.connect(os.fspath(tmp_path / "link"))


@pytest.mark.parametrize("share", [False, True], ids=["alone", "sharing"])
def test_a_port_in_use_is_named(plan: LaunchPlan, share: bool) -> None:
    with taken(share=share) as port:
        with pytest.raises(CannotListen) as refused:
            bind(replace(plan, listen=(("127.0.0.1", port),)))
        assert str(refused.value) == (
            f"cannot listen on 127.0.0.1:{port}: it is already in use: "
            "stop the program that uses it, or choose another with `listen:` or --listen"
        )
        with pytest.raises(CannotListen, match=f"127.0.0.1:{port}: .* `admin.listen:` or --admin"):
            bind(replace(plan, admin=("127.0.0.1", port)))


def test_a_second_proxy_on_the_same_port_is_refused_and_the_first_goes_on(
    plan: LaunchPlan, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    with bound(plan) as first:
        with pytest.raises(CannotListen, match="already in use"):
            bind(replace(plan, listen=first.listen, directory=str(tmp_path / "second")))
        assert reaches(first.listen[0][1])


def test_an_address_named_twice_is_refused(plan: LaunchPlan) -> None:
    with taken() as port:
        pass
    with pytest.raises(CannotListen, match="already in use"):
        bind(replace(plan, listen=(("127.0.0.1", port), ("127.0.0.1", port))))
    with pytest.raises(CannotListen, match=r"admin.listen"):
        bind(replace(plan, listen=(("127.0.0.1", port),), admin=("127.0.0.1", port)))


def test_a_failure_lets_go_of_everything(plan: LaunchPlan) -> None:
    with taken() as port:
        pass
    with taken() as busy, pytest.raises(CannotListen):
        bind(replace(plan, listen=(("127.0.0.1", port), ("127.0.0.1", busy))))
    with bound(replace(plan, listen=(("127.0.0.1", port),))):
        assert reaches(port)


def test_a_restart_binds_over_connections_in_time_wait(plan: LaunchPlan) -> None:
    with bound(plan) as first:
        (listener,) = first.workers[0]
        clients = [socket.create_connection(first.listen[0]) for _ in range(64)]
        listener.setblocking(True)
        accepted, _ = listener.accept()
        accepted.close()  # this side closes first, so the port stays in TIME_WAIT
        for client in clients:
            client.close()
    (Path(plan.directory) / "link").unlink()
    with bound(replace(plan, listen=first.listen)):
        assert reaches(first.listen[0][1])


def test_every_interface_means_ipv4_and_ipv6(plan: LaunchPlan) -> None:
    with bound(replace(plan, listen=(("", 0),))) as all_of_them:
        port = all_of_them.listen[0][1]
        assert reaches(port)
        if all_of_them.workers[0][0].family == socket.AF_INET6:
            assert reaches(port, "::1")


def test_without_ipv6_every_interface_means_ipv4(plan: LaunchPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket

    def without(family: int = -1, *args: int, **more: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return real(family, *args, **more)

    monkeypatch.setattr(sockets.socket, "socket", without)
    with bound(replace(plan, listen=(("", 0),))) as all_of_them:
        assert all_of_them.workers[0][0].getsockname()[0] == "0.0.0.0"


def test_ipv6_by_name_leaves_ipv4_to_another(plan: LaunchPlan) -> None:
    with taken("0.0.0.0") as port:
        try:
            with bound(replace(plan, listen=(("::", port),))) as all_of_them:
                assert reaches(port, "::1")
                assert all_of_them.workers[0][0].family == socket.AF_INET6
        except CannotListen as error:
            pytest.skip(f"this machine has no IPv6: {error}")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("192.0.2.1", "cannot listen on 192.0.2.1:8080: this machine has no such address: correct"),
        ("no.such.host.invalid", "cannot listen on no.such.host.invalid:8080: "),
        ("a..b", "cannot listen on a..b:8080: "),
    ],
)
def test_hosts_that_are_not_ours(plan: LaunchPlan, host: str, expected: str) -> None:
    with pytest.raises(CannotListen) as refused:
        bind(replace(plan, listen=((host, 8080),)))
    assert str(refused.value).startswith(expected)
    assert str(refused.value).endswith("correct `listen:` or --listen")


def test_a_forbidden_port_says_who_may(plan: LaunchPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_: object) -> socket.socket:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(sockets, "_listening", forbid)
    with pytest.raises(
        CannotListen, match=r"not permitted: a port below 1024 takes root or CAP_NET_BIND_SERVICE"
    ):
        bind(plan)


def test_a_directory_too_deep_for_a_unix_socket(plan: LaunchPlan, tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    with pytest.raises(CannotListen, match="set TMPDIR to another directory"):
        bind(replace(plan, directory=str(deep)))


@pytest.mark.parametrize(
    ("address", "text", "link"),
    [
        (("127.0.0.1", 8080), "127.0.0.1:8080", "http://127.0.0.1:8080"),
        (("", 80), ":80", "http://0.0.0.0:80"),
        (("::1", 80), "[::1]:80", "http://[::1]:80"),
        ("/run/weir.sock", "unix:/run/weir.sock", "unix:/run/weir.sock"),
    ],
)
def test_as_a_person_writes_it(address: tuple[str, int] | str, text: str, link: str) -> None:
    assert (display(address), url(address)) == (text, link)


def test_with_tls_the_link_says_so() -> None:
    assert url(("", 8443), secure=True) == "https://0.0.0.0:8443"
    assert url("/run/weir.sock", secure=True) == "unix:/run/weir.sock"


def reaches_path(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as caller:
        return caller.connect_ex(str(path)) == 0


@pytest.mark.parametrize("spreads", [True, False])
def test_all_workers_share_one_unix_socket(
    plan: LaunchPlan, tmp_path: Path, spreads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "_SPREADS", spreads)
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    with bound(replace(plan, listen=(one, ("127.0.0.1", 0), two))) as all_of_them:
        assert [each.getsockname() for each in all_of_them.workers[0]] == [one, all_of_them.listen[1], two]
        assert all_of_them.workers[0][0] is all_of_them.workers[1][0]
        assert all_of_them.workers[0][2] is all_of_them.workers[1][2]
        assert all_of_them.listen[0] == one
        assert reaches_path(tmp_path / "one")


def test_the_file_of_a_unix_socket_goes_with_the_listeners(plan: LaunchPlan, tmp_path: Path) -> None:
    path = tmp_path / "weir.sock"
    with bound(replace(plan, listen=(str(path),))) as all_of_them:
        all_of_them.close_listeners()
        assert not path.exists()
        with socket.socket(socket.AF_UNIX) as next_one:
            next_one.bind(str(path))
            all_of_them.close()
            assert path.exists(), "whoever came next keeps its file"


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("live", "it is already in use: stop the program that uses it, or choose another with `listen:`"),
        ("file", "a file that is no socket has this name: correct `listen:`"),
        ("no/such", "there is no such directory: create it, or correct `listen:`"),
    ],
)
def test_paths_that_are_not_ours(plan: LaunchPlan, tmp_path: Path, where: str, said: str) -> None:
    (tmp_path / "file").write_text("mine")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "live"))
        other.listen()
        with pytest.raises(CannotListen) as refused:
            bind(replace(plan, listen=(str(tmp_path / where),)))
    assert str(refused.value).startswith(f"cannot listen on unix:{tmp_path / where}: {said}")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_path_named_twice_is_refused(plan: LaunchPlan, tmp_path: Path) -> None:
    path = tmp_path / "weir.sock"
    with pytest.raises(CannotListen, match="already in use"):
        bind(replace(plan, listen=(str(path), str(path))))
    assert not path.exists()
