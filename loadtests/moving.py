"""Whether a name is followed while its addresses change under load, one after the other.

    python loadtests/moving.py [--steps 10] [--rate 300] [--pause 6]

A name has three addresses, of which each step replaces the oldest; its instance ends gracefully ten seconds
later. Told are the requests that failed, and how long after a step the new address got its first request.
Then the whole name moves at once. Exit status 1 when one failed, or when a new address got none within 15 s.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from rig.instances import Instance, instances
from rig.nameserver import NameServer, Reply
from rig.traffic import Traffic
from rig.weir import Weir, until, weir

from proxy.demo.ports import free_ports

NAME = "app.test"
SETTINGS = """resolver: {servers: ["%s"]}
services:
  shop: {stable: "http://%s:%d"}
"""
WITHIN = 15.0
"""Seconds in which a new address gets requests."""
DRAINS = 10.0
"""Seconds from a step until the instance that left ends."""
TTL = 5


async def moved(traffic: Traffic, version: str) -> float:
    """Return the seconds until an instance of this version has answered."""
    began, seen = time.monotonic(), len(traffic.answers)
    await until(lambda: any(answer.version == version for answer in traffic.answers[seen:]), version, WITHIN)
    return time.monotonic() - began


async def end_later(one: Instance) -> None:
    """End an instance that has left its name."""
    await asyncio.sleep(DRAINS)
    await asyncio.to_thread(one.quit)


async def measure(
    running: Weir, server: NameServer, every: list[Instance], rate: float, pause: float
) -> bool:
    """Move the name from instance to instance; return whether nothing went wrong."""
    took, ending = [], []
    async with Traffic(running.port, rate) as traffic:
        for step in range(1, len(every) - 2):
            server.zone[NAME] = Reply([each.ip for each in every[step : step + 3]], ttl=TTL)
            took.append(await moved(traffic, every[step + 2].ip))
            ending.append(asyncio.create_task(end_later(every[step - 1])))
            await asyncio.sleep(pause)
        server.zone[NAME] = Reply([every[-1].ip], ttl=TTL)
        began = len(traffic.answers)
        await until(
            lambda: {answer.version for answer in traffic.answers[began:][-50:]} == {every[-1].ip},
            "the name has moved as a whole",
            WITHIN,
        )
        await asyncio.gather(*ending)
    bad = Counter(answer.result for answer in traffic.failed)
    seconds = ", ".join(f"{each:.1f}" for each in took)
    print(
        f"{len(traffic.answers)} requests, {len(traffic.failed)} failed {dict(bad)}; first answer from the "
        f"new address after {seconds} s",
        flush=True,
    )
    return not traffic.failed


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rate", type=float, default=300.0)
    parser.add_argument("--pause", type=float, default=6.0)
    asked = parser.parse_args()
    (port,) = free_ports([0])
    ips = [f"127.0.9.{number}" for number in range(1, asked.steps + 4)]
    with (
        NameServer({NAME: Reply(ips[:3], ttl=TTL)}) as server,
        instances([(ip, ip, port) for ip in ips]) as every,
        tempfile.TemporaryDirectory() as made,
        weir(Path(made), SETTINGS % (server.address, NAME, port)) as running,
    ):
        good = asyncio.run(measure(running, server, every, asked.rate, asked.pause))
        if not good:
            print(running.log())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
