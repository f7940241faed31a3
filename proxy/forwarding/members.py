"""Who keeps the open connections of a worker."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # a connection knows who keeps it
    from proxy.forwarding.downstream import Downstream


class Members(Protocol):
    """Who keeps the open connections of a worker."""

    def add(self, connection: "Downstream") -> int:
        """A connection is open; returns how many there are, without those that were dismissed."""

    def dismiss(self, connection: "Downstream") -> int:
        """There is no room for this one, and it is on its way out; returns how many such there are."""

    def discard(self, connection: "Downstream") -> None:
        """A connection is over."""
