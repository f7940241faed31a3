"""What do a thousand services cost? Reloads, an edit of a weight, and scrapes of /metrics, beside traffic.

    python loadtests/scale.py [--services 1000] [--runs 3] [--only turns|reload|scrape]

turns: CPU time of the longest turn of a worker's loop while it takes a table in which all services changed,
or one weight. reload: how long a reload takes that changes all of them, what it costs control, and the
largest latency of 200 requests/s to two workers meanwhile and before. scrape: the time from a canary's first
failure until every worker has acknowledged that it is out, with and without somebody who scrapes /metrics in
a loop, and how long the admin API takes to answer /livez meanwhile. Exit code 1 when turns or the best reload
are above their bars; what was late beside that is only shown, as it tells of the machine as well.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import uvloop
from rig import turns
from rig.client import Answer, Client, open_loop
from rig.faulty import FaultyOrigin, faulty
from rig.machine import machine
from rig.processes import cpu_seconds
from rig.weir import Weir, weir

from proxy.config.reader import read
from proxy.control.configuration import shaped
from proxy.routing.split import Split
from proxy.routing.table import Service

RATE = 200.0  # requests a second
CALM = 2.0  # seconds of load before what is measured
LONGEST = 20.0  # seconds for a trip
LONGEST_TURN, LONGEST_EDIT = 20.0, 1.0  # milliseconds of CPU
LONGEST_RELOAD = 1.0  # seconds
LATER = 20.0  # milliseconds by which scrapes may delay a verdict
HOST = "shop0.example"


def config(count: int, stable: str, canary: str, more: str = "") -> str:
    """So many services, of which the first gets the traffic; `more` are further lines of each."""
    lines = ["services:"]
    for number in range(count):
        lines += [
            f"  shop{number}:",
            f"    match: {{host: shop{number}.example}}",
            f"    stable: {stable}",
            f"    canary: {canary}",
            "    weight: 50%",
            more,
        ]
    return "\n".join(lines)


# The longest turns of a worker.


def tables(count: int) -> Iterator[Sequence[Service]]:
    """The first, five in which all changed, and twenty in which one weight did."""
    text = config(count, "http://127.0.0.1:9001", "http://127.0.0.1:9002")
    told = read(text, "made", os.environ)
    shapes = [shaped(told, name) for name in told.services]
    for revision in range(1, 7):
        yield [replace(shape, revision=revision) for shape in shapes]
    for revision in range(7, 27):
        yield [replace(shapes[0], revision=revision, split=Split((("canary", 100 * revision),)))]


def worst_turns(count: int) -> bool:
    """Prints the longest turns; whether both bars are met."""
    found = turns.measure(tables(count))
    first, reloads, edits = found[0], found[1:6], found[6:]
    edit = statistics.median(edits)
    print("longest turn of a worker, ms of CPU (median, at most):")
    print(f"  the first table {first:.1f}")
    print(f"  all services changed {statistics.median(reloads):.1f}, {max(reloads):.1f}")
    print(f"  one weight changed {edit:.2f}, {max(edits):.2f}")
    return max(first, *reloads) <= LONGEST_TURN and edit <= LONGEST_EDIT


# Reloads.


async def requests(port: int, seconds: float, over: asyncio.Event) -> list[Answer]:
    """All answers to a steady load, until it is over or so many seconds have gone."""
    client, answers = Client(port), list[Answer]()
    request = client.request("/").replace(f"127.0.0.1:{port}".encode(), HOST.encode())

    async def ask(_: int) -> None:
        answers.append(await client.ask(request))

    await open_loop(RATE, ask, over, most=int(RATE * seconds))
    client.close()
    return answers


def latencies(answers: Sequence[Answer]) -> str:
    """For a person: milliseconds."""
    took = sorted((answer.at - answer.sent) * 1000 for answer in answers)
    bad = sum(not answer.good for answer in answers)
    shown = f"p50 {statistics.median(took):.1f} ms, at most {took[-1]:.1f} ms"
    return shown + (f", {bad} NOT ANSWERED" if bad else "")


async def reload(running: Weir, text: str) -> float:
    """Reloads under load, and prints it; seconds until the API answered."""
    calm = await requests(running.port, CALM, asyncio.Event())
    head = running.config.read_text().partition("services:")[0]
    running.config.write_text(head + text)
    over = asyncio.Event()
    load = asyncio.ensure_future(requests(running.port, 60.0, over))
    await asyncio.sleep(0.2)
    control = [running.control()]
    began, before = time.monotonic(), cpu_seconds(control)
    await asyncio.to_thread(post, f"{running.admin.address}/api/v1/config/reload")
    took, used = time.monotonic() - began, cpu_seconds(control) - before
    await asyncio.sleep(1.0)
    over.set()
    print(f"reload: {took * 1000:.0f} ms, {used * 1000:.0f} ms of control's CPU")
    print(f"  requests before: {latencies(calm)}; meanwhile: {latencies(await load)}", flush=True)
    return took


def post(url: str) -> bytes:
    """The answer; an error where it isn't 2xx."""
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=60) as answer:
        return bytes(answer.read())


def reloads(count: int, runs: int) -> bool:
    """Whether the best of these is fast enough: others have this machine, too."""
    with behind(count) as (running, text, _):
        halts = [f"    halt: {{drain: {11 + run}s}}\n" for run in range(runs)]
        took = [uvloop.run(reload(running, text(halt))) for halt in halts]
    return min(took) <= LONGEST_RELOAD


@contextmanager
def behind(count: int, more: str = "") -> Iterator[tuple[Weir, Callable[[str], str], FaultyOrigin]]:
    """weir before two origins; what makes another file, and the canary."""
    with tempfile.TemporaryDirectory() as made, faulty("v1") as one, faulty("v2") as two:

        def text(more: str) -> str:
            return config(count, one.url, two.url, more)

        with weir(Path(made), text(more)) as running:
            yield running, text, two


# Scrapes.


@dataclass(frozen=True, slots=True)
class Trip:
    """Milliseconds from the first failure until all workers knew; how long others waited meanwhile."""

    after: float
    scrapes: list[float]
    alive: list[float]

    def line(self) -> str:
        """For a person."""
        shown = f"canary out after {self.after:.0f} ms; /livez after {statistics.median(self.alive):.1f} ms"
        shown += f" (at most {max(self.alive):.1f})"
        if not self.scrapes:
            return shown
        return f"{shown}; {len(self.scrapes)} scrapes of {statistics.median(self.scrapes):.0f} ms"


async def again(url: str, over: asyncio.Event, pause: float) -> list[float]:
    """Milliseconds of each GET, one after the other, until it is over."""
    took = []
    while not over.is_set():
        began = time.monotonic()
        await asyncio.to_thread(get, url)
        took.append((time.monotonic() - began) * 1000)
        await asyncio.sleep(pause)
    return took


def get(url: str) -> bytes:
    """The answer's body."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


async def trip(running: Weir, canary: FaultyOrigin, *, scraped: bool) -> Trip:
    """Load, a fault and a trip, with or without scrapes."""
    over, address = asyncio.Event(), running.admin.address
    load = asyncio.ensure_future(requests(running.port, LONGEST + CALM, over))
    alive = asyncio.ensure_future(again(f"{address}/livez", over, 0.005))
    scrapes = asyncio.ensure_future(again(f"{address}/metrics", over, 0.0)) if scraped else None
    await asyncio.sleep(CALM)
    began, wall = time.monotonic(), time.time()
    await asyncio.to_thread(canary.order, "fail")
    try:
        await asyncio.to_thread(running.admin.await_trip, "shop0", LONGEST)
        await asyncio.sleep(0.5)
    finally:
        over.set()
    answers = await load
    view = await asyncio.to_thread(running.admin.service, "shop0")
    failed = min(each.at for each in answers if each.at > began and each.version == "v2")
    decided = (datetime.fromisoformat(view["trip"]["at"]).timestamp() - wall) * 1000
    zero = decided + view["trip"]["acknowledged_ms"]
    return Trip(zero - (failed - began) * 1000, await scrapes if scrapes else [], await alive)


def scrapes(count: int, runs: int) -> bool:
    """Prints the trips, without and with scrapes in turns. What is late is shown, and no bar."""
    after: dict[bool, list[float]] = {False: [], True: []}
    for scraped in (False, True) * runs:
        with behind(count, "    rescue: off\n") as (running, _, canary):
            found = uvloop.run(trip(running, canary, scraped=scraped))
        after[scraped].append(found.after)
        print(f"{'scraped' if scraped else 'alone  '}: {found.line()}", flush=True)
    later = statistics.median(after[True]) - statistics.median(after[False])
    print(f"scrapes delay a verdict by {later:+.0f} ms (medians of {runs})")
    return True


def main() -> int:
    """Runs what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=("turns", "reload", "scrape"), action="append")
    given = parser.parse_args()
    print(*(f"{name}: {value}" for name, value in machine().items()), sep="; ")
    print(f"{given.services} services")
    asked = given.only or ("turns", "reload", "scrape")
    met = [worst_turns(given.services)] if "turns" in asked else []
    met += [scrapes(given.services, given.runs)] if "scrape" in asked else []
    met += [reloads(given.services, given.runs)] if "reload" in asked else []
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
