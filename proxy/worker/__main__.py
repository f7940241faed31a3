"""The entry of a worker process; the supervisor writes its command line."""

import argparse
import json
import logging
import socket
import sys

import uvloop

from proxy.child.lifeline import die_with_parent
from proxy.forwarding.listener import Entrance
from proxy.http1.forwarded_fields import Peers
from proxy.tls.certificates import Certificates
from proxy.tls.pem import Pair
from proxy.worker.allocator import keep_what_is_freed
from proxy.worker.worker import Worker


def _complain(unraisable: "sys.UnraisableHookArgs") -> None:
    """Log what can't be raised, but for server names that aren't ASCII.

    They fail within `ssl`, beyond our reach, and strangers could fill the log with them.
    """
    if not isinstance(unraisable.exc_value, UnicodeDecodeError):
        sys.__unraisablehook__(unraisable)


def _entrance(descriptor: int, tls: list[tuple[str, str]], balancers: list[str]) -> Entrance:
    pairs = [Pair(cert, key) for cert, key in tls]
    return Entrance(
        socket.socket(fileno=descriptor),
        Certificates(pairs) if pairs else None,
        Peers(balancers) if balancers else None,
    )


def main() -> None:
    """Run one worker until the supervisor ends it."""
    die_with_parent()
    keep_what_is_freed()
    sys.unraisablehook = _complain
    parser = argparse.ArgumentParser(prog="proxy.worker", description="Started by `weir run`.")
    parser.add_argument("--index", type=int, required=True)
    parser.add_argument("--boot", required=True)
    parser.add_argument("--link", required=True)
    parser.add_argument("--lifeline", type=int, required=True)
    parser.add_argument("--listen", required=True)
    parser.add_argument("--grace", type=float, required=True)
    parser.add_argument("--log-level", required=True)
    arguments = parser.parse_args()
    logging.basicConfig(
        level=arguments.log_level.upper(), format=f"weir worker {arguments.index}: %(message)s"
    )
    entrances = [_entrance(**one) for one in json.loads(arguments.listen)]

    async def run() -> int:
        worker = Worker(arguments.index, arguments.boot, arguments.link, entrances, arguments.grace)
        return await worker.run(arguments.lifeline)

    sys.exit(uvloop.run(run()))


main()
