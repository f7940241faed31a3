"""Asking hooks whether a rollout may go on."""

import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, get_args

import aiohttp

from proxy.config import schema
from proxy.control.outside.posting import Answered, Letter, post

HookResult = Literal["open", "closed", "failed"]

GATES = ("before-start", "before-step", "before-promotion")
"""Where hooks are asked; elsewhere they are told."""
PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each further attempt; the last of them before all that follow."""


class Hooks:
    """Asks over a `session`. `counts` has every question's end by service, place and result."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._sleep = sleep
        self._wall = wall
        self.counts: Counter[tuple[str, str, str]] = Counter()

    def __repr__(self) -> str:
        return f"<Hooks, {self.counts.total()} questions>"

    def expect(self, service: str, hooks: Sequence[schema.Hook]) -> None:
        """Count these from 0 on: Prometheus can't see that a series rose when it begins at 1."""
        for hook in hooks:
            for result in get_args(HookResult) if hook.at in GATES else ():
                self.counts[service, hook.at, result] += 0

    async def ask(self, hook: schema.Hook, question: dict[str, Any]) -> str:
        """Nothing when the hook agrees, else why not.

        It is asked again, at most `retries` times, when it gives no answer or one that says try later.
        """
        letter = Letter(hook.url, json.dumps(question).encode(), secrets.token_hex(8), hook.secret or "")
        answered = await self._attempt(letter, hook)
        for attempt in range(hook.retries):
            if not answered.passing:
                break
            await self._sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
            answered = await self._attempt(letter, hook)
        result: HookResult = "open" if answered.agrees else "closed" if answered.status else "failed"
        self.counts[str(question["service"]), hook.at, result] += 1
        return "" if answered.agrees else f"{hook.host} {answered.says}"

    async def _attempt(self, letter: Letter, hook: schema.Hook) -> Answered:
        return await post(self._session, letter, hook.timeout, self._wall())
