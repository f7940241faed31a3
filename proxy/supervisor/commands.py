"""The command lines of the children, and the environment in which they import this package."""

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

CommandLine = tuple[list[str], list[int]]
"""The arguments of a process, and the file descriptors that it inherits."""


def python(module: str) -> list[str]:
    """Return the command that runs a module of this package in a new process.

    With -P the current directory is not searched: a file named `proxy` there would be run instead.
    """
    return [sys.executable, "-P", "-m", module]


def environment(current: Mapping[str, str]) -> dict[str, str]:
    """Return `current`, with this source tree on PYTHONPATH unless it is installed in site-packages."""
    root = Path(proxy.__file__).resolve().parent.parent
    paths = current.get("PYTHONPATH", "").split(os.pathsep)
    if root.name in ("site-packages", "dist-packages") or str(root) in paths:
        return dict(current)
    return {**current, "PYTHONPATH": os.pathsep.join([str(root), *filter(None, paths)])}


@dataclass(frozen=True, slots=True)
class Commands:
    """The command of each kind of child, without its arguments."""

    control: Sequence[str]
    worker: Sequence[str]


COMMANDS = Commands(control=python("proxy.control"), worker=python("proxy.worker"))


def control_line(command: Sequence[str], plan: LaunchPlan, sockets: Sockets) -> CommandLine:
    """Return the command line of control."""
    admin, link = sockets.admin.fileno(), sockets.link.fileno()
    argv = [
        *command,
        *("--config", plan.config, "--source", plan.source, "--state", plan.state),
        *("--file", plan.file),
        *("--admin", str(admin), "--link", str(link), "--workers", str(plan.workers)),
    ]
    return argv, [admin, link]


def worker_line(command: Sequence[str], plan: LaunchPlan, sockets: Sockets, index: int) -> CommandLine:
    """Return the command line of worker `index`, with a new boot id each time."""
    listen = [each.fileno() for each in sockets.workers[index]]
    entrances = [
        {"descriptor": descriptor, "tls": tls, "balancers": balancers}
        for descriptor, tls, balancers in zip_longest(listen, plan.tls, plan.balancers, fillvalue=())
    ]
    argv = [
        *command,
        *("--index", str(index), "--boot", os.urandom(8).hex(), "--link", sockets.link.getsockname()),
        *("--listen", json.dumps(entrances, separators=(",", ":")), "--grace", str(plan.grace)),
        *("--log-level", plan.log_level),
    ]
    return argv, listen
