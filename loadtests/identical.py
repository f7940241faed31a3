"""Is a good canary left alone? Two identical origins under a steady 500 requests/s at 20 %, for ten minutes.

    python loadtests/identical.py [--minutes 10]

Nothing is wrong with the canary, so nothing may take it out. Printed each minute and at the end: the odds
against it, the assurance, and what the clients saw.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import uvloop
from rig.client import Client, open_loop
from rig.origins import origin
from rig.weir import Weir, services, weir

RATE = 500.0  # requests a second
WEIGHT = 20  # percent
SHOWN = 60.0  # seconds from one line to the next


async def compare(running: Weir, minutes: float) -> tuple[dict[str, Any], Counter[str]]:
    """Load for so long, or until the canary is out; the service at the end, and a count of the answers."""
    client, seen, over = Client(running.port), Counter[str](), asyncio.Event()
    request = client.request("/")

    async def ask(_: int) -> None:
        answer = await client.ask(request)
        seen[f"{answer.version or 'nobody'} {answer.status or answer.trouble}"] += 1

    seconds = minutes * 60
    load = asyncio.ensure_future(open_loop(RATE, ask, over, most=int(RATE * seconds)))
    begun = time.monotonic()
    view: dict[str, Any] = {}
    try:
        while not load.done() and not view.get("trip"):
            await asyncio.wait({load}, timeout=SHOWN)
            view = await asyncio.to_thread(running.admin.service, "shop")
            print(f"  {time.monotonic() - begun:4.0f} s: {told(view)}", flush=True)
    finally:
        over.set()
        await load
        client.close()
    return view, seen


def told(view: dict[str, Any]) -> str:
    """How the canary stands, in one line."""
    sides = ", ".join(
        f"{name} p50 {side['p50'] * 1000:.2f} ms p99 {side['p99'] * 1000:.2f} ms"
        for name in ("stable", "canary")
        if (side := view["window"][name]) and side["p50"] is not None
    )
    checks = ", ".join(
        f"{finding['check']} {finding['odds']:.3g}:1"
        for finding in view["verdict"]["findings"]
        if finding.get("odds") is not None
    )
    evidence = view["evidence"]
    return f"odds {evidence['odds']:.3g}:1 of {evidence['bar']:g}:1 ({checks}); {sides}"


def main() -> int:
    """Runs it once; 1 when the canary was taken out or a request failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as made, origin("v1") as stable, origin("v2") as canary:
        print(f"origins: {stable.kind}; 2 workers; {RATE:g} requests/s; weight {WEIGHT} %; {minutes:g} min")
        with weir(Path(made), services(stable.url, canary.url, weight=WEIGHT)) as running:
            view, seen = uvloop.run(compare(running, minutes))
    print(f"answers: {', '.join(f'{count} x {what}' for what, count in sorted(seen.items()))}")
    print(view["trip"]["sentence"] if view["trip"] else f"no trip: {view['verdict']['sentence']}")
    return 1 if view["trip"] or any(not what.endswith(" 200") for what in seen) else 0


if __name__ == "__main__":
    sys.exit(main())
