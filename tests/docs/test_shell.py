"""The shell examples of a page, in their order, against a proxy by the first whole file of the page.

The addresses that the pages use (proxy 8080, admin 9900, stable 9001, canary 9002) are replaced by those of
the test: somebody may be working with the real ones. Everything else is run as it is written, in one empty
directory for a page.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rig.origins import origin

from proxy.demo.admin_api import AdminApi
from proxy.demo.ports import LOOPBACK, free_ports
from proxy.demo.processes import wait_until
from proxy.supervisor.commands import python
from tests.docs.pages import PAGES, ROOT, name, runnable

RUN = [page for page in PAGES if runnable(page, "sh")]
PLAIN = """\
services:
  checkout:
    stable: {endpoints: http://127.0.0.1:9001, version: v1}
    canary: {endpoints: http://127.0.0.1:9002, version: v2}
    weight: 10%
"""
"""For pages without a whole file."""


@pytest.fixture(scope="module")
def origins() -> Iterator[dict[str, str]]:
    """Sample services as stable and canary, by the address that the pages give them."""
    with origin("v1", prefer_nginx=False) as stable, origin("v2", prefer_nginx=False) as canary:
        yield {"9001": stable.url.removeprefix("http://"), "9002": canary.url.removeprefix("http://")}


@contextmanager
def running(directory: Path, text: str, places: dict[str, str]) -> Iterator[None]:
    """The proxy by this file, at places of its own."""
    config = directory / "weir.yaml"
    config.write_text(text)
    command = [
        *python("proxy.cli"),
        "run",
        "--listen",
        places["8080"],
        "--admin",
        places["9900"],
        "--workers",
        "1",
    ]
    with (directory / "weir.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log, env=environment(places))
    try:
        admin = AdminApi(f"http://{places['9900']}")
        wait_until(lambda: process.poll() is not None or admin.ready(), "weir is ready", 20.0)
        assert process.poll() is None, (directory / "weir.log").read_text()
        wait_until(lambda: probed(admin), "endpoints are probed", 20.0)
        yield
    finally:
        end(process)


def end(process: subprocess.Popen[Any]) -> None:
    """End the proxy; a second signal ends one that drains as its page says."""
    process.terminate()
    try:
        process.wait(2.0)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait(20.0)


def probed(admin: AdminApi) -> bool:
    """Whether every endpoint that is asked for its health has been."""
    backends = admin.service("checkout")["backends"].values()
    return not any(
        state.startswith("not known") for side in backends for state in side["conditions"].values()
    )


def environment(places: dict[str, str]) -> dict[str, str]:
    """That of a person in whose path `weir` is."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {
        **os.environ,
        "PATH": path,
        "WEIR_ADMIN": f"http://{places['9900']}",
        "WEIR_TOKEN": "",
        "PYTHONPATH": str(ROOT),
    }


def moved(text: str, places: dict[str, str]) -> str:
    for port, place in places.items():
        text = text.replace(f"{LOOPBACK}:{port}", place)
    return text


@pytest.mark.process
@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples use curl")
@pytest.mark.parametrize("page", RUN, ids=name)
def test_shell_examples_do_what_they_say(page: Path, origins: dict[str, str], tmp_path: Path) -> None:
    whole = [block.text for block in runnable(page, "yaml") if "\nservices:" in f"\n{block.text}"]
    ports = zip(("8080", "9900"), free_ports([0, 0]), strict=True)
    places = {port: f"{LOOPBACK}:{free}" for port, free in ports} | origins
    with running(tmp_path, moved((whole or [PLAIN])[0], places), places):
        for block in runnable(page, "sh"):
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", moved(block.text, places)],
                cwd=tmp_path,
                env=environment(places),
                capture_output=True,
                text=True,
                timeout=50,
                check=False,
            )
            assert done.returncode == block.exits, (
                f"{block} exits with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )


def test_examples_are_run_on_the_pages_that_need_it_most() -> None:
    assert {name(page) for page in RUN} >= {"README.md", "docs/start.md", "docs/guides/weights.md"}
