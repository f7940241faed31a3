"""A command ends with the pipe, and its directory is removed."""

import os
import signal
import sys
from pathlib import Path

import pytest

from proxy.demo.processes import LifelineProcess, wait_until

pytestmark = pytest.mark.process

# Writes its pid, then waits; ends with 7 on SIGTERM.
WAITS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
with open(sys.argv[1] + ".new", "w") as out: out.write(str(os.getpid()))
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(60)
"""


def runner(tmp_path: Path, *command: str) -> tuple[LifelineProcess, Path]:
    held = tmp_path / "held"
    held.mkdir()
    return LifelineProcess(
        "runner", "proxy.demo.lifeline_runner", ["--remove", str(held), "--", *command], tmp_path / "log"
    ), held


def test_the_end_of_the_pipe_ends_the_command_and_removes_the_directory(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    child, held = runner(tmp_path, sys.executable, "-c", WAITS, str(pid_file))
    wait_until(pid_file.exists, "the command is up", 10)
    child.end()
    assert child.process.returncode == 7
    assert not held.exists()
    wait_until(lambda: not is_there(int(pid_file.read_text())), "the command is gone", 5)


def test_a_signal_to_the_runner_does_not_end_it(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    child, held = runner(tmp_path, sys.executable, "-c", WAITS, str(pid_file))
    wait_until(pid_file.exists, "the command is up", 10)
    child.process.send_signal(signal.SIGTERM)
    child.process.send_signal(signal.SIGINT)
    assert is_there(int(pid_file.read_text()))
    child.end()
    assert child.process.returncode == 7
    assert not held.exists()


def test_a_command_that_ends_by_itself_leaves_its_directory(tmp_path: Path) -> None:
    child, held = runner(tmp_path, sys.executable, "-c", "raise SystemExit(3)")
    wait_until(lambda: child.process.poll() is not None, "the command ended", 10)
    assert child.process.returncode == 3
    assert held.exists()
    child.end()


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
