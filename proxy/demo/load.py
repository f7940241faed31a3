"""Made-up customers who ask at a steady rate, whatever the answers do.

Open loop: a slow or failing version does not make the customers ask less, as it would not outside either.
Each customer has a name and sends it in a cookie, over kept-alive connections.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import aiohttp

from proxy.demo.samples import VERSION_HEADER
from proxy.demo.seen import Sighting

COOKIE = "customer"
PATIENCE = 5.0  # seconds a customer waits for an answer
CONNECTIONS = 64

FIRST = "ada alan barbara claude dennis edsger frances grace hedy ivan john katherine leslie margaret niklaus"
LAST = (
    "amber birch cedar dune ember fjord grove heath iris juniper kelp larch moss nettle oak pine quartz reed"
)


def customers(count: int) -> list[str]:
    """`count` different names, always the same ones."""
    pairs = [f"{first}-{last}" for last in LAST.split() for first in FIRST.split()]
    rounds = -(-count // len(pairs))
    names = [pair if turn == 0 else f"{pair}-{turn + 1}" for turn in range(rounds) for pair in pairs]
    return names[:count]


class Crowd:
    """Customers of one proxy at `address` (http://host:port); every sighting goes to `seen`.

    `places` maps a service to the path under which it is asked. An async context manager: its end cancels
    what is on the way and closes the connections.
    """

    def __init__(
        self,
        address: str,
        places: dict[str, str],
        names: Sequence[str],
        seen: Callable[[Sighting], None],
        *,
        connections: int = CONNECTIONS,
    ) -> None:
        self._address = address
        self._places = list(places.items())
        self._names = list(names)
        self._seen = seen
        self._dice = random.Random(2)
        self._connections = connections
        self._open: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"<Crowd of {len(self._names)} at {self._address}, {len(self._open)} waiting>"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),  # each request brings the cookie of its own customer
            timeout=aiohttp.ClientTimeout(total=PATIENCE),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def asking(self, rate: float) -> AsyncIterator[None]:
        """While this is open, the customers ask `rate` times a second."""
        asking = asyncio.ensure_future(self._keep_asking(rate))
        try:
            yield
        finally:
            asking.cancel()

    async def ask(self, service: str, path: str, customer: str) -> Sighting:
        """One request of one customer; trouble is part of the answer and not an exception."""
        assert self._session is not None, "a crowd asks inside its context only"
        begun = time.monotonic()
        version, status, trouble = "", 0, ""
        try:
            async with self._session.get(
                self._address + path, headers={"Cookie": f"{COOKIE}={customer}"}
            ) as answer:
                await answer.read()
                version, status = answer.headers.get(VERSION_HEADER, ""), answer.status
        except (aiohttp.ClientError, TimeoutError) as problem:
            trouble = f"{type(problem).__name__}: {problem}"
        now = time.monotonic()
        return Sighting(now, service, customer, version, status, now - begun, trouble)

    async def ask_and_tell(self, service: str, path: str, customer: str) -> None:
        """One request, told to whoever counts."""
        self._seen(await self.ask(service, path, customer))

    async def _keep_asking(self, rate: float) -> None:
        # What was late is made up for at once: the rate holds over time, not between two requests.
        begun = time.monotonic()
        asked = 0
        while True:
            due = int((time.monotonic() - begun) * rate) - asked
            for _ in range(due):
                self._send_one()
            asked += due
            await asyncio.sleep(max(0.001, (asked + 1) / rate - (time.monotonic() - begun)))

    def _send_one(self) -> None:
        service, path = self._dice.choice(self._places)
        task = asyncio.ensure_future(self.ask_and_tell(service, path, self._dice.choice(self._names)))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
