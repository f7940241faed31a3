"""Errors of orders and reloads, in words for the person who has to act on them."""

from __future__ import annotations

from collections.abc import Sequence


class ControlError(Exception):
    """An order or a reload was not carried out. `detail` has the reason, and what stays in force."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Conflict(ControlError):
    """The order is not legal in the state of the service (HTTP 409).

    `phase` and `legal` are the phase and the orders that are legal in it; "" and () when the conflict has
    another reason.
    """

    def __init__(self, detail: str, phase: str = "", legal: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.phase = phase
        self.legal = tuple(legal)


class StaleRevision(ControlError):
    """The service is not at the revision that the order expects (HTTP 412) but at `current`."""

    def __init__(self, current: int, expected: int) -> None:
        super().__init__(
            f"the service is at revision {current}, the order expects "
            f"{expected or 'a tag that is of no revision'}; nothing was changed"
        )
        self.current = current


class KeyReused(ControlError):
    """The Idempotency-Key belongs to another order that was carried out before (HTTP 422)."""


class Unreadable(ControlError):
    """There is no config file to read again, or it can't be read (HTTP 409); nothing was changed."""
