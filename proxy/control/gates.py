"""Asking who has to agree before a rollout goes on: the canary itself, and the hooks of the service.

Questions are tasks beside the tick, and the canary is judged meanwhile: an answer can only let a rollout go
on. A gate that refuses is asked again. An agreement holds for one revision.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from proxy.config import schema
from proxy.control.managed_service import ManagedService
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

    canary: Callable[[ManagedService], Reply]
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
    """The reason of the last refusal; "" when none refuses."""
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
        changed: Callable[[ManagedService], None],
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
        return f"<Gates, asking for {', '.join(self._asking) or 'none'}>"

    def answers(self, managed: ManagedService) -> Answers:
        """Return the answers about the revision in force."""
        answers = self._answers.get(managed.name, NO_ANSWERS)
        return answers if answers.revision == managed.rollout.revision else NO_ANSWERS

    def agreed(self, managed: ManagedService) -> frozenset[str]:
        """Return the gates to which everybody has agreed, for the revision in force."""
        return self.answers(managed).agreed

    def check(self, managed: ManagedService, now: float) -> None:
        """Ask if the rollout waits for nothing else. `now` is unix seconds."""
        missing = waiting(managed.rollout, managed.look(self.agreed(managed)), now)
        if missing is None or not missing.due or not missing.asks:
            return
        answers = self.answers(managed)
        if answers.agreed or self._now() < answers.ask_again or self._is_asking(managed):
            return
        answers = replace(answers, revision=managed.rollout.revision)
        task = self._spawn(f"ask for {managed.name}", self._ask(managed, answers, missing))
        self._asking[managed.name] = answers.revision, task

    def _is_asking(self, managed: ManagedService) -> bool:
        """Return whether an answer is on its way; cancel a question about another revision."""
        revision, task = self._asking.get(managed.name, (-1, None))
        if task is None or task.done():
            return False
        if revision != managed.rollout.revision:
            task.cancel()
            return False
        return True

    async def _ask(self, managed: ManagedService, before: Answers, missing: Waiting) -> None:
        at, refusal = await self._refusal(managed, missing)
        if not refusal:
            answers = replace(before, agreed=frozenset(missing.asks), refusal="")
        else:
            again, refusals = self._now() + AGAIN, before.refusals + 1
            answers = replace(before, refused_at=at, refusal=refusal, refusals=refusals, ask_again=again)
            if refusal != before.refusal:
                log.warning("%s: held at %s: %s", managed.name, at, refusal)
        self._answers[managed.name] = answers
        self._changed(managed)

    async def _refusal(self, managed: ManagedService, missing: Waiting) -> tuple[str, str]:
        """Ask one after the other until one refuses; return the gate and the reason."""
        for at, question in self._questions(managed, missing):
            if refusal := await question:
                return at, refusal
        return "", ""

    def _questions(self, managed: ManagedService, missing: Waiting) -> Iterator[tuple[str, Reply]]:
        if START in missing.asks:
            yield START, self._respondents.canary(managed)
        for hook in managed.file.hooks:
            if hook.at in missing.asks:
                yield hook.at, self._respondents.hook(hook, managed.question(hook.at))
