"""Doing what the rollout decided, in the order that it asks for.

A lower weight is sent to the workers in the call that asks for it: no lock, no disk and no task stands
between. A higher one waits for the ledger first, one raise of a service after the other. A lowering that
comes meanwhile overtakes it, whether the raise is being written or still waits for its turn: the raise finds
that the weight was lowered since, and is not carried out.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable

from proxy.control.command import UNORDERED, Command, OrderTerms
from proxy.control.errors import Conflict, StaleRevision
from proxy.control.managed_service import ManagedService
from proxy.control.propagation import Propagation
from proxy.control.schedule import Clock, Task
from proxy.ledger.errors import NotDurable
from proxy.ledger.journal import Journal, Spawn
from proxy.ledger.record import Record
from proxy.rollout.actions import Action, Lower, Nothing, Raise, action
from proxy.rollout.advance import advance
from proxy.rollout.entry import Entry
from proxy.rollout.inputs import Held, Input, Look
from proxy.rollout.rollout import Refused, Rollout
from proxy.routing.endpoint import Endpoint
from proxy.routing.split import percent

log = logging.getLogger(__name__)

FIRST_ATTEMPT = 2.0
"""Seconds that the answer to a lowering waits for the ledger, so that it mostly can be *durable*."""


class Transitions:
    """Carries decisions of rollouts to workers and ledger.

    Args:
        journal: writes entries.
        propagation: puts them in force.
        clock: the time that entries are stamped and raises are judged by.
        called: waits until the workers have reported what they hold; only then a weight may rise.
        locate: waits a moment until the names of endpoints are resolved, before these get traffic.
        agreed: the gates that everybody agreed to, for the revision in force.
        spawn: starts the task of a rollout that goes on.
    """

    def __init__(
        self,
        journal: Journal,
        propagation: Propagation,
        clock: Clock,
        *,
        called: Callable[[], Awaitable[None]],
        locate: Callable[[Iterable[Endpoint]], Awaitable[None]],
        agreed: Callable[[ManagedService], frozenset[str]],
        spawn: Spawn,
    ) -> None:
        self._journal = journal
        self._propagation = propagation
        self._clock = clock
        self._called = called
        self._locate = locate
        self._agreed = agreed
        self._spawn = spawn
        self._raising: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By service: held by an order, or the plan, that raises the weight. Lowering never waits."""
        self._lowered: dict[str, int] = {}
        """By service: the revision that lowered the weight last since control began."""
        self._moving: dict[str, Task] = {}
        """By service: the rollout on its way to where its plan leads."""
        self._stuck: dict[str, tuple[int, str]] = {}
        """By service: the revision from which the rollout could not go on, and why."""

    def __repr__(self) -> str:
        return f"<Transitions by {self._propagation!r}>"

    def moving(self, managed: ManagedService) -> Task | None:
        """Return the task that takes a rollout to where its plan leads; None when there is none."""
        return self._moving.get(managed.name)

    def stuck(self, managed: ManagedService) -> str:
        """Return why the rollout could not go on from the revision in force; "" when it could."""
        revision, reason = self._stuck.get(managed.name, (-1, ""))
        return reason if revision == managed.rollout.revision else ""

    def proceed(self, managed: ManagedService) -> None:
        """Go where verdict, time and agreement lead."""
        self.apply(managed, self._look(managed))

    def apply(self, managed: ManagedService, found: Look | Held) -> None:
        """Follow evidence, or what a worker holds: away from the canary at once, towards it by a task."""
        decided = self._decide(managed, found)
        if isinstance(decided, Lower):
            self._lower(managed, decided, UNORDERED)
        elif isinstance(decided, Raise) and managed.name not in self._moving:
            self._moving[managed.name] = self._spawn(f"move {managed.name}", self._move(managed))

    async def _move(self, managed: ManagedService) -> None:
        """Go to where the plan leads, unless something else has come in between."""

        def onward() -> Action | Refused:
            managed.assessment.assess(self._clock.monotonic())  # much may have come since the decision
            decided = self._decide(managed, self._look(managed))
            # A lowering is not written first; the next look finds it.
            return decided if isinstance(decided, Raise) else Nothing()

        try:
            async with self._raising[managed.name]:
                await self._called()
                await self._raise(managed, onward, UNORDERED)
        except NotDurable as error:
            if not self.stuck(managed):
                log.error("%s: the rollout can't go on: %s", managed.name, error.detail)
            self._stuck[managed.name] = managed.rollout.revision, error.detail
        except Conflict as conflict:
            log.info("%s: %s", managed.name, conflict.detail)
        finally:
            del self._moving[managed.name]

    async def order(self, managed: ManagedService, command: Command) -> bool:
        """Carry out an order. Raises Conflict, StaleRevision or NotDurable when it isn't.

        Returns False when what it wants is in force already, and no entry was made.
        """
        raising = self._raising[managed.name]
        decided = self._ordered(managed, command)
        if isinstance(decided, Nothing) and raising.locked():
            # The raise on its way was ordered before this, and would have the last word without it.
            async with raising:
                decided = self._ordered(managed, command)
        if isinstance(decided, Lower):
            attempt = self._lower(managed, decided, command.terms)
            await asyncio.wait([attempt], timeout=FIRST_ATTEMPT)
        elif isinstance(decided, Raise):
            lowered = self._lowered.get(managed.name)
            async with raising:
                await self._called()
                await self._locate((*decided.rollout.stable.endpoints, *decided.rollout.canary.endpoints))
                return await self._raise(
                    managed, lambda: self._unless(managed, command, lowered), command.terms
                )
        return not isinstance(decided, Nothing)

    def _look(self, managed: ManagedService) -> Look:
        return managed.look(self._agreed(managed))

    def _decide(self, managed: ManagedService, what: Input) -> Action | Refused:
        basis = managed.basis
        if managed.gone:  # or the workers would be sent it again
            return Refused("it is no longer in the file", basis.phase, ())
        advanced = advance(basis, what, self._clock.steady())
        return advanced if isinstance(advanced, Refused) else action(basis, advanced)

    def _ordered(self, managed: ManagedService, command: Command) -> Action:
        current, expected = managed.rollout.revision, command.terms.if_match
        if expected is not None and expected != current:
            raise StaleRevision(current, expected)
        decided = self._decide(managed, command.order)
        if isinstance(decided, Refused):
            raise Conflict(why_not(managed, decided), decided.phase, decided.legal)
        return decided

    def _unless(self, managed: ManagedService, command: Command, lowered: int | None) -> Action:
        """Return what was ordered; Conflict if the weight was lowered since: the later order counts."""
        decided = self._ordered(managed, command)
        if self._lowered.get(managed.name) != lowered:
            raise Conflict(overtaken(managed))
        return decided

    def _lower(self, managed: ManagedService, lower: Lower, terms: OrderTerms) -> "asyncio.Future[bool]":
        began = self._clock.monotonic()
        self._lowered[managed.name] = lower.rollout.revision
        record = self._record(managed, lower.entry, lower.rollout, terms)
        self._propagation.put_in_force([(managed, record)], began)
        _log_entry(managed, lower.entry, terms)
        return self._journal.append_later(record)

    async def _raise(
        self, managed: ManagedService, decide: Callable[[], Action | Refused], terms: OrderTerms
    ) -> bool:
        began = self._clock.monotonic()

        def make() -> list[Record]:
            decided = decide()
            if isinstance(decided, Nothing | Refused):
                return []
            managed.number(decided.rollout)
            return [self._record(managed, decided.entry, decided.rollout, terms)]

        for record in await self._journal.append_now(make):
            if managed.numbered != record.entry.revision:
                raise Conflict(overtaken(managed))
            self._propagation.put_in_force([(managed, record)], began)
            _log_entry(managed, record.entry, terms)
            return True
        return False

    def _record(self, managed: ManagedService, entry: Entry, rollout: Rollout, terms: OrderTerms) -> Record:
        return Record(
            service=managed.name,
            at=self._clock.wall(),
            actor=terms.actor,
            reason=terms.reason or entry.why,
            entry=entry,
            rollout=rollout,
            key=terms.key,
            digest=terms.digest,
        )


def _log_entry(managed: ManagedService, entry: Entry, terms: OrderTerms) -> None:
    why = terms.reason or entry.why
    if entry.event == "trip":
        log.warning("%s: the canary is taken out at %g %%: %s", managed.name, percent(entry.before), why)
        return
    by = f"{terms.actor}: {why}" if why else terms.actor
    log.info("%s: %s, the canary %s (%s)", managed.name, entry.event, moved(entry), by)


def moved(entry: Entry) -> str:
    """Return what became of the canary, in words that go on after its name."""
    if entry.event == "promotion":
        return "is stable now"
    if entry.before == entry.after:
        return f"stays at {percent(entry.after):g} %"
    return f"goes from {percent(entry.before):g} % to {percent(entry.after):g} %"


def why_not(managed: ManagedService, refused: Refused) -> str:
    """Return why an order was refused, what is possible now, and what stays in force."""
    if managed.gone:
        return f"{managed.name}: {refused.reason}. Nothing was changed"
    rollout, legal = managed.rollout, ", ".join(refused.legal)
    reason = f"{managed.name}: {refused.reason}; possible now: {legal}"
    if rollout.halted and rollout.trip:
        back = f"it is resumed: weir resume {managed.name}"
        return f"{reason}. The canary was taken out ({rollout.trip.sentence}) and stays at 0 % until {back}"
    if rollout.has_canary:
        return f"{reason}. The canary stays at {percent(rollout.weight):g} %"
    return f"{reason}. Nothing was changed"


def overtaken(managed: ManagedService) -> str:
    """Return why an order that waited its turn is refused: another entry came into force meanwhile."""
    return (
        f"while this waited to be written down, {managed.name} was changed otherwise: it is at revision "
        f"{managed.rollout.revision}, its canary at {percent(managed.rollout.weight):g} %, and stays so"
    )
