"""The open connections of a worker's clients, as connection and listener see each other."""

from typing import Protocol

from proxy.forwarding.halted import Halted

MOST_DISMISSED = 64
"""Connections beyond the limit that are told so at a time; those beyond these are closed without a word."""


class Member(Protocol):
    """One connection of a client, as its listener sees it."""

    def finish(self) -> None:
        """End after the request that is under way, or at once when there is none."""

    def reset(self) -> None:
        """End evidently broken."""

    def halted(self, halted: Halted, *, drained: bool) -> bool:
        """Let go of a halted backend; tells whether it still awaits it. `drained`: it had its time."""


class Members(Protocol):
    """Who keeps the open connections."""

    def add(self, connection: Member) -> int:
        """A connection is open; returns how many there are, without those that were dismissed."""

    def dismiss(self, connection: Member) -> int:
        """There is no room for this one, and it is on its way out; returns how many such there are."""

    def discard(self, connection: Member) -> None:
        """A connection is over."""
