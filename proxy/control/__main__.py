"""The entry of the control process; the supervisor writes its command line."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from proxy.child.lifeline import die_with_parent
from proxy.control.process import Launch, Process


def main() -> int:
    """Run control until the supervisor ends it; return the exit status."""
    die_with_parent()
    parser = argparse.ArgumentParser(prog="proxy.control", description="Started by `weir run`.")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--file", default="")
    parser.add_argument("--state", type=Path, required=True)
    for name in ("--admin", "--link", "--lifeline", "--workers"):
        parser.add_argument(name, type=int, required=True)
    launch = Launch(**vars(parser.parse_args()))
    logging.basicConfig(level=logging.INFO, format="weir control: %(message)s")

    async def run() -> int:
        return await Process(launch).run()

    return asyncio.run(run())


if __name__ == "__main__":
    sys.exit(main())
