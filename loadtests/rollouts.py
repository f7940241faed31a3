"""How long a rollout takes to go back when its canary turns bad: in a step, paused, and while a hook hangs.

    python loadtests/rollouts.py [--runs 3] [--rate 300]

Real origins (nginx where it is installed), the real proxy with two workers, an open-loop load. The canary
begins to answer 500 at a moment that is known; told are the milliseconds from then until every worker has it
out, by the API, and how many bad answers reached a client. Beside it: a good rollout through five steps, its
promotion and its undo, with every request that failed.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from rig.origins import Origin, origin
from rig.traffic import Traffic
from rig.weir import Weir, until, weir

HANG = """    hooks: [{at: before-promotion, url: "http://127.0.0.1:%d/", timeout: 60s}]
"""
SERVICE = """services:
  shop:
    stable: {endpoints: %s, version: v1}
    canary: {endpoints: %s, version: v2}
    analysis: {step_up: off}
    rollout: {steps: %s, hold: 1s, min_requests: 20}
%s"""
FIVE = "[5%, 10%, 25%, 50%, 100%]"
THREE = "[5%, 10%, {weight: 25%, hold: 1h}, 100%]"


async def phase(running: Weir, word: str, step: int | None = None) -> None:
    """Wait until the rollout is there."""

    def there() -> bool:
        view = running.admin.service("shop")
        return view["phase"] == word and step in (None, view["rollout"]["step"])

    await until(there, f"{word}, step {step}")


async def in_step_3(running: Weir) -> None:
    """In the third step of four."""
    await phase(running, "progressing", 3)


async def paused(running: Weir) -> None:
    """Paused by a person in the third step."""
    await in_step_3(running)
    running.admin.order("shop", "pause", reason="to see what happens")


async def at_a_hook(running: Weir) -> None:
    """All steps are done, and a hook is asked that never answers."""
    await phase(running, "promoting")


async def bad(running: Weir, canary: Origin, rate: float, reach: Callable[[Weir], Awaitable[None]]) -> str:
    """A canary that turns bad once the rollout has reached a place; what came of it."""
    async with Traffic(running.port, rate) as traffic:
        running.admin.order("shop", "start")
        await reach(running)
        began = time.monotonic()
        canary.fail()
        await asyncio.to_thread(running.admin.await_trip, "shop", 20.0, 0.001)
        took = (time.monotonic() - began) * 1000
        await traffic.more(100)
    blast = running.admin.service("shop")["blast_radius"]
    history = running.admin.history("shop")
    entry = next(each for each in reversed(history) if each["event"] == "trip")
    return (
        f"{took:6.0f} ms until every worker has it out ({entry['acknowledged_ms']:.1f} ms for telling), "
        f"{entry['finding']['sample']} answers; bad answers to clients {len(traffic.failed)}, "
        f"rescued {blast['rescued']}"
    )


async def good(running: Weir, rate: float) -> str:
    """Through five steps, promotion and undo."""
    async with Traffic(running.port, rate) as traffic:
        began = time.monotonic()
        running.admin.order("shop", "start")
        await phase(running, "promoted")
        took = time.monotonic() - began
        await traffic.more(100)
        running.admin.order("shop", "undo", reason="to see what happens")
        await traffic.more(100)
    return (
        f"{took:.1f} s from start to promotion; {len(traffic.answers)} requests, {len(traffic.failed)} failed"
    )


async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """A hook that reads and never answers."""
    await reader.read()


async def measure(runs: int, rate: float) -> None:
    """All of it, one line each."""
    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    cases = (
        ("in step 3", THREE, "", in_step_3),
        ("paused", THREE, "", paused),
        ("while a hook hangs", "[100%]", HANG % port, at_a_hook),
    )
    for run in range(runs):
        with origin("v1") as stable, origin("v2") as canary:
            for name, steps, more, reach in cases:
                with tempfile.TemporaryDirectory() as made:
                    text = SERVICE % (stable.url, canary.url, steps, more)
                    with weir(Path(made), text) as running:
                        print(f"{run + 1}  {name:20}", await bad(running, canary, rate, reach), flush=True)
                canary.recover()
            with tempfile.TemporaryDirectory() as made:
                text = SERVICE % (stable.url, canary.url, FIVE, "")
                with weir(Path(made), text) as running:
                    print(f"{run + 1}  {'a good canary':20}", await good(running, rate), flush=True)
    server.close()


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=300.0, help="requests a second")
    options = parser.parse_args()
    asyncio.run(measure(options.runs, options.rate))


if __name__ == "__main__":
    main()
