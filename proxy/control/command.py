"""An order, and the terms on which it is carried out."""

from dataclasses import dataclass

from proxy.ledger.record import ITSELF
from proxy.rollout.inputs import Order


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """Who gives an order and why, and under which conditions."""

    reason: str = ""
    actor: str = "api"
    if_match: int | None = None
    """The revision that must be in force; None: any."""
    key: str = ""
    """The Idempotency-Key, 1 to 255 printable ASCII characters; "": none."""
    digest: str = ""
    """A SHA-256 of the order: one under the same key with another digest is another order."""


@dataclass(frozen=True, slots=True)
class Command:
    """An order and its terms."""

    order: Order
    terms: OrderTerms


UNORDERED = OrderTerms(actor=ITSELF)
"""The terms of what control does by itself: trips, steps of a plan, adoptions."""
