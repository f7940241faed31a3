"""The entry of a worker process; the supervisor writes its command line."""

import argparse
import logging
import socket

import uvloop

from proxy.lifeline import die_with_parent
from proxy.worker.worker import Worker


def main() -> None:
    """Run one worker until the supervisor ends it."""
    die_with_parent()
    parser = argparse.ArgumentParser(prog="proxy.worker", description="Started by `weir run`.")
    parser.add_argument("--index", type=int, required=True)
    parser.add_argument("--boot", required=True)
    parser.add_argument("--link", required=True)
    parser.add_argument("--lifeline", type=int, required=True)
    parser.add_argument("--listen", required=True)
    parser.add_argument("--grace", type=float, required=True)
    parser.add_argument("--log-level", required=True)
    told = parser.parse_args()
    logging.basicConfig(level=told.log_level.upper(), format=f"weir worker {told.index}: %(message)s")
    sockets = [socket.socket(fileno=int(fd)) for fd in told.listen.split(",")]

    async def run() -> None:
        await Worker(told.index, told.boot, told.link, sockets, told.grace).run(told.lifeline)

    uvloop.run(run())


main()
