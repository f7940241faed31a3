"""Load beside whatever a test does: requests at a fixed rate, whose answers are kept."""

import asyncio

from rig.client import Answer, Client, open_loop
from rig.weir import until

RATE = 100.0
"""Requests a second."""
MOST = 60_000
"""Requests in all."""


class Traffic:
    """Open-loop load of `rate` requests a second while this is open; all answers are kept."""

    def __init__(self, port: int, rate: float = RATE) -> None:
        self.answers: list[Answer] = []
        self._rate = rate
        self._client = Client(port)
        self._over = asyncio.Event()

    async def __aenter__(self) -> "Traffic":
        self._load = asyncio.ensure_future(open_loop(self._rate, self._ask, self._over, most=MOST))
        await self.more(30)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        await self._load
        self._client.close()

    async def more(self, count: int) -> None:
        """Returns when `count` more answers have come."""
        wanted = len(self.answers) + count
        await until(lambda: len(self.answers) >= wanted, f"{count} answers")

    @property
    def failed(self) -> list[Answer]:
        return [answer for answer in self.answers if not answer.good]

    async def _ask(self, _: int) -> None:
        self.answers.append(await self._client.ask(self._client.request("/")))
