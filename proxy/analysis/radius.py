"""The blast radius of a release: who met the canary, and who was hurt by it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from proxy.telemetry.registers import Registers
from proxy.telemetry.tally import Counts


@dataclass(slots=True)
class Radius:
    """Since the release began. It only grows."""

    met: int = 0
    """Requests that went to the canary and are over."""
    harmed: int = 0
    """Bad answers of the canary that reached a client."""
    rescued: int = 0
    """Requests that the canary failed and stable answered."""
    exposed: Registers = field(default_factory=Registers)
    """Users who met the canary, where users are known."""

    def take(self, canary: Counts) -> None:
        """Count one report's difference."""
        self.met += canary.requests + canary.excluded
        self.harmed += canary.harmed
        self.rescued += canary.rescued
        self.exposed.absorb(canary.exposed)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "met": self.met,
            "harmed": self.harmed,
            "rescued": self.rescued,
            "exposed": self.exposed.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Radius":
        """The inverse of `to_json`."""
        exposed = Registers.from_json(data["exposed"])
        return cls(int(data["met"]), int(data["harmed"]), int(data["rescued"]), exposed)
