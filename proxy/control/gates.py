"""Asking who has to agree before a rollout goes on: the canary itself, and the hooks of the service.

They are asked outside the tick, and while they think it over the canary is judged as ever: an answer only
ever lets a rollout go on. Whoever refuses is asked again. What was agreed holds for one revision.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from typing import Any

from proxy.config import schema
from proxy.control.standing import Asked, Standing
from proxy.rollout.waiting import START, Waiting, waiting

log = logging.getLogger(__name__)

Reply = Awaitable[str]
"""Nothing for yes, else why not."""

AGAIN = 5.0
"""Seconds from a refusal until the question is asked once more."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How to ask: does this canary answer, does that hook agree."""

    answers: Callable[[Standing], Reply]
    agrees: Callable[[schema.Hook, dict[str, Any]], Reply]


class Gates:
    """Questions on their way. `changed` is told of a service whose answer has come; `now` is monotonic."""

    def __init__(
        self,
        ways: Ways,
        spawn: Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"],
        changed: Callable[[Standing], None],
        now: Callable[[], float],
    ) -> None:
        self._ways = ways
        self._spawn = spawn
        self._changed = changed
        self._now = now
        self._asking: dict[str, tuple[int, asyncio.Task[None]]] = {}
        """By service: on which revision somebody is being asked."""

    def __repr__(self) -> str:
        return f"<Gates, asking for {', '.join(self._asking) or 'nobody'}>"

    def look(self, standing: Standing, wall: float) -> None:
        """Ask, if all else is there that the rollout waits for. `wall` is unix seconds."""
        missing = waiting(standing.rollout, standing.look(), wall)
        if missing is None or not missing.due or not missing.asks:
            return
        asked = standing.asked
        if asked.revision != standing.rollout.revision:
            standing.asked = asked = Asked(standing.rollout.revision)
        if asked.open or self._now() < asked.again or self._is_asking(standing):
            return
        task = self._spawn(self._ask(standing, asked, missing))
        self._asking[standing.name] = asked.revision, task

    def _is_asking(self, standing: Standing) -> bool:
        """Whether an answer is on its way. A question about another revision is of no use any more."""
        revision, task = self._asking.get(standing.name, (-1, None))
        if task is None or task.done():
            return False
        if revision != standing.rollout.revision:
            task.cancel()
            return False
        return True

    async def _ask(self, standing: Standing, asked: Asked, missing: Waiting) -> None:
        at, refusal = await self._refusal(standing, missing)
        if not refusal:
            standing.asked = replace(asked, open=frozenset(missing.asks), says="")
        else:
            again, tries = self._now() + AGAIN, asked.tries + 1
            standing.asked = replace(asked, at=at, says=refusal, tries=tries, again=again)
            if refusal != asked.says:
                log.warning("%s: held at %s: %s", standing.name, at, refusal)
        self._changed(standing)

    async def _refusal(self, standing: Standing, missing: Waiting) -> tuple[str, str]:
        """Ask one after the other, until one refuses: where, and why not."""
        for at, question in self._questions(standing, missing):
            if refusal := await question:
                return at, refusal
        return "", ""

    def _questions(self, standing: Standing, missing: Waiting) -> Iterator[tuple[str, Reply]]:
        if START in missing.asks:
            yield START, self._ways.answers(standing)
        for hook in standing.file.hooks:
            if hook.at in missing.asks:
                yield hook.at, self._ways.agrees(hook, standing.question(hook.at))
