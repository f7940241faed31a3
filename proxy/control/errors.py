"""What can be wrong with an order, in words for the person who has to act on it."""

from __future__ import annotations

from collections.abc import Sequence


class ControlError(Exception):
    """An order that was not carried out. `detail` says why, and what stays in force."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Conflict(ControlError):
    """The order does not fit the state the service is in (HTTP 409): its phase, and the orders legal in it.

    No phase: the orders are not what it is about.
    """

    def __init__(self, detail: str, phase: str = "", legal: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.phase = phase
        self.legal = tuple(legal)


class StaleRevision(ControlError):
    """The order was made on a picture that has changed since (HTTP 412). `current` is the revision now."""

    def __init__(self, current: int, expected: int) -> None:
        super().__init__(
            f"the service is at revision {current}, the order expects {expected or 'one that never was'}; "
            "nothing was changed"
        )
        self.current = current


class KeyReused(ControlError):
    """The Idempotency-Key belongs to another order that was carried out before (HTTP 422)."""


class Unreadable(ControlError):
    """There is no config file to read again, or it can't be read (HTTP 409); nothing was changed."""
