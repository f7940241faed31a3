"""Does anybody ever get somebody else's answer? Tagged exchanges, while connections break on both sides.

    python loadtests/crosstalk.py [--exchanges 200000] [--connections 200]

200 kept-alive connections ask for tagged answers of many sizes. Now and then a client resets its connection
before or within an answer, and the endpoint resets, truncates, hangs up behind an answer, or sends a second
answer that nobody asked for behind a good one. An answer has to carry its own tag in its head and all through
its body, or be an answer of the proxy's own, or be cut. Exit code 1 when one carried anything else.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import uvloop
from rig.client import Connection
from rig.unruly import Unruly, tagged, unruly
from rig.weir import Weir, services, weir

from proxy.demo.ports import LOOPBACK

PATIENCE = 30.0  # seconds until an exchange counts as hung
DEEDS = {
    "good": 880, "chunked": 60, "leaves": 15, "closes": 10, "extra": 15, "resets": 8, "resets_within": 6,
    "truncates": 6,
}  # fmt: skip
CLIENT_RESETS = 0.01


class Talk:
    """All clients: what they have seen."""

    def __init__(self, port: int, exchanges: int) -> None:
        self._port = port
        self.left = exchanges
        self.seen: Counter[str] = Counter()
        self.wrong: list[str] = []

    async def client(self, name: int) -> None:
        """One client; it asks until enough has been asked by all."""
        connection: Connection | None = None
        while self.left > 0:
            self.left -= 1
            if connection is None or not connection.usable:
                connection = Connection(*await asyncio.open_connection(LOOPBACK, self._port))
            tag = f"{name}.{self.left}"
            try:
                async with asyncio.timeout(PATIENCE):
                    what = await self._ask(connection, tag)
            except (OSError, EOFError):
                what = "cut"
            except TimeoutError:
                what = "hung"
                self.wrong.append(f"{tag}: no answer in {PATIENCE:g} s")
            self.seen[what] += 1
            if what in ("cut", "hung", "left"):
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    async def _ask(self, connection: Connection, tag: str) -> str:
        """One exchange; what came of it in a word."""
        (do,) = random.choices(list(DEEDS), list(DEEDS.values()))
        size = random.choice((0, 1, 100, 1000, 5000, 20000))
        leaves = random.random() < CLIENT_RESETS
        request = f"GET /{tag}?do={do}&size={size} HTTP/1.1\r\nHost: shop\r\n\r\n".encode()
        await connection.send(request)
        if leaves:
            await asyncio.sleep(random.random() * 0.003)
            connection.reset()
            return "left"
        status, headers, body = await connection.answer()
        if "x-tag" not in headers and status in (502, 503, 504) and b"request id: " in body:
            return f"our own {status}"
        if status == 200 and headers.get("x-tag") == tag and body == tagged(tag, size):
            return "good"
        self.wrong.append(f"{tag}, {do}, {size}: {status} {headers} {body[:60]!r}")
        return "wrong"


async def talk(running: Weir, endpoint: Unruly, exchanges: int, connections: int) -> Talk:
    """Everybody asks until it is enough."""
    made, begun = Talk(running.port, exchanges), time.monotonic()
    async with asyncio.TaskGroup() as group:
        for name in range(connections):
            group.create_task(made.client(name))
    seconds = time.monotonic() - begun
    print(f"{exchanges} exchanges over {connections} connections in {seconds:.0f} s")
    print(f"clients saw: {dict(made.seen.most_common())}")
    print(f"the endpoint did: {dict(endpoint.done.most_common())}")
    return made


async def run(exchanges: int, connections: int) -> int:
    """One run; 0 when every answer was its own."""
    with tempfile.TemporaryDirectory() as made:
        async with unruly() as endpoint:
            # Nothing may take the canary's place: what fails here is meant to.
            with weir(Path(made), services(endpoint.url, endpoint.url)) as running:
                talked = await talk(running, endpoint, exchanges, connections)
    for line in talked.wrong[:20]:
        print(f"WRONG {line}")
    print(f"answers that carried another's tag, or anything else that is wrong: {len(talked.wrong)}")
    return 1 if talked.wrong else 0


def main() -> int:
    """Talks across; 0 when nobody got somebody else's answer."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--exchanges", type=int, default=200_000)
    parser.add_argument("--connections", type=int, default=200)
    options = parser.parse_args()
    return uvloop.run(run(options.exchanges, options.connections))


if __name__ == "__main__":
    sys.exit(main())
