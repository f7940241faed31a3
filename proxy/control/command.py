"""What a person commands: an order, and on which terms it is carried out."""

from dataclasses import dataclass

from proxy.ledger.record import ITSELF
from proxy.rollout.inputs import Order


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order says beside what it wants."""

    reason: str = ""
    actor: str = "api"
    if_match: int | None = None
    """The revision that must be in force; None: any."""
    key: str = ""
    """The Idempotency-Key, 1 to 255 printable ASCII characters; "": none."""
    digest: str = ""
    """What was ordered, as a SHA-256: an order under the same key with another digest is another order."""


@dataclass(frozen=True, slots=True)
class Command:
    """An order of a person, and its terms."""

    order: Order
    terms: Terms


UNORDERED = Terms(actor=ITSELF)
"""The terms of what nobody ordered: verdicts, steps of a plan, adoptions."""
