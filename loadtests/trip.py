"""How soon is a bad canary out, and whom does it harm? A fault begins under a steady 500 requests/s at 20 %.

    python loadtests/trip.py [--fault fail|hang|slow|both] [--rescue on|off] [--runs 3] [--nginx]

The origins answer in 20 ms, until one fails everything, never answers, or takes three times as long; `both`:
both begin to fail at once, and nothing may trip within a minute. With `--nginx` the origins are nginx, which
knows only to fail. Counted at the canary: the requests that the fault met. Counted by the clients: who was
harmed, that is had no 2xx within 5 s. Rescued ones are those of the API's blast radius.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import uvloop
from rig.client import Answer, Client, open_loop
from rig.faulty import faulty
from rig.origins import origin
from rig.weir import Weir, services, weir

from proxy.demo.processes import DeadlineExceeded

RATE = 500.0  # requests a second
WEIGHT = 20  # percent
BEFORE, AFTER = 5.0, 1.0  # seconds of load before the fault, and after the trip
LONGEST = 30.0  # seconds for the trip
WATCHED = 60.0  # seconds in which two failing origins may not trip
LATE = 5.0  # seconds after which a client has been harmed
FAULTS = ("fail", "hang", "slow", "both")


@dataclass(frozen=True, slots=True)
class Fault:
    """How to begin it; what the canary counted, if it can: requests met, monotonic seconds of the last."""

    kind: str
    urls: tuple[str, str]
    begin: Callable[[], None]
    met: Callable[[], tuple[int, float | None] | None]


@dataclass(frozen=True, slots=True)
class Trip:
    """One trip. Times in milliseconds since the fault; None: not known, or it never came."""

    met: int
    last: float | None
    zero: float | None
    harmed: int
    others: int
    rescued: int
    sentence: str

    def line(self) -> str:
        """For a person."""
        return (
            f"met {self.met}, the last after {shown(self.last)}; weight zero everywhere after "
            f"{shown(self.zero)}; harmed {self.harmed} (not from the canary: {self.others}); "
            f"rescued {self.rescued}\n    {self.sentence}"
        )


def shown(milliseconds: float | None) -> str:
    """Milliseconds for a person."""
    return "-" if milliseconds is None else f"{milliseconds:.0f} ms"


@contextmanager
def behind(fault: str, nginx: bool) -> Iterator[Fault]:
    """Two origins and a fault to be."""
    if nginx:
        with origin("v1") as stable, origin("v2") as canary:
            failing = (stable, canary) if fault == "both" else (canary,)

            def break_them() -> None:
                for one in failing:
                    one.fail()

            yield Fault(canary.kind, (stable.url, canary.url), break_them, lambda: None)
        return
    with faulty("v1") as first, faulty("v2") as second:

        def begin() -> None:
            if fault == "both":
                first.order("fail")
            second.order("fail" if fault == "both" else fault)

        def met() -> tuple[int, float | None]:
            seen = second.seen()
            return seen.met, seen.last

        yield Fault(second.kind, (first.url, second.url), begin, met)


async def one_trip(running: Weir, fault: Fault, seconds: float) -> Trip:
    """Load, a fault, a trip."""
    client, answers, over = Client(running.port), list[Answer](), asyncio.Event()
    request = client.request("/")

    async def ask(_: int) -> None:
        answers.append(await client.ask(request))

    load = asyncio.ensure_future(open_loop(RATE, ask, over, most=int(RATE * (BEFORE + AFTER + seconds))))
    await asyncio.sleep(BEFORE)
    began, wall = time.monotonic(), time.time()
    await asyncio.to_thread(fault.begin)
    try:
        view = await after_trip(running, seconds)
    finally:
        over.set()
        await load
        client.close()
    counted = await asyncio.to_thread(fault.met)
    return summary(answers, view, counted, began, wall)


async def after_trip(running: Weir, seconds: float) -> dict[str, Any]:
    """The service a while after its trip, or after so many seconds without one."""
    try:
        await asyncio.to_thread(running.admin.await_trip, "shop", seconds)
    except DeadlineExceeded:
        pass
    else:
        await asyncio.sleep(AFTER)
    return await asyncio.to_thread(running.admin.service, "shop")


def summary(
    answers: list[Answer],
    view: dict[str, Any],
    counted: tuple[int, float | None] | None,
    began: float,
    wall: float,
) -> Trip:
    """What clients, canary and API saw of it."""
    harmed = [a for a in answers if a.at >= began and (not a.good or a.at - a.sent > LATE)]
    trip, blast = view["trip"], view["blast_radius"]
    met, last = counted or (blast["harmed"] + blast["rescued"], None)
    zero = None
    if trip and trip["acknowledged_ms"] is not None:
        zero = (datetime.fromisoformat(trip["at"]).timestamp() - wall) * 1000 + trip["acknowledged_ms"]
    return Trip(
        met=met,
        last=None if last is None else (last - began) * 1000,
        zero=zero,
        harmed=len(harmed),
        others=len([answer for answer in harmed if answer.status and answer.version != "v2"]),
        rescued=blast["rescued"],
        sentence=trip["sentence"] if trip else f"no trip: {view['verdict']['sentence']}",
    )


def median(values: list[float]) -> str:
    """The middle and the largest."""
    return f"{statistics.median(values):.0f} (at most {max(values):.0f})" if values else "-"


def main() -> int:
    """Runs it several times; 1 when the canary was in when it had to be out, or out when not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fault", choices=FAULTS, default="fail")
    parser.add_argument("--rescue", choices=("on", "off"), default="on")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--nginx", action="store_true")
    given = parser.parse_args()
    if given.nginx and given.fault not in ("fail", "both"):
        parser.error(f"--fault {given.fault}: nginx knows only fail and both; leave out --nginx")
    trips = []
    for number in range(given.runs):
        with tempfile.TemporaryDirectory() as made, behind(given.fault, given.nginx) as fault:
            if number == 0:
                print(f"{given.fault}, rescue {given.rescue}; origins {fault.kind}; {RATE:g}/s; {WEIGHT} %")
            text = services(*fault.urls, weight=WEIGHT, more=f"    rescue: {given.rescue}\n")
            with weir(Path(made), text) as running:
                longest = WATCHED if given.fault == "both" else LONGEST
                trips.append(uvloop.run(one_trip(running, fault, longest)))
        print(f"  {trips[-1].line()}", flush=True)
    zeros = [trip.zero for trip in trips if trip.zero is not None]
    print(
        f"medians: met {median([t.met for t in trips])}; ms to zero {median(zeros)}; "
        f"harmed {median([t.harmed for t in trips])}; rescued {median([t.rescued for t in trips])}"
    )
    return 1 if len(zeros) != (0 if given.fault == "both" else given.runs) else 0


if __name__ == "__main__":
    sys.exit(main())
