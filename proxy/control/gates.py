"""Asking who has to agree before a rollout goes on: the canary itself, and the hooks of the service.

Questions are tasks beside the tick, and the canary is judged meanwhile: an answer can only let a rollout go
on. Whoever refuses is asked again. An agreement holds for one revision.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from proxy.config import schema
from proxy.control.standing import Standing
from proxy.ledger.journal import Spawn
from proxy.rollout.waiting import START, Waiting, waiting

log = logging.getLogger(__name__)

Reply = Awaitable[str]
""""" for yes, else the reason against it."""

AGAIN = 5.0
"""Seconds from a refusal until the question is asked once more."""


@dataclass(frozen=True, slots=True)
class Respondents:
    """How to ask those who have to agree."""

    canary: Callable[[Standing], Reply]
    """Asks whether the canary answers requests."""
    hook: Callable[[schema.Hook, dict[str, Any]], Reply]
    """Asks whether a hook agrees; the question is plain JSON values."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to what was asked before a rollout goes on from one revision."""

    revision: int = -1
    agreed: frozenset[str] = frozenset()
    """The gates to which everybody agreed."""
    refused_at: str = ""
    """The gate of the last refusal; "" for none."""
    refusal: str = ""
    """The reason of the last refusal; "" when nobody refuses."""
    refusals: int = 0
    ask_again: float = 0.0
    """When to ask once more, in monotonic seconds."""


NO_ANSWERS = Answers()


class Gates:
    """Questions on their way, and the answers to them.

    Args:
        respondents: who is asked.
        spawn: starts the task of a question.
        changed: called with a service when its answer has come.
        now: monotonic seconds.
    """

    def __init__(
        self,
        respondents: Respondents,
        spawn: Spawn,
        changed: Callable[[Standing], None],
        now: Callable[[], float],
    ) -> None:
        self._respondents = respondents
        self._spawn = spawn
        self._changed = changed
        self._now = now
        self._answers: dict[str, Answers] = {}
        """By service."""
        self._asking: dict[str, tuple[int, asyncio.Task[None]]] = {}
        """By service: the revision that somebody is asked about."""

    def __repr__(self) -> str:
        return f"<Gates, asking for {', '.join(self._asking) or 'nobody'}>"

    def answers(self, standing: Standing) -> Answers:
        """Return the answers about the revision in force."""
        answers = self._answers.get(standing.name, NO_ANSWERS)
        return answers if answers.revision == standing.rollout.revision else NO_ANSWERS

    def agreed(self, standing: Standing) -> frozenset[str]:
        """Return the gates to which everybody has agreed, for the revision in force."""
        return self.answers(standing).agreed

    def check(self, standing: Standing, wall: float) -> None:
        """Ask if the rollout waits for nothing else. `wall` is unix seconds."""
        missing = waiting(standing.rollout, standing.look(self.agreed(standing)), wall)
        if missing is None or not missing.due or not missing.asks:
            return
        answers = self.answers(standing)
        if answers.agreed or self._now() < answers.ask_again or self._is_asking(standing):
            return
        answers = replace(answers, revision=standing.rollout.revision)
        task = self._spawn(f"ask for {standing.name}", self._ask(standing, answers, missing))
        self._asking[standing.name] = answers.revision, task

    def _is_asking(self, standing: Standing) -> bool:
        """Return whether an answer is on its way; cancel a question about another revision."""
        revision, task = self._asking.get(standing.name, (-1, None))
        if task is None or task.done():
            return False
        if revision != standing.rollout.revision:
            task.cancel()
            return False
        return True

    async def _ask(self, standing: Standing, before: Answers, missing: Waiting) -> None:
        at, refusal = await self._refusal(standing, missing)
        if not refusal:
            answers = replace(before, agreed=frozenset(missing.asks), refusal="")
        else:
            again, refusals = self._now() + AGAIN, before.refusals + 1
            answers = replace(before, refused_at=at, refusal=refusal, refusals=refusals, ask_again=again)
            if refusal != before.refusal:
                log.warning("%s: held at %s: %s", standing.name, at, refusal)
        self._answers[standing.name] = answers
        self._changed(standing)

    async def _refusal(self, standing: Standing, missing: Waiting) -> tuple[str, str]:
        """Ask one after the other until one refuses; return the gate and the reason."""
        for at, question in self._questions(standing, missing):
            if refusal := await question:
                return at, refusal
        return "", ""

    def _questions(self, standing: Standing, missing: Waiting) -> Iterator[tuple[str, Reply]]:
        if START in missing.asks:
            yield START, self._respondents.canary(standing)
        for hook in standing.file.hooks:
            if hook.at in missing.asks:
                yield hook.at, self._respondents.hook(hook, standing.question(hook.at))
