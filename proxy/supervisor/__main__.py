"""`python -m proxy.supervisor PLAN`: what `weir run` becomes once it has read the config."""

import asyncio
import contextlib
import logging
import resource
import sys
from pathlib import Path

from proxy.supervisor.plan import LaunchPlan
from proxy.supervisor.supervisor import Supervisor

_ENOUGH = 1 << 20
"""File descriptors asked for where the hard limit is none at all; macOS refuses "unlimited"."""


def main(path: str) -> int:
    """Run the plan in the file at `path`, to the exit code."""
    plan = LaunchPlan.from_json(Path(path).read_text())
    logging.basicConfig(format="weir: %(message)s", level=plan.log_level.upper(), stream=sys.stderr)
    raise_limit()
    return asyncio.run(_run(plan))


async def _run(plan: LaunchPlan) -> int:
    return await Supervisor(plan).run()


def raise_limit() -> None:
    """As many open files as we may have, here and in the children: every connection through us takes two."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else hard
    with contextlib.suppress(OSError, ValueError):  # then what we have must do
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
