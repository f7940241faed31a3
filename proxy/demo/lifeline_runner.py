"""A runner that ends a command when its lifeline, a pipe from the process that started it, ends.

    python -m proxy.demo.lifeline_runner --lifeline FD --remove DIR -- python -m proxy.cli run ...

The proxy is made for service managers and has no option for a pipe. This small process holds the pipe for it,
and removes the demo's directory at the end. It survives a kill of the demo, so that it can clean up then too.
It uses the standard library only.
"""

import argparse
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Sequence
from types import FrameType

from proxy.demo.processes import finish

INTERVAL = 0.1
"""Seconds between two checks of the command."""
PATIENCE = 6.0
"""Seconds that the command has to end after SIGTERM."""


def run_command(command: Sequence[str], lifeline: int) -> tuple[int, bool]:
    """Run `command` until it or `lifeline` ends; return its exit code, and whether the lifeline ended."""
    os.set_inheritable(lifeline, False)
    process = subprocess.Popen(list(command), stdin=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None:
        readable, _, _ = select.select([lifeline], [], [], INTERVAL)
        if readable:
            process.send_signal(signal.SIGTERM)
            return finish(process, PATIENCE), True
    return process.returncode, False


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command of the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m proxy.demo.lifeline_runner")
    parser.add_argument("--lifeline", type=int, required=True, help="file descriptor of the pipe")
    parser.add_argument("--remove", required=True, help="directory to remove when the lifeline ends")
    parser.add_argument("command", nargs="+", help="after --")
    given = parser.parse_args(argv)
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Only the pipe may end this process, or a signal to the whole tree would leave the directory behind.
        # SIG_IGN would be inherited by the command, a Python function is not.
        signal.signal(signum, _ignore)
    code, abandoned = run_command(given.command, given.lifeline)
    if abandoned:
        shutil.rmtree(given.remove, ignore_errors=True)
    # When the command ended by itself, its log stays, for the reason is in it.
    return code


def _ignore(signum: int, frame: FrameType | None) -> None:
    """Ignore a signal."""


if __name__ == "__main__":
    raise SystemExit(main())
