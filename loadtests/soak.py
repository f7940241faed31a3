"""Minutes of mixed traffic with faults, then quiet: is everything back to where it was?

    python loadtests/soak.py [--minutes 10] [--actors 60]

Clients ask, upload (sized and chunked), read slowly, pipeline, leave in the middle, send half heads and bad
ones, and open tunnels (rig/acts.py); the endpoint answers well, in chunks, slowly, early, or resets,
hangs, sends garbage, cuts and leaves (rig/unruly.py). Every good answer has to be the right one: its
tag and the CRC of what was uploaded. Then all is quiet. Open descriptors and requests in flight have to be
what they were before the first connection, and resident memory what it was after a first minute of the
same. Linux only.
"""

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path

import uvloop
from rig.acts import Crowd
from rig.processes import descriptors, resident
from rig.unruly import unruly
from rig.weir import Weir, services, until, weir

from proxy.demo.processes import DeadlineExceeded

WARM_SECONDS = 60.0
QUIET_SECONDS = 90.0  # in which the pool empties itself, too
MORE_MEMORY = 8.0  # MiB that an allocator may keep
SETTINGS = "timeouts: {header: 2s, response: 2s, body: 3s, idle: 10s}\n"
# What fails here is meant to, and must not change who answers.
CHECKS = "    analysis: {enforce: false}\n"
IN_FLIGHT = re.compile(r"^weir_requests_in_flight\{.*\} (\S+)$", re.MULTILINE)


class Watched:
    """What is looked at from outside."""

    def __init__(self, running: Weir) -> None:
        self._running = running
        self.workers = running.workers()
        self.fresh = self.descriptors()
        """Open descriptors of each worker before the first connection."""

    def descriptors(self) -> list[int]:
        """Open descriptors of each worker."""
        return [descriptors(pid) for pid in self.workers]

    def resident(self) -> list[float]:
        """Resident memory of each worker in MiB."""
        return [resident(pid) for pid in self.workers]

    def in_flight(self) -> float:
        """Requests open now, as /metrics has it."""
        return sum(map(float, IN_FLIGHT.findall(self._running.admin.metrics())))

    def told(self) -> str:
        """All of it in a line."""
        memory = ", ".join(f"{one:.1f}" for one in self.resident())
        return f"descriptors {self.descriptors()}, in flight {self.in_flight():g}, resident {memory} MiB"

    async def quiet(self) -> bool:
        """Waits until nothing is open any more; False when that doesn't happen."""
        begun = time.monotonic()

        def still() -> bool:
            return self.descriptors() == self.fresh and self.in_flight() == 0

        try:
            await until(still, "nothing is open any more", QUIET_SECONDS)
        except DeadlineExceeded:
            return False
        finally:
            print(f"after {time.monotonic() - begun:.0f} s of quiet: {self.told()}", flush=True)
        return True


async def soak(running: Weir, minutes: float, actors: int) -> bool:
    """Warms up, soaks, and compares; whether all is as it has to be."""
    watched = Watched(running)
    print(f"fresh: {watched.told()}")
    crowd = Crowd(running.port)
    await crowd.for_seconds(WARM_SECONDS, actors)
    print(f"warm: {watched.told()}")
    fine = await watched.quiet()
    before = watched.resident()
    await crowd.for_seconds(minutes * 60, actors)
    print(f"soaked: {watched.told()}")
    fine = await watched.quiet() and fine
    growth = [now - then for now, then in zip(watched.resident(), before, strict=True)]
    print(f"acts: {sum(crowd.seen.values())}")
    for what, count in sorted(crowd.seen.items()):
        print(f"  {count:>8} {what}")
    for line in crowd.wrong[:20]:
        print(f"WRONG {line}")
    print(
        f"wrong or hung: {len(crowd.wrong)}; resident memory grew by {[f'{one:+.1f}' for one in growth]} MiB"
    )
    same = running.workers() == watched.workers
    clean = "Traceback" not in running.log()
    print(f"workers {'the same' if same else 'NOT the same'}, log {'clean' if clean else 'NOT clean'}")
    return fine and same and clean and not crowd.wrong and max(growth) < MORE_MEMORY


async def run(minutes: float, actors: int) -> bool:
    """One run between an endpoint and a proxy of its own."""
    with tempfile.TemporaryDirectory() as made:
        async with unruly() as endpoint:
            settings = SETTINGS + services(endpoint.url, endpoint.url, more=CHECKS)
            with weir(Path(made), settings) as running:
                fine = await soak(running, minutes, actors)
                if not fine:
                    print(running.log()[-4000:])
                return fine


def main() -> int:
    """Soaks; 0 when everything is back to where it was and every answer was right."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--actors", type=int, default=60)
    options = parser.parse_args()
    fine = uvloop.run(run(options.minutes, options.actors))
    print("fine" if fine else "NOT as it has to be")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
