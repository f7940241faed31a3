"""`python -m proxy.supervisor PLAN`, as `weir run` becomes it."""

import logging
import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.supervisor.__main__ import limit_message
from proxy.supervisor.commands import environment, python
from proxy.supervisor.plan import LaunchPlan

pytestmark = pytest.mark.process

LIMITS = """
import resource
from proxy.supervisor.__main__ import raise_limit
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
before, now = raise_limit()
assert (before, now) == (100, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize("level", ["error", "info"])
def test_reads_the_plan_says_the_limit_and_gives_the_exit_code(tmp_path: Path, level: str) -> None:
    directory = tmp_path / "private"
    directory.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as other:
        plan = LaunchPlan(
            listen=(other.getsockname(),),
            admin=("127.0.0.1", 0),
            workers=1,
            directory=str(directory),
            config="",
            source="",
            state="",
            delay=0,
            grace=0,
            log_level=level,
        )
        path = directory / "plan.json"
        path.write_text(plan.to_json())
        argv = [*python("proxy.supervisor"), str(path)]
        env = environment(os.environ)
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    *before, last = done.stderr.splitlines()
    assert last.startswith("weir: cannot listen on 127.0.0.1:")
    assert [line.startswith("weir: open files: ") for line in before] == ([True] if level == "info" else [])
    assert not directory.exists()


@pytest.mark.parametrize(
    ("before", "now", "level", "says"),
    [
        (1024, 1_048_576, logging.INFO, "open files: 1048576 for each process, raised from 1024"),
        (4096, 4096, logging.INFO, "open files: 4096 for each process"),
        (resource.RLIM_INFINITY, 1 << 20, logging.INFO, "open files: 1048576 for each process"),
        (
            1024,
            4095,
            logging.WARNING,
            "open files: 4095 for each process, raised from 1024; this is few, for each request takes two: "
            "raise the hard limit with `ulimit -Hn`, or `LimitNOFILE=` of systemd",
        ),
        (
            256,
            256,
            logging.WARNING,
            "open files: 256 for each process; this is few, for each request takes two: "
            "raise the hard limit with `ulimit -Hn`, or `LimitNOFILE=` of systemd",
        ),
    ],
)
def test_the_limit_on_open_files_is_reported(before: int, now: int, level: int, says: str) -> None:
    assert limit_message(before, now) == (level, says)


def test_as_many_open_files_as_allowed() -> None:
    argv = [sys.executable, "-c", LIMITS]
    env = environment(os.environ)
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True, timeout=30)
    soft, hard = map(int, done.stdout.split())
    assert soft == hard or (hard == resource.RLIM_INFINITY and soft > 100)
