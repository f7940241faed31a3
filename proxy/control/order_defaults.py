"""What an order leaves open, filled in: chance, the plan of the file, whom to trust at new endpoints."""

import secrets
from dataclasses import replace

from proxy.control.standing import Standing
from proxy.rollout.inputs import Order, Retry, Start, Undo
from proxy.rollout.plan import Plan
from proxy.settings.plan import Planned, plan
from proxy.settings.service import trusted


def complete(order: Order, standing: Standing) -> Order:
    """The order as the rollout takes it."""
    match order:
        case Start(canary=canary):
            named = trusted(canary, standing.file) if canary else None
            return replace(order, salt=fresh(), plan=order.plan or plan(standing.file), canary=named)
        case Retry():
            return replace(order, salt=fresh(), plan=_plan_again(standing))
        case Undo():
            return replace(order, salt=fresh())
    return order


def _plan_again(standing: Standing) -> Plan | None:
    """The file's plan as it is now for the file's canary; one that was named at runtime keeps its own.

    None: the one that it had.
    """
    rollout = standing.rollout
    by_file = rollout.canary.definition == rollout.definition
    return plan(standing.file) if by_file or rollout.plan is None else None


def planned(standing: Standing) -> Planned:
    """What holds for the steps of an order that says nothing of them: the file's word."""
    rollout, last = standing.file.rollout, standing.rollout.plan
    if rollout is None:
        return Planned(last)
    return Planned(plan(standing.file), rollout.hold, rollout.min_requests, rollout.deadline)


def fresh() -> str:
    """A salt that nobody can guess."""
    return secrets.token_hex(16)
