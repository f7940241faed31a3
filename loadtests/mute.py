"""Whether a name that no server answers harms anybody but its own endpoint.

    python loadtests/mute.py [--rounds 6] [--seconds 5] [--rate 200]

A service whose stable closes its connections has a canary at 50 % whose name is mute; another service has
only a good name. Rounds alternate with such in which the canary's name is a good one, too. Told are failed
requests, the p99 of the other service in both kinds of rounds, and how many requests the canary was meant
for when it was out. Exit status 1 when a request failed, or when the p99 was more than 1.5 times as long.
"""

import argparse
import asyncio
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from statistics import median

from rig.client import Answer, Client, open_loop
from rig.nameserver import NameServer, Reply
from rig.weir import Weir

from proxy.demo.ports import LOOPBACK

SETTINGS = """resolver: {servers: ["%s"]}
services:
  shop:
    match: {path: /shop}
    stable: "http://good.test:%d"
    canary: "http://%s:%d"
    weight: 50%%
  other: {match: {path: /other}, stable: "http://other.test:%d"}
"""
MOST_P99 = 1.5
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request and close the connection, as gunicorn's sync workers do."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
    writer.close()


async def load(running: Weir, rate: float, seconds: float) -> dict[str, list[Answer]]:
    """Return the answers of both services to an open-loop load on both."""
    found: dict[str, list[Answer]] = {"/shop": [], "/other": []}
    client, over = Client(running.port), asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)

    async def ask(number: int) -> None:
        path = ("/shop", "/other")[number % 2]
        found[path].append(await client.ask(client.request(path)))

    await open_loop(rate, ask, over, most=1_000_000)
    client.close()
    return found


def p99(answers: list[Answer]) -> float:
    """Return the p99 of the times to an answer, in ms."""
    times = sorted(answer.at - answer.sent for answer in answers)
    return times[int(len(times) * 0.99)] * 1000


async def one_round(
    server: NameServer, name: str, port: int, rate: float, seconds: float
) -> tuple[int, float, str]:
    """Return the failed requests of both services, the p99 of the other one, and what came of the canary."""
    with tempfile.TemporaryDirectory() as made:
        running = Weir(Path(made), SETTINGS % (server.address, port, name, port, port))
        try:
            await asyncio.to_thread(running.start)
            found = await load(running, rate, seconds)
            view = await asyncio.to_thread(running.admin.service, "shop")
        finally:
            await asyncio.to_thread(running.kill_tree)
    failed = sum(not answer.good for answers in found.values() for answer in answers)
    trip = view["trip"]
    canary = f"out after {trip['finding']['sample']} requests" if trip else "in"
    return failed, p99(found["/other"]), canary


async def measure(rounds: int, rate: float, seconds: float) -> bool:
    """Alternate the rounds; return whether nothing went wrong."""
    origin = await asyncio.start_server(closes, LOOPBACK, 0)
    port = origin.sockets[0].getsockname()[1]
    zone = dict.fromkeys(("good.test", "other.test", "fine.test"), Reply([LOOPBACK]))
    times: dict[str, list[float]] = {"fine.test": [], "mute.test": []}
    failures = 0
    with NameServer({**zone, "mute.test": Reply(fault="mute")}) as server:
        for number in range(rounds):
            for name in times:
                failed, slow, canary = await one_round(server, name, port, rate, seconds)
                times[name].append(slow)
                failures += failed
                print(
                    f"{number + 1}  {name}: {failed} failed, p99 {slow:.2f} ms, canary {canary}", flush=True
                )
    ratio = median(mute / fine for fine, mute in zip(*times.values(), strict=True))
    print(f"{failures} failed; p99 of the other service: median ratio {ratio:.2f}, at most {MOST_P99}")
    return failures == 0 and ratio <= MOST_P99


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=200.0)
    asked = parser.parse_args()
    return 0 if asyncio.run(measure(asked.rounds, asked.rate, asked.seconds)) else 1


if __name__ == "__main__":
    sys.exit(main())
