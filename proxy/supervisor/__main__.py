"""The command `python -m proxy.supervisor PLAN`, which replaces `weir run` once the config is read."""

import asyncio
import contextlib
import logging
import resource
import sys
from pathlib import Path

from proxy.supervisor.plan import LaunchPlan
from proxy.supervisor.supervisor import Supervisor

log = logging.getLogger("weir")

_MOST = 1 << 20
"""File descriptors that are asked for where the hard limit is unlimited; macOS refuses "unlimited"."""

_FEW = 4096
"""File descriptors below which a warning is logged: fewer carry less than 2,000 clients in each worker."""


def main(path: str) -> int:
    """Run the plan in the file at `path`; return the exit code."""
    plan = LaunchPlan.from_json(Path(path).read_text())
    logging.basicConfig(format="weir: %(message)s", level=plan.log_level.upper(), stream=sys.stderr)
    log.log(*limit_message(*raise_limit()))
    return asyncio.run(_run(plan))


async def _run(plan: LaunchPlan) -> int:
    return await Supervisor(plan).run()


def raise_limit() -> tuple[int, int]:
    """Raise the limit on open files, also for the children; return the limit before and now."""
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else hard
    with contextlib.suppress(OSError, ValueError):  # the present limit stays
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return before, resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def limit_message(before: int, now: int) -> tuple[int, str]:
    """Return the log level and the message on the limit of open files."""
    raised = before != resource.RLIM_INFINITY and before < now
    text = f"open files: {now} for each process" + (f", raised from {before}" if raised else "")
    if now >= _FEW:
        return logging.INFO, text
    advice = "raise the hard limit with `ulimit -Hn`, or `LimitNOFILE=` of systemd"
    return logging.WARNING, f"{text}; this is few, for each request takes two: {advice}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
