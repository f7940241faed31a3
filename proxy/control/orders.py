"""Carrying out orders: what they leave open is filled in, and each is carried out once under its key.

A client that doesn't know whether an order arrived repeats it under its Idempotency-Key. An order that was
carried out is not carried out again, and of two at once under one key, one is.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from proxy.control.command import Command, OrderTerms
from proxy.control.errors import Conflict, KeyReused
from proxy.control.managed_service import ManagedService
from proxy.control.transitions import Transitions
from proxy.ledger.ledger import KEYS, OrderKey
from proxy.rollout.inputs import Order, Retry, Start, Undo
from proxy.rollout.plan import Plan
from proxy.settings.plan import Planned, plan
from proxy.settings.service import trusted

Remember = Callable[[str, OrderTerms], None]
"""Writes the key of an order that made no entry to the ledger, with the name of its service."""


class IdempotencyKeys:
    """The newest keys of each service's orders that were carried out; `known` are those in the ledger."""

    def __init__(self, known: Mapping[OrderKey, str]) -> None:
        self._digests: dict[str, dict[str, str]] = {}
        for (service, key), digest in known.items():
            self._digests.setdefault(service, {})[key] = digest
        self._under_way: dict[OrderKey, str] = {}

    def __repr__(self) -> str:
        carried_out = sum(map(len, self._digests.values()))
        return f"<IdempotencyKeys of {carried_out} orders, {len(self._under_way)} under way>"

    def known(self, service: str, terms: OrderTerms) -> bool:
        """Return whether this order was carried out before. KeyReused when its key belongs to another one."""
        return _same(service, terms, self._digests.get(service, {}).get(terms.key), "was carried out")

    @contextmanager
    def under_way(self, service: str, terms: OrderTerms) -> Iterator[None]:
        """Hold the key while its order is carried out; at the end the order is known, unless it failed.

        Conflict when the same is under way already, KeyReused when another one is under its key.
        """
        if not terms.key:
            yield
            return
        ordered = service, terms.key
        if _same(service, terms, self._under_way.get(ordered), "is under way"):
            raise Conflict("an order with this Idempotency-Key is still under way; ask again in a moment")
        self._under_way[ordered] = terms.digest
        try:
            yield
        finally:
            del self._under_way[ordered]
        digests = self._digests.setdefault(service, {})
        digests[terms.key] = terms.digest
        while len(digests) > KEYS:
            del digests[next(iter(digests))]


class Orders:
    """The orders of people and programs.

    Args:
        managed_services: the services by name.
        transitions: carries out what an order leads to.
        keys: the orders that were carried out.
        remember: called for an order under a key that made no entry.
        show: makes the view of a service.
        changed: called after each order.
    """

    def __init__(
        self,
        managed_services: Mapping[str, ManagedService],
        transitions: Transitions,
        keys: IdempotencyKeys,
        *,
        remember: Remember,
        show: Callable[[ManagedService], dict[str, Any]],
        changed: Callable[[ManagedService], None],
    ) -> None:
        self._managed = managed_services
        self._transitions = transitions
        self._keys = keys
        self._remember = remember
        self._show = show
        self._changed = changed

    def __repr__(self) -> str:
        return f"<Orders by {self._keys!r}>"

    def planned(self, name: str) -> Planned:
        """Return what holds for the steps of an order that leaves it open (KeyError: no such service)."""
        return planned(self._managed[name])

    async def apply(self, name: str, order: Order, terms: OrderTerms) -> dict[str, Any]:
        """Carry out an order, unless it was carried out before under its key; return the view after it.

        Raises Conflict, StaleRevision, KeyReused or NotDurable, and then nothing was changed. An unknown
        service is a KeyError.
        """
        managed = self._managed[name]
        if not self._keys.known(name, terms):
            with self._keys.under_way(name, terms):
                command = Command(complete(order, managed, fresh_salt), terms)
                made = await self._transitions.order(managed, command)
            if terms.key and not made:
                self._remember(name, terms)
            self._changed(managed)
        return self._show(managed)


def complete(order: Order, managed: ManagedService, salt: Callable[[], str]) -> Order:
    """Fill in what an order leaves open: a salt, the plan of the file, whom to trust at new endpoints."""
    match order:
        case Start(canary=canary):
            named = trusted(canary, managed.file) if canary else None
            return replace(order, salt=salt(), plan=order.plan or plan(managed.file), canary=named)
        case Retry():
            return replace(order, salt=salt(), plan=_plan_again(managed))
        case Undo():
            return replace(order, salt=salt())
    return order


def _plan_again(managed: ManagedService) -> Plan | None:
    """Return the plan of another attempt; None for the one that the rollout had.

    The file's canary follows the file's plan as it is now; one that was named at runtime keeps its own.
    """
    rollout = managed.rollout
    by_file = rollout.canary.definition == rollout.definition
    return plan(managed.file) if by_file or rollout.plan is None else None


def planned(managed: ManagedService) -> Planned:
    """Return what the file defines for the steps of an order that leaves it open."""
    rollout, last = managed.file.rollout, managed.rollout.plan
    if rollout is None:
        return Planned(last)
    return Planned(plan(managed.file), rollout.hold, rollout.min_requests, rollout.deadline)


def fresh_salt() -> str:
    """Return a salt that cannot be guessed."""
    return secrets.token_hex(16)


def _same(service: str, terms: OrderTerms, digest: str | None, what: str) -> bool:
    """Return whether there is an order under the key, which must be this one."""
    if not terms.key or digest is None:
        return False
    if digest != terms.digest:
        raise KeyReused(
            f"the Idempotency-Key {terms.key!r} belongs to another order for {service}, which {what}; "
            "a new order needs a new key. Nothing was changed"
        )
    return True
