"""The reach of a canary's harm: requests and users met since the release began, and the caps on it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from proxy.analysis.policy import Caps
from proxy.analysis.verdict import EXPOSED_USERS, FAILING, HARMED, HEALTHY, Finding
from proxy.analysis.wording import capped
from proxy.telemetry.counts import Counts
from proxy.telemetry.hyperloglog import Registers


@dataclass(slots=True)
class BlastRadius:
    """Counts of the canary's requests since the release began."""

    met: int = 0
    """Requests that it was asked."""
    harmed: int = 0
    """Clients that it harmed: they got a bad answer, or gave up waiting for one that was overdue."""
    gave_up: int = 0
    """Those of them that gave up waiting."""
    rescued: int = 0
    """Requests that failed there and were answered well by stable."""
    exposed: Registers | None = None
    """The users who met it; None where users aren't known."""
    forgiven: dict[str, int] = field(default_factory=dict)
    """By the name of each cap, what doesn't count towards it: what there was when a person last resumed."""

    @property
    def users(self) -> int:
        """How many users met it, within about 2.3 %."""
        return self.exposed.estimate() if self.exposed else 0

    @property
    def resumed(self) -> bool:
        """Whether a person resumed after a rollback, so that evidence and caps began anew."""
        return bool(self.forgiven)

    def add(self, canary: Counts) -> None:
        """Count what the canary answered."""
        for results in (canary.drawn, canary.pinned, canary.taken_over):
            self.met += sum(results.values())
        self.harmed += canary.harm
        self.gave_up += canary.gave_up
        self.rescued += canary.rescued
        if canary.exposed:
            if self.exposed is None:
                self.exposed = Registers()
            self.exposed.absorb(canary.exposed)

    def forgive(self) -> None:
        """Let caps count what comes from now on."""
        self.forgiven = {HARMED: self.harmed, EXPOSED_USERS: self.users}

    def findings(self, caps: Caps) -> Iterator[Finding]:
        """Yield the finding of each cap that is set."""
        for name, cap, reached in (
            (HARMED, caps.harmed, self.harmed),
            (EXPOSED_USERS, caps.exposed_users, self.users if caps.exposed_users is not None else 0),
        ):
            if cap is not None:
                value = reached - self.forgiven.get(name, 0)
                yield Finding(
                    check=name,
                    state=FAILING if value >= cap else HEALTHY,
                    value=value,
                    limit=cap,
                    stable=None,
                    sample=self.met,
                    unit="count",
                    sentence=capped(name, value, cap, resumed=self.resumed),
                )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "met": self.met,
            "harmed": self.harmed,
            "gave_up": self.gave_up,
            "rescued": self.rescued,
            "exposed": self.exposed.to_json() if self.exposed else None,
            "forgiven": dict(self.forgiven),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "BlastRadius":
        """Return the blast radius that `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: It wrote no such `data`.
        """
        exposed = None if data["exposed"] is None else Registers.from_json(data["exposed"])
        gave_up = data.get("gave_up", 0)  # an older ledger hasn't counted them
        return cls(data["met"], data["harmed"], gave_up, data["rescued"], exposed, dict(data["forgiven"]))
