"""The process table: who is whose child, what it runs, and how much CPU it has used.

Linux tells it in /proc; elsewhere `ps` does (slim images of Linux have none).
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from proxy.demo.processes import wait_until

PROC = Path("/proc")


def descendants(root: int) -> list[int]:
    """`root` and all processes below it, parents first."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents().items():
        children.setdefault(parent, []).append(pid)
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def parents() -> Mapping[int, int]:
    """The parent of every process that runs; those that only wait to be reaped are left out."""
    rows = proc_rows() if (PROC / "self" / "stat").exists() else ps_rows()
    return {pid: parent for pid, parent, state in rows if not state.startswith(("Z", "X"))}


def proc_rows() -> list[tuple[int, int, str]]:
    """(pid, parent, state) of every process, from /proc."""
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    rows = ((pid, stat_fields(pid)) for pid in pids)
    return [(pid, int(fields[1]), fields[0]) for pid, fields in rows if fields]


def ps_rows() -> list[tuple[int, int, str]]:
    """(pid, parent, state) of every process, from ps."""
    lines = run_ps("-A", "-o", "pid=,ppid=,stat=").splitlines()
    return [(int(pid), int(parent), state) for pid, parent, state in (line.split() for line in lines)]


def stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; [] when the process has gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        # The name before them stands in parentheses and may contain anything.
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return []


def command_line(pid: int) -> str:
    """How a process was started; "" when it has gone."""
    if not (PROC / "self" / "cmdline").exists():
        return run_ps("-o", "args=", "-p", str(pid)).strip()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return (PROC / str(pid) / "cmdline").read_text().replace("\0", " ").strip()
    return ""


def run_ps(*arguments: str) -> str:
    """The output of ps; "" when it finds nothing."""
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout


def kill(pid: int) -> None:
    """SIGKILL; nothing when the process has gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def await_gone(pids: list[int], seconds: float = 10.0) -> None:
    """Waits until none of `pids` runs."""
    wait_until(lambda: not set(pids) & set(parents()), f"processes {pids} are gone", seconds, pause=0.05)


def cpu_seconds(pids: list[int]) -> float:
    """CPU time (user and system) that these processes have used up to now, all threads; Linux only."""
    return sum(map(cpu_clock, pids))


def cpu_clock(pid: int) -> float:
    """The CPU time of one process in seconds; 0 when it has gone."""
    with contextlib.suppress(OSError):
        # clock_getcpuclockid(3), which Python doesn't have, computes this number. The clock counts in
        # nanoseconds what /proc/PID/stat tells in ticks of 10 ms, and it keeps the time of ended threads.
        return time.clock_gettime((~pid << 3) | 2)
    return 0.0


def descriptors(pid: int) -> int:
    """How many descriptors a process has open; Linux only."""
    return len(list((PROC / str(pid) / "fd").iterdir()))


def resident(pid: int, *, peak: bool = False) -> float:
    """The resident memory of a process in MiB, now or at its peak; Linux only."""
    name = "VmHWM:" if peak else "VmRSS:"
    lines = (PROC / str(pid) / "status").read_text().splitlines()
    (kib,) = (line.split()[1] for line in lines if line.startswith(name))
    return int(kib) / 1024


def forget_peak(pid: int) -> None:
    """Lets the peak of a process's resident memory begin anew; Linux only."""
    (PROC / str(pid) / "clear_refs").write_text("5")
