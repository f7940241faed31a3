"""The demo leaves nothing behind, whatever ends it in the middle."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from rig.processes import await_gone, descendants

from proxy.demo.processes import finish, wait_until
from proxy.supervisor.commands import environment, python


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_signal_in_the_middle_leaves_nothing_running(
    tmp_path: Path, signum: signal.Signals, code: int
) -> None:
    out = tmp_path / "out"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    # A stranger of the package's name in the current directory must not be run in its place.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "proxy.py").write_text("raise SystemExit('a stranger was run')")
    with out.open("wb") as written:
        demo = subprocess.Popen(
            [*python("proxy.cli"), "demo", "--ci"],
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment(os.environ | {"TMPDIR": str(temporary)}),
            cwd=elsewhere,
        )
    try:
        wait_until(lambda: "Everybody is on v1" in out.read_text(), "the first act", 30)
        tree = descendants(demo.pid)
        assert len(tree) >= 9, "the demo, three samples, the lifeline runner, and the proxy's four"
        demo.send_signal(signum)
        assert demo.wait(20) == code
    finally:
        finish(demo, 0.0)
    await_gone(tree, 15)
    wait_until(lambda: not list(temporary.iterdir()), "its directory is gone", 10)
    assert "Traceback" not in out.read_text()
