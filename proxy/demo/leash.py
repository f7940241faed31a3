"""Runs a command on a leash: it ends when the pipe from the one who started it does.

    python -m proxy.demo.leash --lifeline FD --remove DIR -- python -m proxy.cli run ...

The proxy is a program for service managers and knows nothing of pipes from a demo; this small process holds
it for as long as the demo lives, and removes the demo's directory after it. It stays when the demo is killed,
which is the point of it. Standard library only.
"""

import argparse
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Sequence
from types import FrameType

from proxy.demo.children import finish

TICK = 0.1  # seconds between two looks at the command
PATIENCE = 6.0  # seconds that the command has after SIGTERM


def hold(command: Sequence[str], lifeline: int) -> tuple[int, bool]:
    """Runs `command` until it ends or `lifeline` does; its exit code, and whether it was the lifeline."""
    os.set_inheritable(lifeline, False)
    process = subprocess.Popen(list(command), stdin=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None:
        readable, _, _ = select.select([lifeline], [], [], TICK)
        if readable:
            process.send_signal(signal.SIGTERM)
            return finish(process, PATIENCE), True
    return process.returncode, False


def main(argv: Sequence[str] | None = None) -> int:
    """Holds the command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m proxy.demo.leash")
    parser.add_argument("--lifeline", type=int, required=True, help="file descriptor of the pipe")
    parser.add_argument("--remove", required=True, help="directory to remove when the lifeline ends")
    parser.add_argument("command", nargs="+", help="after --")
    given = parser.parse_args(argv)
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # The pipe alone ends this process: whoever signals the whole tree must not lose the directory. A
        # handler and not SIG_IGN, which the command would inherit.
        signal.signal(signum, _unmoved)
    code, abandoned = hold(given.command, given.lifeline)
    if abandoned:
        shutil.rmtree(given.remove, ignore_errors=True)
    # A command that ended by itself leaves its log for whoever wants to know why.
    return code


def _unmoved(signum: int, frame: FrameType | None) -> None:
    """Takes a signal and goes on."""


if __name__ == "__main__":
    raise SystemExit(main())
