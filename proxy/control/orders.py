"""Carrying out orders: what they leave open is filled in, and each is carried out once under its key."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from proxy.control.command import Command, OrderTerms
from proxy.control.idempotency import IdempotencyKeys
from proxy.control.standing import Standing
from proxy.control.transitions import Transitions
from proxy.rollout.inputs import Order, Retry, Start, Undo
from proxy.rollout.plan import Plan
from proxy.settings.plan import Planned, plan
from proxy.settings.service import trusted

Remember = Callable[[str, OrderTerms], None]
"""Writes the key of an order that made no entry to the ledger, with the name of its service."""


class Orders:
    """The orders of people and programs.

    Args:
        standings: the services by name.
        transitions: carries out what an order leads to.
        keys: the orders that were carried out.
        remember: called for an order under a key that made no entry.
        show: makes the view of a service.
        changed: called after each order.
    """

    def __init__(
        self,
        standings: Mapping[str, Standing],
        transitions: Transitions,
        keys: IdempotencyKeys,
        *,
        remember: Remember,
        show: Callable[[Standing], dict[str, Any]],
        changed: Callable[[Standing], None],
    ) -> None:
        self._standings = standings
        self._transitions = transitions
        self._keys = keys
        self._remember = remember
        self._show = show
        self._changed = changed

    def __repr__(self) -> str:
        return f"<Orders by {self._keys!r}>"

    def planned(self, name: str) -> Planned:
        """Return what holds for the steps of an order that leaves it open (KeyError: no such service)."""
        return planned(self._standings[name])

    async def apply(self, name: str, order: Order, terms: OrderTerms) -> dict[str, Any]:
        """Carry out an order, unless it was carried out before under its key; return the view after it.

        Raises Conflict, StaleRevision, KeyReused or NotDurable, and then nothing was changed. An unknown
        service is a KeyError.
        """
        standing = self._standings[name]
        if not self._keys.known(name, terms):
            with self._keys.under_way(name, terms):
                command = Command(complete(order, standing, fresh_salt), terms)
                made = await self._transitions.order(standing, command)
            if terms.key and not made:
                self._remember(name, terms)
            self._changed(standing)
        return self._show(standing)


def complete(order: Order, standing: Standing, salt: Callable[[], str]) -> Order:
    """Fill in what an order leaves open: a salt, the plan of the file, whom to trust at new endpoints."""
    match order:
        case Start(canary=canary):
            named = trusted(canary, standing.file) if canary else None
            return replace(order, salt=salt(), plan=order.plan or plan(standing.file), canary=named)
        case Retry():
            return replace(order, salt=salt(), plan=_plan_again(standing))
        case Undo():
            return replace(order, salt=salt())
    return order


def _plan_again(standing: Standing) -> Plan | None:
    """Return the plan of another attempt; None for the one that the rollout had.

    The file's canary follows the file's plan as it is now; one that was named at runtime keeps its own.
    """
    rollout = standing.rollout
    by_file = rollout.canary.definition == rollout.definition
    return plan(standing.file) if by_file or rollout.plan is None else None


def planned(standing: Standing) -> Planned:
    """Return what the file defines for the steps of an order that leaves it open."""
    rollout, last = standing.file.rollout, standing.rollout.plan
    if rollout is None:
        return Planned(last)
    return Planned(plan(standing.file), rollout.hold, rollout.min_requests, rollout.deadline)


def fresh_salt() -> str:
    """Return a salt that nobody can guess."""
    return secrets.token_hex(16)
