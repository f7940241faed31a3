"""Doing what the rollout decided, in the order that it asks for.

Lowering is told to the workers in the call that asks for it: no lock, no disk and no task stands between.
Raising waits for the ledger first, one order after the other. A lowering that comes meanwhile overtakes it,
whether the raise is being written or still waits for its turn: the raise finds that it is no longer the last
word, and is not carried out.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from proxy.control.command import UNORDERED, Command, Terms
from proxy.control.errors import Conflict, StaleRevision
from proxy.control.propagation import Propagation
from proxy.control.standing import Standing
from proxy.ledger.errors import NotDurable
from proxy.ledger.journal import Journal
from proxy.ledger.record import Record, percent
from proxy.rollout.actions import Action, Lower, Nothing, Raise, action
from proxy.rollout.advance import advance
from proxy.rollout.entry import Entry
from proxy.rollout.inputs import Held, Input, Look
from proxy.rollout.rollout import Refused, Rollout

log = logging.getLogger(__name__)

FIRST_ATTEMPT = 2.0
"""Seconds that the answer to a lowering waits for the ledger, so that it mostly can say *durable*."""

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


@dataclass(frozen=True, slots=True)
class Clock:
    """Unix seconds for entries and holds, monotonic seconds for windows."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


class Transitions:
    """Carries states from the rollout to workers and ledger.

    Raising comes after `called`: what a control that has just begun must hear first. `spawn` starts a task
    whose failure is a fault.
    """

    def __init__(
        self,
        journal: Journal,
        propagation: Propagation,
        clock: Clock,
        called: Callable[[], Awaitable[None]],
        spawn: Spawn,
    ) -> None:
        self._journal = journal
        self._propagation = propagation
        self._clock = clock
        self._called = called
        self._spawn = spawn

    def __repr__(self) -> str:
        return f"<Transitions by {self._propagation!r}>"

    def happened(self, standing: Standing, what: Look | Held) -> None:
        """Time, evidence or a worker speaks: away from the canary at once, towards it as soon as may be."""
        decided = self._decide(standing, what)
        if isinstance(decided, Lower):
            self._lower(standing, decided, UNORDERED)
        elif isinstance(decided, Raise) and standing.moving is None:
            standing.moving = self._spawn(self._move(standing))

    async def _move(self, standing: Standing) -> None:
        """To where the plan leads, unless something else has come in between."""

        def onward() -> Action | Refused:
            standing.judged(self._clock.monotonic())  # much may have come since the look that led here
            decided = self._decide(standing, standing.look())
            # A lowering is not written first; the next look finds it.
            return decided if isinstance(decided, Raise) else Nothing()

        try:
            async with standing.raising:
                await self._called()
                await self._raise(standing, onward, UNORDERED)
        except NotDurable as error:
            if not standing.stuck:
                log.error("%s: the rollout can't go on: %s", standing.name, error.detail)
            standing.stuck = error.detail
        except Conflict as conflict:
            log.info("%s: %s", standing.name, conflict.detail)
        finally:
            standing.moving = None

    async def order(self, standing: Standing, command: Command) -> bool:
        """Carry out what a person wants, or say why not: Conflict, StaleRevision, NotDurable.

        False when it is already so, and no entry was made.
        """
        decided = self._ordered(standing, command)
        if isinstance(decided, Nothing) and standing.raising.locked():
            # A raise on its way was ordered before this, and would be the last word without it.
            async with standing.raising:
                decided = self._ordered(standing, command)
        if isinstance(decided, Lower):
            attempt = self._lower(standing, decided, command.terms)
            await asyncio.wait([attempt], timeout=FIRST_ATTEMPT)
        elif isinstance(decided, Raise):
            lowered = standing.lowered
            async with standing.raising:
                await self._called()
                return await self._raise(
                    standing, lambda: self._unless(standing, command, lowered), command.terms
                )
        return not isinstance(decided, Nothing)

    def _decide(self, standing: Standing, what: Input) -> Action | Refused:
        basis = standing.basis
        if standing.gone:  # or the workers would learn of it again
            return Refused("it is no longer in the file", basis.phase, ())
        advanced = advance(basis, what, self._clock.wall())
        return advanced if isinstance(advanced, Refused) else action(basis, advanced)

    def _ordered(self, standing: Standing, command: Command) -> Action:
        current, expected = standing.rollout.revision, command.terms.if_match
        if expected is not None and expected != current:
            raise StaleRevision(current, expected)
        decided = self._decide(standing, command.order)
        if isinstance(decided, Refused):
            raise Conflict(why_not(standing, decided), decided.phase, decided.legal)
        return decided

    def _unless(self, standing: Standing, command: Command, lowered: int) -> Action:
        """What was ordered, unless the weight was lowered since: the later word counts."""
        decided = self._ordered(standing, command)
        if standing.lowered != lowered:
            raise Conflict(overtaken(standing))
        return decided

    def _lower(self, standing: Standing, lower: Lower, terms: Terms) -> "asyncio.Future[bool]":
        began = self._clock.monotonic()
        standing.lowered = lower.rollout.revision
        record = self._record(standing, lower.entry, lower.rollout, terms)
        self._propagation.tell([(standing, record)], began)
        _say(standing, lower.entry, terms)
        return self._journal.later(record)

    async def _raise(self, standing: Standing, decide: Callable[[], Action | Refused], terms: Terms) -> bool:
        began = self._clock.monotonic()

        def make() -> list[Record]:
            decided = decide()
            if isinstance(decided, Nothing | Refused):
                return []
            standing.number(decided.rollout)
            return [self._record(standing, decided.entry, decided.rollout, terms)]

        for record in await self._journal.now(make):
            if standing.numbered != record.entry.revision:
                raise Conflict(overtaken(standing))
            self._propagation.tell([(standing, record)], began)
            _say(standing, record.entry, terms)
            return True
        return False

    def _record(self, standing: Standing, entry: Entry, rollout: Rollout, terms: Terms) -> Record:
        said = terms.reason or entry.why
        return Record(
            standing.name, self._clock.wall(), terms.actor, said, entry, rollout, terms.key, terms.digest
        )


def _say(standing: Standing, entry: Entry, terms: Terms) -> None:
    why = terms.reason or entry.why
    if entry.event == "trip":
        log.warning("%s: the canary is taken out at %g %%: %s", standing.name, percent(entry.before), why)
        return
    said = f"{terms.actor}: {why}" if why else terms.actor
    log.info("%s: %s, the canary %s (%s)", standing.name, entry.event, moved(entry), said)


def moved(entry: Entry) -> str:
    """What became of the canary, after its name."""
    if entry.event == "promotion":
        return "is stable now"
    if entry.before == entry.after:
        return f"stays at {percent(entry.after):g} %"
    return f"goes from {percent(entry.before):g} % to {percent(entry.after):g} %"


def why_not(standing: Standing, refused: Refused) -> str:
    """For the person who ordered it."""
    if standing.gone:
        return f"{standing.name}: {refused.reason}. Nothing was changed"
    rollout, legal = standing.rollout, ", ".join(refused.legal)
    said = f"{standing.name}: {refused.reason}; possible now: {legal}"
    if rollout.halted and rollout.trip:
        back = f"it is resumed: weir resume {standing.name}"
        return f"{said}. The canary was taken out ({rollout.trip.sentence}) and stays at 0 % until {back}"
    if rollout.has_canary:
        return f"{said}. The canary stays at {percent(rollout.weight):g} %"
    return f"{said}. Nothing was changed"


def overtaken(standing: Standing) -> str:
    """Something else came while it waited."""
    return (
        f"while this waited to be written down, {standing.name} was changed otherwise: it is at revision "
        f"{standing.rollout.revision}, its canary at {percent(standing.rollout.weight):g} %, and stays so"
    )
