"""The command lines of children, and that they run this very package."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import proxy
from proxy.supervisor.commands import control_line, environment, python, worker_line
from proxy.supervisor.plan import LaunchPlan
from proxy.supervisor.sockets import Sockets, bind

pytestmark = pytest.mark.process


@pytest.fixture
def plan(tmp_path: Path) -> LaunchPlan:
    return LaunchPlan(
        listen=(("127.0.0.1", 0), ("127.0.0.1", 0)),
        admin=("127.0.0.1", 0),
        workers=2,
        directory=str(tmp_path),
        config="/run/config.yaml",
        source="weir.yaml",
        state="/srv/weir.db",
        file="/etc/weir.yaml",
        delay=0,
        grace=7.5,
        log_level="info",
    )


@pytest.fixture
def sockets(plan: LaunchPlan) -> Iterator[Sockets]:
    bound = bind(plan)
    yield bound
    bound.close()


def test_control(plan: LaunchPlan, sockets: Sockets) -> None:
    argv, fds = control_line(["control"], plan, sockets)
    admin, link = sockets.admin.fileno(), sockets.link.fileno()
    assert " ".join(argv) == (
        "control --config /run/config.yaml --source weir.yaml --state /srv/weir.db "
        "--file /etc/weir.yaml "
        f"--admin {admin} --link {link} --workers 2"
    )
    assert fds == [admin, link]


def test_worker(plan: LaunchPlan, sockets: Sockets) -> None:
    argv, fds = worker_line(["worker"], plan, sockets, 1)
    assert fds == [each.fileno() for each in sockets.workers[1]]
    boot = argv[argv.index("--boot") + 1]
    assert " ".join(argv) == (
        f"worker --index 1 --boot {boot} --link {plan.directory}/link "
        f'--listen [{{"descriptor":{fds[0]},"tls":[],"balancers":[]}},'
        f'{{"descriptor":{fds[1]},"tls":[],"balancers":[]}}]'
        " --grace 7.5 --log-level info"
    )


def test_a_worker_is_told_what_its_sockets_speak(plan: LaunchPlan, sockets: Sockets) -> None:
    pairs = (("/a.pem", "/a.key"), ("/b.pem", "/b.key"))
    plan = replace(plan, tls=((), pairs), balancers=(("unix",), ()))
    argv, (plain, secure) = worker_line([], plan, sockets, 0)
    assert json.loads(argv[argv.index("--listen") + 1]) == [
        {"descriptor": plain, "tls": [], "balancers": ["unix"]},
        {"descriptor": secure, "tls": [list(each) for each in pairs], "balancers": []},
    ]


def test_every_start_of_a_worker_has_a_boot_id_of_its_own(plan: LaunchPlan, sockets: Sockets) -> None:
    lines = [worker_line([], plan, sockets, 0)[0] for _ in range(20)]
    assert len({argv[argv.index("--boot") + 1] for argv in lines}) == 20


def test_a_stranger_in_the_current_directory_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "proxy.py").write_text("print('stranger')")
    done = subprocess.run(
        [*python("proxy.cli"), "version"],
        cwd=tmp_path,
        env=environment(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("weir ")
    assert python("proxy.worker")[0] == sys.executable


SOURCES = "/src/splitweir"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, SOURCES),
        ({"PYTHONPATH": "/opt/more"}, f"{SOURCES}{os.pathsep}/opt/more"),
        ({"PYTHONPATH": SOURCES}, SOURCES),
    ],
)
def test_a_source_tree_is_found_by_children(
    monkeypatch: pytest.MonkeyPatch, before: dict[str, str], after: str
) -> None:
    monkeypatch.setattr(proxy, "__file__", f"{SOURCES}/proxy/__init__.py")
    assert environment({"HOME": "/root", **before}) == {"HOME": "/root", "PYTHONPATH": after}


def test_an_installed_package_needs_no_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "__file__", "/opt/weir/lib/python3.12/site-packages/proxy/__init__.py")
    assert environment({"HOME": "/root"}) == {"HOME": "/root"}
