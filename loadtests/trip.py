"""How soon is a bad canary out? It starts failing every request under a steady 500 requests/s at 20 %.

    python loadtests/trip.py [--runs 5]

Counted on the clients' side: the requests that met the failing canary, and the milliseconds from the moment
it began to fail, and from the first failed answer that a client got, to the last.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop
from client import Answer, Client, open_loop
from origins import Origin, origin
from rig import Weir, services, weir

RATE = 500.0  # requests a second
WEIGHT = 20  # percent
BEFORE, AFTER = 5.0, 1.0  # seconds of load before the canary fails, and after the trip
LONGEST = 15.0  # seconds for the trip


@dataclass(frozen=True, slots=True)
class Trip:
    """One trip. Times in milliseconds."""

    met: int
    from_fault: float
    from_first: float
    others: int
    sentence: str
    acknowledged: float | None

    def line(self) -> str:
        """For a person."""
        known = "-" if self.acknowledged is None else f"{self.acknowledged:.1f} ms"
        return (
            f"{self.met} requests met the failing canary, the last of them {self.from_fault:.0f} ms after it "
            f"began to fail and {self.from_first:.0f} ms after the first; all workers knew in {known}; "
            f"other failures {self.others}\n    {self.sentence}"
        )


async def one_trip(running: Weir, canary: Origin) -> Trip:
    """Load, a fault, a trip."""
    client, answers, over = Client(running.port), list[Answer](), asyncio.Event()
    request = client.request("/")

    async def ask(_: int) -> None:
        answers.append(await client.ask(request))

    load = asyncio.ensure_future(open_loop(RATE, ask, over, most=int(RATE * (BEFORE + AFTER + LONGEST))))
    await asyncio.sleep(BEFORE)
    canary.fail()
    fault = time.monotonic()
    try:
        await asyncio.to_thread(running.admin.await_trip, "shop", LONGEST)
        await asyncio.sleep(AFTER)
        view = await asyncio.to_thread(running.admin.service, "shop")
    finally:
        over.set()
        await load
        client.close()
    return summary(answers, fault, view["trip"])


def summary(answers: list[Answer], fault: float, trip: dict[str, object]) -> Trip:
    """What the clients saw of it."""
    failed = [answer for answer in answers if not answer.good]
    canary = [answer for answer in failed if answer.version == "v2"]
    first, last = min(a.at for a in canary), max(a.at for a in canary)
    acknowledged = trip.get("acknowledged_ms")
    return Trip(
        met=len(canary),
        from_fault=(last - fault) * 1000,
        from_first=(last - first) * 1000,
        others=len(failed) - len(canary),
        sentence=str(trip["sentence"]),
        acknowledged=acknowledged if isinstance(acknowledged, float) else None,
    )


def main() -> int:
    """Runs it several times; 1 when anything but the failing canary failed a request."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    trips = []
    for number in range(runs):
        with tempfile.TemporaryDirectory() as made, origin("v1") as stable, origin("v2") as canary:
            if number == 0:
                print(f"origins: {stable.kind}; 2 workers; {RATE:g} requests/s; weight {WEIGHT} %")
            with weir(Path(made), services(stable.url, canary.url, weight=WEIGHT)) as running:
                trips.append(uvloop.run(one_trip(running, canary)))
        print(f"  {trips[-1].line()}")
    met, first = (
        statistics.median(values) for values in zip(*((t.met, t.from_first) for t in trips), strict=True)
    )
    print(f"median: tripped after {met:g} canary requests, {first:.0f} ms after the first failure")
    return 1 if any(trip.others for trip in trips) else 0


if __name__ == "__main__":
    sys.exit(main())
