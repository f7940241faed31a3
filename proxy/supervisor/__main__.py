"""`python -m proxy.supervisor PLAN`: what `weir run` becomes once it has read the config."""

import asyncio
import contextlib
import logging
import resource
import sys
from pathlib import Path

from proxy.supervisor.plan import LaunchPlan
from proxy.supervisor.supervisor import Supervisor

log = logging.getLogger("weir")

_ENOUGH = 1 << 20
"""File descriptors asked for where the hard limit is none at all; macOS refuses "unlimited"."""

_FEW = 4096
"""Fewer carry less than two thousand clients in each worker, which surprises people."""


def main(path: str) -> int:
    """Run the plan in the file at `path`, to the exit code."""
    plan = LaunchPlan.from_json(Path(path).read_text())
    logging.basicConfig(format="weir: %(message)s", level=plan.log_level.upper(), stream=sys.stderr)
    log.log(*told(*raise_limit()))
    return asyncio.run(_run(plan))


async def _run(plan: LaunchPlan) -> int:
    return await Supervisor(plan).run()


def raise_limit() -> tuple[int, int]:
    """As many open files as we may have, here and in the children; how many that were before, and are now."""
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else hard
    with contextlib.suppress(OSError, ValueError):  # then what we have must do
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return before, resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def told(before: int, now: int) -> tuple[int, str]:
    """What to say of the limit on open files, and how loud."""
    raised = before != resource.RLIM_INFINITY and before < now
    said = f"open files: {now} for each process" + (f", raised from {before}" if raised else "")
    if now >= _FEW:
        return logging.INFO, said
    advice = "raise the hard limit with `ulimit -Hn`, or `LimitNOFILE=` of systemd"
    return logging.WARNING, f"{said}; that is few, for each request takes two: {advice}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
