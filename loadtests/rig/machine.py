"""Where it was measured: processor, kernel, Python, commit; and which core is whose."""

import os
import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cores:
    """Which cores the proxies have, the origin and the load."""

    proxies: tuple[int, ...]
    origin: tuple[int, ...]
    load: tuple[int, ...]


def layout(cores: Sequence[int]) -> Cores:
    """From six cores on two for each, so that two workers can show twice the throughput.

    Of two cores, origin and load share one. ValueError for fewer than two.
    """
    match list(cores):
        case [a, b, c, d, e, f, *_]:
            return Cores((a, b), (c, d), (e, f))
        case [a, b, c, *_]:
            return Cores((a,), (b,), (c,))
        case [a, b]:
            return Cores((a,), (b,), (b,))
    raise ValueError(f"needs two cores and may use {len(cores)}")


@contextmanager
def pinned(cores: Sequence[int]) -> Iterator[None]:
    """What is started inside this runs on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def machine() -> dict[str, str]:
    """Names and values to print."""
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": model[1] if model else platform.machine(),
        "cores": str(os.cpu_count()),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_version()}, {build(sysconfig.get_config_var('CONFIG_ARGS') or '')}",
        "commit": commit(),
    }


def build(arguments: str) -> str:
    """How a Python was built, by what its configure was told."""
    if "/usr/share/python-wheels" in arguments:
        return "Debian's (profile-guided by its package's rules)"
    guided = "profile-guided" if "--enable-optimizations" in arguments else "not profile-guided"
    return f"{guided}, {'with' if '--with-lto' in arguments else 'without'} link-time optimization"


def commit() -> str:
    """The commit that was measured; "unknown" outside a repository."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def command_line() -> str:
    """What was typed, with the interpreter's name alone."""
    return " ".join([Path(sys.executable).name, *sys.orig_argv[1:]])
