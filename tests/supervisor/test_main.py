"""`python -m proxy.supervisor PLAN`, as `weir run` becomes it."""

import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

from proxy.supervisor.commands import environment, python
from proxy.supervisor.plan import LaunchPlan

LIMITS = """
import resource
from proxy.supervisor.__main__ import raise_limit
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
raise_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_reads_the_plan_and_gives_the_exit_code(tmp_path: Path) -> None:
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
            log_level="error",
        )
        path = directory / "plan.json"
        path.write_text(plan.to_json())
        argv = [*python("proxy.supervisor"), str(path)]
        env = environment(os.environ)
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert done.stderr.startswith("weir: cannot listen on 127.0.0.1:")
    assert done.stderr.count("\n") == 1
    assert not directory.exists()


def test_as_many_open_files_as_allowed() -> None:
    argv = [sys.executable, "-c", LIMITS]
    env = environment(os.environ)
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True, timeout=30)
    soft, hard = map(int, done.stdout.split())
    assert soft == hard or (hard == resource.RLIM_INFINITY and soft > 100)
