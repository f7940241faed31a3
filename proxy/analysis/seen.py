"""What the checks have been told: the numbers behind the odds, for people."""

from dataclasses import dataclass

from proxy.analysis.bets import Events


@dataclass(slots=True)
class Seen:
    """What one check has been told since the evidence began."""

    canary_bad: int = 0
    canary: int = 0
    stable_bad: int = 0
    stable: int = 0

    def take(self, events: Events, stable: int) -> None:
        """Add one tally, with the number of stable's requests in it."""
        self.canary_bad += events.canary_bad
        self.canary += events.canary_bad + events.canary_ok
        self.stable_bad += events.stable_bad
        self.stable += stable

    @property
    def value(self) -> float | None:
        """The canary's share of bad requests."""
        return self.canary_bad / self.canary if self.canary else None

    @property
    def reference(self) -> float | None:
        """Stable's."""
        return self.stable_bad / self.stable if self.stable else None
