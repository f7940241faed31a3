"""Asking hooks whether a rollout may go on."""

import json
import secrets
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, get_args

from proxy.config import schema
from proxy.control.outside.posting import Letter, Poster, count_from_zero

HookResult = Literal["open", "closed", "failed"]

GATES = ("before-start", "before-step", "before-promotion")
"""Where hooks are asked; elsewhere they are notified."""


class Hooks:
    """Questions to hooks. `counts` has the end of every question by service, gate and result."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster
        self.counts: Counter[tuple[str, str, str]] = Counter()

    def __repr__(self) -> str:
        return f"<Hooks, {self.counts.total()} questions>"

    def expect(self, service: str, hooks: Sequence[schema.Hook]) -> None:
        """Count the questions to these hooks from 0."""
        gates = (hook.at for hook in hooks if hook.at in GATES)
        count_from_zero(self.counts, ((service, at, each) for at in gates for each in get_args(HookResult)))

    async def ask(self, hook: schema.Hook, question: dict[str, Any]) -> str:
        """Ask a hook; return "" when it agrees, else its reason.

        It is asked again, at most `retries` times, when it gives no answer or one that is temporary.
        """
        letter = Letter(hook.url, json.dumps(question).encode(), secrets.token_hex(8), hook.secret or "")
        answer = await self._poster.post(letter, hook.timeout)
        for attempt in range(hook.retries):
            if not answer.temporary:
                break
            await self._poster.pause(attempt)
            answer = await self._poster.post(letter, hook.timeout)
        result: HookResult = "open" if answer.agrees else "closed" if answer.status else "failed"
        self.counts[str(question["service"]), hook.at, result] += 1
        return "" if answer.agrees else f"{hook.host} {answer.reason}"
