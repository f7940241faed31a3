"""What the judge says of a canary, and why."""

from dataclasses import dataclass
from typing import Any, Literal

from proxy.analysis.check import Unit

State = Literal["healthy", "failing", "inconclusive"]

HEALTHY: State = "healthy"
FAILING: State = "failing"
INCONCLUSIVE: State = "inconclusive"
"""The sample is too small to say."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    """The check's name."""
    state: State
    value: float | None
    """The canary's value, in `unit`; None without data."""
    limit: float
    """The limit in force, in `unit`: the check's own, or what stable's value allows if that is more."""
    stable: float | None
    """Stable's value over the same window; None without data."""
    sample: int
    """Answers of the canary that the value rests on."""
    needed: int
    """Answers below which the check says nothing."""
    window: float
    """Seconds looked back over."""
    unit: Unit
    sentence: str
    """All of this for a person."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "check": self.check,
            "state": self.state,
            "value": self.value,
            "limit": self.limit,
            "stable": self.stable,
            "sample": self.sample,
            "needed": self.needed,
            "window": self.window,
            "unit": self.unit,
            "sentence": self.sentence,
        }

    @classmethod
    def from_json(cls, data: Any) -> "Finding":
        """The inverse of `to_json`. TypeError when `data` has other keys than it makes."""
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of the canary: failing when any check fails, else inconclusive when any lacks its sample."""

    state: State
    findings: tuple[Finding, ...]
    """In the order of the checks."""

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The findings that make it failing."""
        return tuple(finding for finding in self.findings if finding.state == FAILING)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"state": self.state, "findings": [finding.to_json() for finding in self.findings]}

    @classmethod
    def from_json(cls, data: Any) -> "Verdict":
        """The inverse of `to_json`. KeyError or TypeError when it made no such `data`."""
        return cls(data["state"], tuple(map(Finding.from_json, data["findings"])))
