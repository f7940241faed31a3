"""What restarts cost: three instances of stable and two of a canary at 20 % end and come back, one by one.

    python loadtests/restarts.py [--seconds 60] [--rate 500] [--times 2] [--health]

Each ends as it should, refuses for a second and comes back. Told are the requests that failed and whether the
canary, which is good, was taken out. Exit status 1 when one failed, or it was.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rig.instances import Instance, instances
from rig.traffic import Traffic
from rig.weir import Weir, weir

from proxy.demo.ports import LOOPBACK, free_ports

SETTINGS = """services:
  shop:
    stable: [%s]
    canary: [%s]
    weight: 20%%
    health: %s
"""
HEALTH = "{path: /, interval: 500ms, timeout: 500ms}"
DOWN = 1.0
"""Seconds that each refuses."""


async def restart(each: Instance) -> None:
    """End an instance, and start it again after it has refused for a while."""
    await asyncio.to_thread(each.quit)
    await asyncio.sleep(DOWN)
    await asyncio.to_thread(each.start)


async def measure(running: Weir, every: list[Instance], seconds: float, rate: float, times: int) -> bool:
    """Restart each so many times within these seconds; return whether nothing went wrong."""
    rest = max(seconds / (times * len(every)) - DOWN, 0.5)
    async with Traffic(running.port, rate) as traffic:
        for each in every * times:
            await restart(each)
            await asyncio.sleep(rest)
    view = running.admin.service("shop")
    bad = Counter(answer.result for answer in traffic.failed)
    answers = Counter(answer.version for answer in traffic.answers)
    print(
        f"{len(traffic.answers)} requests ({dict(answers)}), {len(traffic.failed)} failed {dict(bad)}; "
        f"canary at {view['weights']['canary']:g} %, {'tripped' if view['trip'] else 'not tripped'}, "
        f"blast radius {view['blast_radius']}",
        flush=True,
    )
    return not traffic.failed and view["trip"] is None


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=500.0)
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--health", action="store_true")
    asked = parser.parse_args()
    ports = free_ports([0] * 5)
    places = [("v1" if number < 3 else "v2", LOOPBACK, port) for number, port in enumerate(ports)]
    with (
        instances(places[:3]) as stable,
        instances(places[3:]) as canary,
        tempfile.TemporaryDirectory() as made,
    ):
        urls = (", ".join(each.url for each in side) for side in (stable, canary))
        with weir(Path(made), SETTINGS % (*urls, HEALTH if asked.health else "off")) as running:
            good = asyncio.run(measure(running, stable + canary, asked.seconds, asked.rate, asked.times))
            if not good:
                print(running.log())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
