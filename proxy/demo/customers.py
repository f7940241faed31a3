"""Made-up customers who send requests at a steady rate, whatever the answers are.

Open loop: a slow or failing version does not lower the rate, as it does not with real customers. Each
customer has a name and sends it in a cookie, over kept-alive connections.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import aiohttp

from proxy.demo.customer_counts import ObservedRequest
from proxy.demo.samples import VERSION_HEADER

COOKIE = "customer"
PATIENCE = 5.0
"""Seconds that a customer waits for an answer."""
CONNECTIONS = 64
"""Connections to the proxy, at most."""

FIRST = "ada alan barbara claude dennis edsger frances grace hedy ivan john katherine leslie margaret niklaus"
LAST = (
    "amber birch cedar dune ember fjord grove heath iris juniper kelp larch moss nettle oak pine quartz reed"
)


def customer_names(count: int) -> list[str]:
    """Return `count` different names, the same ones each time."""
    pairs = [f"{first}-{last}" for last in LAST.split() for first in FIRST.split()]
    rounds = -(-count // len(pairs))
    names = [pair if turn == 0 else f"{pair}-{turn + 1}" for turn in range(rounds) for pair in pairs]
    return names[:count]


class Customers:
    """The customers of one proxy, as an async context manager whose end cancels the open requests.

    Args:
        address: the proxy, as http://host:port.
        paths: for each service the path of its requests.
        names: the customers.
        record: called with each request and its answer.
        connections: how many connections are used, at most.
    """

    def __init__(
        self,
        address: str,
        paths: dict[str, str],
        names: Sequence[str],
        record: Callable[[ObservedRequest], None],
        *,
        connections: int = CONNECTIONS,
    ) -> None:
        self._address = address
        self._paths = list(paths.items())
        self._names = list(names)
        self._record = record
        self._random = random.Random(2)
        self._connections = connections
        self._open: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"<Customers {len(self._names)} of {self._address}, {len(self._open)} waiting>"

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
    async def sending(self, rate: float) -> AsyncIterator[None]:
        """Send `rate` requests a second while the context is open."""
        sending = asyncio.ensure_future(self._keep_sending(rate))
        try:
            yield
        finally:
            sending.cancel()

    async def request(self, service: str, path: str, customer: str) -> ObservedRequest:
        """Send one request of one customer; an error becomes part of the record, not an exception."""
        assert self._session is not None, "requests are sent inside the context only"
        begun = time.monotonic()
        version, status, reason = "", 0, ""
        try:
            async with self._session.get(
                self._address + path, headers={"Cookie": f"{COOKIE}={customer}"}
            ) as answer:
                await answer.read()
                version, status = answer.headers.get(VERSION_HEADER, ""), answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            reason = f"{type(error).__name__}: {error}"
        now = time.monotonic()
        return ObservedRequest(now, service, customer, version, status, now - begun, reason)

    async def _request_and_record(self, service: str, path: str, customer: str) -> None:
        self._record(await self.request(service, path, customer))

    async def _keep_sending(self, rate: float) -> None:
        # Late requests are sent at once: the rate holds over time, not between two requests.
        begun = time.monotonic()
        sent = 0
        while True:
            due = int((time.monotonic() - begun) * rate) - sent
            for _ in range(due):
                self._send_one()
            sent += due
            await asyncio.sleep(max(0.001, (sent + 1) / rate - (time.monotonic() - begun)))

    def _send_one(self) -> None:
        service, path = self._random.choice(self._paths)
        task = asyncio.ensure_future(
            self._request_and_record(service, path, self._random.choice(self._names))
        )
        self._open.add(task)
        task.add_done_callback(self._open.discard)
