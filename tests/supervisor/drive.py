"""Runs a supervisor over stub children: drive.py PLAN SECONDS_TO_START SECONDS_TO_STOP."""

import asyncio
import logging
import sys
from pathlib import Path

from proxy.supervisor import supervisor
from proxy.supervisor.commands import Commands
from proxy.supervisor.plan import LaunchPlan


async def main(plan: LaunchPlan) -> int:
    supervisor.START, supervisor.STOP = map(float, sys.argv[2:])
    stub = [sys.executable, "-S", "-E", str(Path(__file__).with_name("stub.py"))]
    programs = Commands(control=[*stub, "control"], worker=[*stub, "worker"])
    return await supervisor.Supervisor(plan, programs).run()


logging.basicConfig(format="weir: %(message)s", level="INFO", stream=sys.stderr)
sys.exit(asyncio.run(main(LaunchPlan.from_json(Path(sys.argv[1]).read_text()))))
