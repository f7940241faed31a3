"""The command lines of the children, and the environment in which they find this very package."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import proxy
from proxy.supervisor.plan import LaunchPlan
from proxy.supervisor.sockets import Sockets

Line = tuple[list[str], list[int]]
"""A command line and the file descriptors that the process inherits."""


def python(module: str) -> list[str]:
    """How to run one of our modules in a new process.

    -P: otherwise a file or directory named `proxy` in the current directory would be run instead of ours.
    """
    return [sys.executable, "-P", "-m", module]


def environment(current: Mapping[str, str]) -> dict[str, str]:
    """`current`, with our source tree on PYTHONPATH unless it is installed where Python looks anyway."""
    root = Path(proxy.__file__).resolve().parent.parent
    paths = current.get("PYTHONPATH", "").split(os.pathsep)
    if root.name in ("site-packages", "dist-packages") or str(root) in paths:
        return dict(current)
    return {**current, "PYTHONPATH": os.pathsep.join([str(root), *filter(None, paths)])}


@dataclass(frozen=True, slots=True)
class Commands:
    """What to run for each kind of child; the arguments of the occasion follow it."""

    control: Sequence[str]
    worker: Sequence[str]


OURS = Commands(control=python("proxy.control"), worker=python("proxy.worker"))


def control_line(command: Sequence[str], plan: LaunchPlan, sockets: Sockets) -> Line:
    """The arguments of control, and the file descriptors that it inherits."""
    admin, link = sockets.admin.fileno(), sockets.link.fileno()
    argv = [
        *command,
        *("--config", plan.config, "--source", plan.source, "--state", plan.state),
        *("--file", plan.file),
        *("--admin", str(admin), "--link", str(link), "--workers", str(plan.workers)),
    ]
    return argv, [admin, link]


def worker_line(command: Sequence[str], plan: LaunchPlan, sockets: Sockets, index: int) -> Line:
    """The arguments of worker `index`, with a new boot id each time, and what it inherits."""
    listen = [each.fileno() for each in sockets.workers[index]]
    shown = dict(zip_longest(listen, plan.tls, fillvalue=()))
    argv = [
        *command,
        *("--index", str(index), "--boot", os.urandom(8).hex(), "--link", sockets.link.getsockname()),
        *("--listen", json.dumps(shown, separators=(",", ":")), "--grace", str(plan.grace)),
        *("--log-level", plan.log_level),
    ]
    return argv, listen
