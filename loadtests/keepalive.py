"""Whether requests are lost to an endpoint that closes kept connections after five seconds.

    python loadtests/keepalive.py [--clients 150] [--rounds 7] [--idle 4s]

uvicorn and Node.js close a connection that was idle for 5 s. A request that is sent at that very moment is
lost, and a POST can't be sent again. All clients send a POST every 4.99 to 5.01 s. Told is what they got.
Exit status 1 when one of them got anything but 200.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

from rig.client import Client
from rig.weir import weir

from proxy.demo.ports import LOOPBACK

CLOSES_AFTER = 5.0
"""Seconds without a request."""
SPREAD = 0.01
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
POST = b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nhi"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer requests, and close the connection when none comes."""
    with suppress(TimeoutError, asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        while True:
            async with asyncio.timeout(CLOSES_AFTER):
                await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(2)
            writer.write(ANSWER)
            await writer.drain()
    writer.close()


async def one_client(port: int, rounds: int, answers: Counter[str]) -> None:
    """Send a POST about every five seconds, when the others do: that many connections wait meanwhile."""
    client, loop = Client(port), asyncio.get_running_loop()
    begun = loop.time()
    for number in range(rounds):
        due = begun + number * CLOSES_AFTER + random.uniform(0, 2 * SPREAD)
        await asyncio.sleep(due - loop.time())
        answers[(await client.ask(POST)).result] += 1
    client.close()


async def measure(clients: int, rounds: int, idle: str) -> bool:
    """Send all requests; return whether all were answered."""
    origin = await asyncio.start_server(serve, LOOPBACK, 0)
    port = origin.sockets[0].getsockname()[1]
    pool = f"pool: {{idle: {idle}}}\n" if idle else ""
    settings = f'{pool}services: {{shop: {{stable: "http://{LOOPBACK}:{port}"}}}}\n'
    answers: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as made, weir(Path(made), settings, workers=1) as running:
        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(one_client(running.port, rounds, answers))
    print(f"pool.idle {idle or 'as it comes'}: {answers.total()} requests: {dict(answers)}")
    return set(answers) == {"200"}


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clients", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--idle", default="", help="pool.idle; by default what the program has")
    asked = parser.parse_args()
    return 0 if asyncio.run(measure(asked.clients, asked.rounds, asked.idle)) else 1


if __name__ == "__main__":
    sys.exit(main())
