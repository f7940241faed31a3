"""What does it cost when a process dies? SIGKILL of control, then of a worker, under load.

    python loadtests/kill.py [--rate 500]

The client sends nothing twice and hides nothing: every request that did not get its whole answer is counted.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import uvloop
from rig.client import Answer, Client, open_loop
from rig.origins import origin
from rig.processes import kill
from rig.weir import Weir, services, weir

from proxy.demo.processes import wait_until

BEFORE, AFTER = 2.0, 4.0  # seconds of load around a death
RESTART_SECONDS = 10.0


async def under_load(running: Weir, rate: float, event: Callable[[], float]) -> tuple[list[Answer], float]:
    """All answers of a load in whose middle `event` happens; with what `event` returned."""
    client, answers, over = Client(running.port), list[Answer](), asyncio.Event()
    request = client.request("/")

    async def ask(_: int) -> None:
        answers.append(await client.ask(request))

    load = asyncio.ensure_future(open_loop(rate, ask, over, most=int(rate * 60)))
    try:
        await asyncio.sleep(BEFORE)
        took = await asyncio.to_thread(event)
        await asyncio.sleep(AFTER)
    finally:
        over.set()
        await load
        client.close()
    return answers, took


def kill_control(running: Weir) -> float:
    """SIGKILL for control; milliseconds until a new one is ready."""
    old, begun = running.control(), time.monotonic()
    kill(old)
    wait_until(
        lambda: running.controls() not in ([], [old]) and running.admin.ready(),
        "a new control",
        RESTART_SECONDS,
    )
    return (time.monotonic() - begun) * 1000


def kill_worker(running: Weir) -> float:
    """SIGKILL for one worker; milliseconds until its successor runs."""
    old, begun = running.workers(), time.monotonic()
    kill(old[0])
    wait_until(lambda: len(set(running.workers()) - {old[0]}) == len(old), "a new worker", RESTART_SECONDS)
    return (time.monotonic() - begun) * 1000


def report(who: str, answers: list[Answer], took: float) -> int:
    """Prints one line; the number of failed requests."""
    failed = [answer for answer in answers if not answer.good]
    kinds = Counter(answer.trouble or f"status {answer.status}" for answer in failed)
    slowest = max(answer.at - answer.sent for answer in answers) * 1000
    print(
        f"SIGKILL of {who}: {len(failed)} of {len(answers)} requests failed {dict(kinds) or ''}; "
        f"slowest {slowest:.0f} ms; a new one after {took:.0f} ms"
    )
    return len(failed)


def main() -> int:
    """Kills both; 1 when the death of control failed a request."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rate", type=float, default=500.0)
    rate = parser.parse_args().rate
    with tempfile.TemporaryDirectory() as made, origin("v1") as stable, origin("v2") as canary:
        print(f"origins: {stable.kind}; 2 workers; {rate:g} requests/s; weight 10 %")
        with weir(Path(made), services(stable.url, canary.url, weight=10)) as running:
            lost = report("control", *uvloop.run(under_load(running, rate, lambda: kill_control(running))))
            report("a worker", *uvloop.run(under_load(running, rate, lambda: kill_worker(running))))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
