"""A child ends with its lifeline, however this process ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.demo import processes
from proxy.demo.processes import DeadlineExceeded, LifelineProcess, ProcessEnded, finish, wait_until


def sample(tmp_path: Path, *arguments: str) -> LifelineProcess:
    return LifelineProcess("sample", "proxy.demo.samples", ["--version", "v1", *arguments], tmp_path / "log")


@pytest.mark.process
def test_the_end_of_the_lifeline_ends_a_child(tmp_path: Path) -> None:
    child = sample(tmp_path)
    child.check()
    assert "running" in repr(child)
    child.end()
    assert child.process.returncode == 0
    child.end()
    assert "exit=0" in repr(child)


@pytest.mark.process
def test_a_child_that_ended_quotes_its_log(tmp_path: Path) -> None:
    child = sample(tmp_path, "--no-such-option")
    wait_until(lambda: child.process.poll() is not None, "usage error", 10)
    with pytest.raises(ProcessEnded, match=r"sample ended with exit code 2:(?s:.*)--no-such-option"):
        child.check()
    child.end()


@pytest.mark.process
def test_a_child_that_does_not_listen_is_killed() -> None:
    deaf = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    assert finish(deaf, 0.05) == -signal.SIGKILL


PARENT = """
import sys, time
from pathlib import Path
from proxy.demo.processes import LifelineProcess
child = LifelineProcess("sample", "proxy.demo.samples", ["--version", "v1"], Path(sys.argv[1]))
print(child.process.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.process
def test_a_child_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    wait_until(lambda: not alive(pid), "the orphan is gone", 10)


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped by init counts as gone."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


class Clock:
    """Time passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 7.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_waiting_ends_at_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(processes, "time", clock)
    with pytest.raises(DeadlineExceeded, match=r"the moon: not within 5 s"):
        wait_until(lambda: False, "the moon", 5.0, pause=1.0)
    assert clock.now == 13.0
