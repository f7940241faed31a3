"""Does the split hold? Real origins, the real proxy with two workers, three questions.

    python loadtests/split.py [--requests 100000]

1. Of 100,000 requests at 10 %, does 10 % (within 0.5 points) go to the canary?
2. Does a header segment go there whole?
3. While the weight rises 1 -> 5 -> 25 -> 50 %, does any sticky user who has met the canary meet stable again;
   and is everybody on stable after a trip?

Exit code 1 when one of the answers is no.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import uvloop
from rig.client import Answer, Client, closed_loop
from rig.origins import Origin, origin
from rig.weir import Weir, services, weir

WIDE = 32  # connections
USERS = 1_000
STEPS = (1, 5, 25, 50)  # percent
TOLERANCE = 0.005
TELLING = 0.2  # seconds, ample for both workers to be told of a weight: one of them is always the first

PLAIN = """    segments:
      - {name: testers, to: canary, match: {header: {X-Tester: {exact: "yes"}}}}
"""
STICKY = "    sticky: {cookie: user, issue: false}\n"


async def shares(client: Client, count: int, headers: dict[str, str]) -> Counter[str]:
    """Sends `count` equal requests; how many each version answered, trouble by its text."""
    request = client.request("/", headers)
    met: Counter[str] = Counter()

    async def ask(_: int) -> None:
        met[label(await client.ask(request))] += 1

    await closed_loop(count, WIDE, ask)
    return met


def label(answer: Answer) -> str:
    """The version that answered well, or what went wrong."""
    return answer.version if answer.good and answer.version else answer.trouble or f"status {answer.status}"


async def ten_percent(running: Weir, count: int) -> bool:
    """Question one and two."""
    client = Client(running.port)
    begun = time.monotonic()
    met = await shares(client, count, {})
    seconds = time.monotonic() - begun
    share = met["v2"] / count
    print(f"weight 10 %: {count} requests in {seconds:.1f} s: canary {share:.2%}, {dict(met)}")
    pinned = await shares(client, count // 10, {"X-Tester": "yes"})
    print(f"header segment: {count // 10} requests: {dict(pinned)}")
    client.close()
    whole = set(met) <= {"v1", "v2"}
    return whole and abs(share - 0.1) <= TOLERANCE and set(pinned) == {"v2"}


async def users(client: Client, label_of: dict[str, str]) -> Counter[str]:
    """Every user asks twice; their versions go to `label_of`; counts moves by name, e.g. "v1 -> v2"."""
    moves: Counter[str] = Counter()

    async def ask(number: int) -> None:
        name = f"user-{number % USERS}"
        now = label(await client.ask(client.request("/", {"Cookie": f"user={name}"})))
        before = label_of.get(name, now)
        moves[f"{before} -> {now}"] += 1
        label_of[name] = now

    await closed_loop(2 * USERS, WIDE, ask)
    return moves


async def sticky_users(running: Weir, canary: Origin) -> bool:
    """Question three."""
    client, label_of, fine = Client(running.port), dict[str, str](), True
    for percent in STEPS:
        await asyncio.to_thread(running.admin.set_weight, "shop", percent, "split.py")
        await asyncio.sleep(TELLING)
        moves = await users(client, label_of)
        on_canary = Counter(label_of.values())["v2"]
        print(f"sticky at {percent:>2} %: {on_canary} of {USERS} users on canary; {dict(moves)}")
        fine = fine and set(moves) <= {"v1 -> v1", "v1 -> v2", "v2 -> v2"} and on_canary > 0
    canary.fail()
    await users(client, label_of)
    trip = (await asyncio.to_thread(running.admin.await_trip, "shop", 10.0))["trip"]
    print(f"tripped: {trip['sentence']}")
    label_of.clear()
    moves = await users(client, label_of)
    print(f"sticky after the trip: {dict(moves)}")
    client.close()
    return fine and set(moves) == {"v1 -> v1"}


def main() -> int:
    """Asks all three; 0 when each answer is yes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=100_000)
    count = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as made, origin("v1") as stable, origin("v2") as canary:
        print(f"origins: {stable.kind}, {canary.kind}; 2 workers; {WIDE} connections")
        first, second = Path(made, "plain"), Path(made, "sticky")
        first.mkdir()
        second.mkdir()
        with weir(first, services(stable.url, canary.url, weight=10, more=PLAIN)) as running:
            fine = uvloop.run(ten_percent(running, count))
        with weir(second, services(stable.url, canary.url, more=STICKY)) as running:
            fine = uvloop.run(sticky_users(running, canary)) and fine
    print("fine" if fine else "NOT as it has to be")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
