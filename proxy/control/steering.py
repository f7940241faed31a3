"""Doing what the rollout decided, in the order that it asks for.

Lowering is told to the workers in the call that asks for it: no lock, no disk and no task stands between.
Raising waits for the ledger first, one order after the other. A lowering that comes meanwhile overtakes it,
whether the raise is being written or still waits for its turn: the raise finds that it is no longer the last
word, and is not carried out.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from proxy.control.broadcast import Broadcast
from proxy.control.errors import Conflict, StaleRevision
from proxy.control.journal import Journal
from proxy.control.record import ITSELF, Record, percent
from proxy.control.standing import Rollback, Standing
from proxy.rollout.actions import Action, Lower, Nothing, Raise, action
from proxy.rollout.advance import advance
from proxy.rollout.entry import Entry
from proxy.rollout.inputs import Input, Release, Resume, SetWeight
from proxy.rollout.rollout import Refused, Rollout

log = logging.getLogger(__name__)

FIRST_ATTEMPT = 2.0
"""Seconds that the answer to a lowering waits for the ledger, so that it mostly can say *durable*."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Unix seconds for entries, monotonic seconds for windows."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Order:
    """What a person wants, and on which revision (None: on whatever is in force)."""

    wants: SetWeight | Resume
    reason: str
    actor: str
    if_match: int | None = None


class Steering:
    """Carries states from the rollout to workers and ledger."""

    def __init__(self, journal: Journal, broadcast: Broadcast, clock: Clock) -> None:
        self._journal = journal
        self._broadcast = broadcast
        self._clock = clock
        self._rollbacks: list[tuple[str, Rollback]] = []

    def __repr__(self) -> str:
        return f"<Steering, {len(self._rollbacks)} rollbacks on their way>"

    def happened(self, standing: Standing, what: Input) -> None:
        """Something happened that can only take traffic away: a verdict, or what a worker holds."""
        decided = self._decide(standing, what)
        if isinstance(decided, Lower):
            self._lower(standing, decided, decided.entry.why, ITSELF)

    async def release(self, standing: Standing, release: Release) -> None:
        """Begin anew if the file's canary is another one. NotDurable when that can't be written down."""
        await self._raise(standing, lambda: self._decide(standing, release), "", ITSELF)

    async def order(self, standing: Standing, order: Order, after: Callable[[], Awaitable[None]]) -> None:
        """Carry out what a person wants, or say why not: Conflict, StaleRevision, NotDurable.

        Raising comes `after` what a control that has just begun must hear first.
        """
        decided = self._ordered(standing, order)
        if isinstance(decided, Nothing) and standing.raising.locked():
            # A raise on its way was ordered before this, and would be the last word without it.
            async with standing.raising:
                decided = self._ordered(standing, order)
        if isinstance(decided, Lower):
            attempt = self._lower(standing, decided, order.reason, order.actor)
            await asyncio.wait([attempt], timeout=FIRST_ATTEMPT)
        elif isinstance(decided, Raise):
            lowered = standing.lowered
            async with standing.raising:
                await after()
                await self._raise(
                    standing, lambda: self._unless(standing, order, lowered), order.reason, order.actor
                )

    def acknowledged(self) -> None:
        """Some worker uses another table than before: see which rollbacks are complete."""
        under_way, self._rollbacks = self._rollbacks, []
        for name, rollback in under_way:
            if not self._broadcast.everywhere(rollback.generation):
                self._rollbacks.append((name, rollback))
                continue
            milliseconds = (self._clock.monotonic() - rollback.began) * 1000
            rollback.acknowledged_ms = round(milliseconds, 3)
            log.info("%s: every worker has the rollback, after %.1f ms", name, milliseconds)

    def _decide(self, standing: Standing, what: Input) -> Action | Refused:
        basis = standing.basis
        advanced = advance(basis, what, self._clock.wall())
        return advanced if isinstance(advanced, Refused) else action(basis, advanced)

    def _ordered(self, standing: Standing, order: Order) -> Action:
        current = standing.rollout.revision
        if order.if_match is not None and order.if_match != current:
            raise StaleRevision(current, order.if_match)
        decided = self._decide(standing, order.wants)
        if isinstance(decided, Refused):
            raise Conflict(_why_not(standing, decided))
        return decided

    def _unless(self, standing: Standing, order: Order, lowered: int) -> Action:
        """What was ordered, unless the weight was lowered since: the later word counts."""
        decided = self._ordered(standing, order)
        if standing.lowered != lowered:
            raise Conflict(_overtaken(standing))
        return decided

    def _lower(self, standing: Standing, lower: Lower, reason: str, actor: str) -> "asyncio.Future[bool]":
        began = self._clock.monotonic()
        standing.lowered = lower.rollout.revision
        generation = self._broadcast.tell(standing.enter(lower.rollout))
        if lower.entry.event == "trip":
            standing.rollback = Rollback(generation, began)
            self._rollbacks.append((standing.name, standing.rollback))
            before = percent(lower.entry.before)
            log.warning("%s: the canary is taken out at %g %%: %s", standing.name, before, lower.entry.why)
        else:
            _tell(standing, lower.entry, reason, actor)
        return self._journal.later(self._record(standing, lower.entry, lower.rollout, reason, actor))

    async def _raise(
        self, standing: Standing, decide: Callable[[], Action | Refused], reason: str, actor: str
    ) -> None:
        def make() -> Record | None:
            decided = decide()
            if isinstance(decided, Nothing | Refused):
                return None
            standing.number(decided.rollout)
            return self._record(standing, decided.entry, decided.rollout, reason, actor)

        record = await self._journal.now(make)
        if record is None:
            return
        if standing.numbered != record.entry.revision:
            raise Conflict(_overtaken(standing))
        self._broadcast.tell(standing.enter(record.rollout))
        _tell(standing, record.entry, reason, actor)

    def _record(self, standing: Standing, entry: Entry, rollout: Rollout, reason: str, actor: str) -> Record:
        return Record(standing.name, self._clock.wall(), actor, reason or entry.why, entry, rollout)


def _tell(standing: Standing, entry: Entry, reason: str, actor: str) -> None:
    before, after, why = percent(entry.before), percent(entry.after), reason or entry.why
    said = f"{actor}: {why}" if why else actor
    log.info(
        "%s: %s, the canary goes from %g %% to %g %% (%s)", standing.name, entry.event, before, after, said
    )


def _why_not(standing: Standing, refused: Refused) -> str:
    name, rollout = standing.name, standing.rollout
    if rollout.halted and rollout.trip:
        return (
            f"the canary of {name} was taken out ({rollout.trip.sentence}) and stays at 0 % "
            f"until it is resumed: weir resume {name}"
        )
    if "set-weight" in refused.legal and rollout.has_canary:
        weight = percent(rollout.weight)
        return (
            f"the canary of {name} is not taken out, so there is nothing to resume; it has {weight:g} %. "
            f"For another weight: weir set-weight {name} canary=10"
        )
    return f"{name}: {refused.reason}"


def _overtaken(standing: Standing) -> str:
    return (
        f"while this waited to be written down, {standing.name} was changed otherwise: it is at revision "
        f"{standing.rollout.revision}, its canary at {percent(standing.rollout.weight):g} %, and stays so"
    )
