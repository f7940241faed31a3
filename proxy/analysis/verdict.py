"""The verdict on a canary, and its reasons."""

from dataclasses import dataclass
from typing import Any, Literal

from proxy.analysis.check import Unit

VerdictState = Literal["healthy", "failing", "inconclusive"]

HEALTHY: VerdictState = "healthy"
FAILING: VerdictState = "failing"
INCONCLUSIVE: VerdictState = "inconclusive"
"""The sample is too small to decide."""

ERRORS = "errors"
"""The bet on the canary's failures beside stable's. Bets on latencies have the names of their quantiles."""
ERROR_LIMIT = "error-limit"
"""The bet on the canary's failures alone."""
GUARD = "guard"
"""The rule on the canary's failures where no coin is tossed."""
HARMED = "harmed"
"""The cap on clients that got bad answers, or gave up waiting."""
EXPOSED_USERS = "exposed-users"
"""The cap on users who met the canary."""
UNRECORDED = "unrecorded"
"""Stands for the check of a trip whose finding never reached the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found."""

    check: str
    """The check's name: one of those above, a quantile, or that of a plain rule."""
    state: VerdictState
    value: float | None
    """The canary's value, in `unit`; None without data."""
    limit: float | None
    """The limit in force, in `unit`: the check's own, or what stable's value allows if that is more. None:
    there is none yet."""
    stable: float | None
    """Stable's value over the same window; None without data."""
    sample: int
    """Answers of the canary that the value rests on."""
    needed: int | None = None
    """Answers below which the check decides nothing; None: evidence has no such number."""
    window: float | None = None
    """Seconds looked back over; None: to the beginning of the evidence."""
    unit: Unit
    sentence: str
    """All of this for a person."""
    odds: float | None = None
    """The evidence against the canary, as N:1; None for a check that makes no bets."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
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
            "odds": self.odds,
        }

    @classmethod
    def from_json(cls, data: Any) -> "Finding":
        """Return the finding that `to_json` wrote.

        Raises:
            TypeError: `data` has other keys than it makes.
        """
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Assurance:
    """How far it is shown that the canary is good enough for a larger weight."""

    odds: float
    """That it is, as N:1: of what is asked for, the least shown."""
    bar: float
    """The odds asked for."""
    requests: int | None
    """Answers of the canary that this will take yet, at the rates seen; 0: none; None: not known."""
    seconds: float | None
    """How long they will take at the present rate; None: not known."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"odds": self.odds, "bar": self.bar, "requests": self.requests, "seconds": self.seconds}

    @classmethod
    def from_json(cls, data: Any) -> "Assurance":
        """Return the assurance that `to_json` wrote.

        Raises:
            TypeError: `data` has other keys than it makes.
        """
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of the canary: failing when any check fails, else inconclusive when any lacks its sample.

    Without a canary it is `NO_CANARY`.
    """

    state: VerdictState
    findings: tuple[Finding, ...]
    """In the order of the checks."""
    odds: float | None = None
    """All evidence of the bets against the canary, as N:1; None where no bet is made."""
    bar: float | None = None
    """The odds at which it is failing."""
    assurance: Assurance | None = None
    """None where none is asked for."""
    sentence: str = ""
    """All of this for a person."""
    cold_for: float = 0.0
    """Seconds for which the canary is cold yet, see `proxy.analysis.warm_up`; 0: it is warm."""

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The findings that make it failing."""
        return tuple(finding for finding in self.findings if finding.state == FAILING)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "state": self.state,
            "findings": [finding.to_json() for finding in self.findings],
            "odds": self.odds,
            "bar": self.bar,
            "assurance": self.assurance.to_json() if self.assurance else None,
            "sentence": self.sentence,
            "cold_for": self.cold_for,
        }

    @classmethod
    def from_json(cls, data: Any) -> "Verdict":
        """Return the verdict that `to_json` wrote.

        Raises:
            KeyError, TypeError: It wrote no such `data`.
        """
        assurance = Assurance.from_json(data["assurance"]) if data["assurance"] else None
        return cls(
            data["state"],
            tuple(map(Finding.from_json, data["findings"])),
            data["odds"],
            data["bar"],
            assurance,
            data["sentence"],
            data.get("cold_for", 0.0),
        )


NO_CANARY = Verdict(INCONCLUSIVE, (), sentence="there is no canary to judge")
"""The verdict where nothing is on trial: not healthy, because nothing was shown."""
