"""The process as the supervisor starts it: real sockets, real signals, one second each."""

import contextlib
import json
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.link.frames import Decoder, encode
from proxy.link.messages import Ack, Hello, Report, Table

pytestmark = pytest.mark.process

FILE = """
services:
  checkout: {stable: http://127.0.0.1:9001, canary: http://127.0.0.1:9002, weight: 5%}
"""
BROKEN = """
import sys
from proxy.{module} import {owner}
from proxy.control.__main__ import main

async def surprise(self):
    raise RuntimeError("a surprise")

{owner}.{task} = surprise
sys.exit(main())
"""
SET_ASIDE = """
import sys
from proxy.child import garbage_collector
from proxy.control.__main__ import main

garbage_collector.exempt_startup_objects = lambda: print("set aside", file=sys.stderr)
sys.exit(main())
"""
SECONDS = 20
"""Longer than any of this takes: what is waited for comes by itself or not at all."""


class Child:
    """A control process, the supervisor's end of its lifeline, and its two sockets."""

    def __init__(
        self, directory: Path, file: str = FILE, program: tuple[str, str] = ("-m", "proxy.control")
    ) -> None:
        (directory / "config.yaml").write_text(file)
        self.admin = socket.create_server(("127.0.0.1", 0))
        self.link = socket.socket(socket.AF_UNIX)
        self.path = str(directory / "link")
        with contextlib.suppress(FileNotFoundError):
            (directory / "link").unlink()
        self.link.bind(self.path)
        self.link.listen()
        self.lifeline, theirs = socket.socketpair()
        self.lifeline.settimeout(SECONDS)
        fds = [self.admin.fileno(), self.link.fileno(), theirs.fileno()]
        numbers = dict(zip(("--admin", "--link", "--lifeline"), map(str, fds), strict=True))
        paths = {"--config": str(directory / "config.yaml"), "--state": str(directory / "weir.db")}
        options = {**paths, **numbers, "--source": "weir.yaml", "--workers": "1"}
        argv = [sys.executable, *program, *(part for pair in options.items() for part in pair)]
        self.process = subprocess.Popen(argv, pass_fds=fds, stderr=subprocess.PIPE)
        theirs.close()
        self.heard = self.lifeline.makefile("r")

    def say(self, word: str) -> None:
        self.lifeline.sendall(word.encode() + b"\n")

    def get(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.admin.getsockname()[1]}{path}"
        try:
            with urllib.request.urlopen(url, timeout=SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def worker(self) -> tuple[socket.socket, Table]:
        """A worker that has taken its table."""
        wire = socket.socket(socket.AF_UNIX)
        wire.settimeout(SECONDS)
        wire.connect(self.path)
        wire.sendall(encode(Hello("b1", 0, 1, {}, {})) + encode(Report("b1", 1, {}, 0)))
        decoder = Decoder()
        tables = []
        while not tables:
            tables = [each for each in decoder.feed(wire.recv(65536)) if isinstance(each, Table)]
        wire.sendall(encode(Ack(tables[0].generation)))
        return wire, tables[0]

    def end(self) -> None:
        self.heard.close()
        self.lifeline.close()
        self.process.kill()
        self.process.communicate()
        self.admin.close()
        self.link.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    with contextlib.ExitStack() as stack:

        def start(**how: str | tuple[str, str]) -> Child:
            child = Child(tmp_path, **how)
            stack.callback(child.end)
            return child

        yield start


def test_it_serves_and_stops_when_told(start: Callable[..., Any]) -> None:
    child = start()
    assert child.heard.readline() == "ready\n"
    assert child.get("/livez")[0] == 200
    assert child.get("/readyz")[0] == 503, "no worker has a table yet"
    wire, table = child.worker()
    assert [service.name for service in table.services] == ["checkout"]
    status, body = child.get("/api/v1/services/checkout")
    assert (status, json.loads(body)["weights"]["canary"]) == (200, 5.0)
    assert child.get("/readyz")[0] == 200
    assert re.search(r"^weir_config_last_reload_timestamp_seconds [1-9]", child.get("/metrics")[1], re.M)
    child.say("drain")
    while child.get("/readyz")[0] == 200:
        pass
    child.say("stop")
    assert child.process.wait(SECONDS) == 0
    wire.close()


def test_what_is_there_is_set_aside_before_it_is_ready(start: Callable[..., Any]) -> None:
    child = start(program=("-c", SET_ASIDE))
    assert child.heard.readline() == "ready\n"
    child.process.kill()
    assert "set aside" in child.process.stderr.read().decode()


def test_a_successor_takes_over_at_once_after_a_kill(start: Callable[..., Any]) -> None:
    child = start()
    assert child.heard.readline() == "ready\n"
    child.process.kill()
    child.process.wait(SECONDS)
    again = start()
    assert again.heard.readline() == "ready\n"
    history = json.loads(again.get("/api/v1/services/checkout/history")[1])
    assert [entry["event"] for entry in history["entries"]] == ["release"]


def test_it_ends_with_the_supervisor(start: Callable[..., Any]) -> None:
    child = start()
    assert child.heard.readline() == "ready\n"
    child.lifeline.shutdown(socket.SHUT_RDWR)
    assert child.process.wait(SECONDS) == 1


def test_a_ledger_in_use_is_a_failure_that_names_it(start: Callable[..., Any], tmp_path: Path) -> None:
    assert start().heard.readline() == "ready\n"
    second = start()
    line = second.heard.readline()
    assert line.startswith("failed: ")
    assert str(tmp_path / "weir.db") in line
    assert "in use by another process" in line
    assert second.process.wait(SECONDS) == 1


def test_a_bad_config_is_a_failure(start: Callable[..., Any]) -> None:
    child = start(file="services: {checkout: {stabel: http://127.0.0.1:9001}}")
    line = child.heard.readline()
    assert line.startswith("failed: ")
    assert "stabel" in line
    assert child.process.wait(SECONDS) == 1


def test_a_lost_token_file_keeps_nobody_from_starting(start: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret")
    child = start(file=f"admin: {{token_file: /nowhere/token}}\n{FILE}")
    assert child.heard.readline() == "ready\n"
    assert child.get("/api/v1/services/checkout")[0] == 401


@pytest.mark.parametrize(
    ("module", "owner", "task"),
    [("ledger.checkpoints", "Checkpoints", "run"), ("control.control", "Control", "tick")],
)
def test_a_broken_task_ends_it_for_another_to_begin(
    start: Callable[..., Any], module: str, owner: str, task: str
) -> None:
    child = start(program=("-c", BROKEN.format(module=module, owner=owner, task=task)))
    assert child.process.wait(SECONDS) == 1
    said = child.process.stderr.read().decode()
    assert "Traceback" in said
    assert "RuntimeError: a surprise" in said
