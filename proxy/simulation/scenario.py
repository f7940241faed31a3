"""The settings of a simulation: how many ask, how both sides answer, and when the canary turns bad."""

from dataclasses import dataclass, field, fields, replace
from typing import Any


def _within(name: str, value: Any, least: float, most: float) -> None:
    if isinstance(value, dict) or not least <= value <= most:
        raise ValueError(f"`{name}` is {value!r}; it takes {least:.10g} to {most:.10g}")


@dataclass(frozen=True, slots=True)
class BackendBehavior:
    """How a backend answers. Times are spread log-normally."""

    errors: float = 0.01
    """The share (0..1) of requests that fail; they take as long as the others."""
    median: float = 0.05
    """Seconds to the response head."""
    spread: float = 0.5
    """Standard deviation of the time's natural logarithm: 0.5 makes p99 3.2 times the median."""
    hang: float = 0.0
    """The share (0..1) of requests that are never answered, and fail at the timeout."""

    def __post_init__(self) -> None:
        for name in ("errors", "hang"):
            _within(name, getattr(self, name), 0, 1)
        _within("median", self.median, 1e-4, 60)
        _within("spread", self.spread, 0, 3)


@dataclass(frozen=True, slots=True)
class Canary:
    """How a canary that turned bad differs from stable."""

    errors: float | None = None
    """The share (0..1) of its requests that fail; None: as many as of stable's."""
    times: float = 1.0
    """How many times longer than stable it takes."""
    hang: float = 0.0
    """The share (0..1) of its requests that are never answered."""

    def __post_init__(self) -> None:
        if self.errors is not None:
            _within("errors", self.errors, 0, 1)
        _within("times", self.times, 0.001, 1000)
        _within("hang", self.hang, 0, 1)

    def beside(self, stable: BackendBehavior) -> BackendBehavior:
        """Return how it answers, when stable answers like this."""
        errors = stable.errors if self.errors is None else self.errors
        return replace(stable, errors=errors, median=stable.median * self.times, hang=self.hang)


GOOD = Canary()


@dataclass(frozen=True, slots=True)
class Incidents:
    """What strikes both sides at once, now and then: a shared database that is down."""

    every: float = 1200.0
    """Seconds between two beginnings, on the average; they come at random."""
    lasts: float = 60.0
    """Seconds."""
    errors: float = 0.3
    """The share (0..1) of requests that fail then, on both sides."""
    slow: float = 3.0
    """How many times longer answers take then."""

    def __post_init__(self) -> None:
        _within("every", self.every, 1, 1e9)
        _within("lasts", self.lasts, 0, 1e9)
        _within("errors", self.errors, 0, 1)
        _within("slow", self.slow, 0.01, 1000)


@dataclass(frozen=True, slots=True)
class Day:
    """How traffic, failures and times of both sides swing together, as between day and night."""

    period: float = 3600.0
    """Seconds."""
    depth: float = 0.8
    """The swing of all three around their average, 0..1; failures and times are highest with the traffic."""

    def __post_init__(self) -> None:
        _within("period", self.period, 1, 1e9)
        _within("depth", self.depth, 0, 0.99)


@dataclass(frozen=True, slots=True)
class Population:
    """Users, each of whom a sticky service keeps on one side."""

    users: int = 200
    speeds: float = 0.0
    """Standard deviation of the logarithm of their own speeds: 0 when all are as fast."""
    retries: int = 0
    """How often a user tries again at most when a request failed."""
    stubborn: float = 0.9
    """The share (0..1) of retries that fail as well, on both sides."""
    pause: float = 0.2
    """Seconds before a retry."""

    def __post_init__(self) -> None:
        _within("users", self.users, 1, 1_000_000)
        _within("speeds", self.speeds, 0, 3)
        _within("retries", self.retries, 0, 1000)
        _within("stubborn", self.stubborn, 0, 1)
        _within("pause", self.pause, 0.001, 3600)


@dataclass(frozen=True, slots=True)
class EjectionRule:
    """Workers that spare a canary's endpoint for a while once it fails: its draws are diverted to stable."""

    after: int = 5
    """Failures in a row."""
    pause: float = 1.0
    """Seconds of the first ejection; each further one takes twice as long."""
    longest: float = 30.0
    """Seconds that an ejection takes at most."""

    def __post_init__(self) -> None:
        _within("after", self.after, 1, 1_000_000)
        _within("pause", self.pause, 0.001, 3600)
        _within("longest", self.longest, self.pause, 86_400)


@dataclass(frozen=True, slots=True)
class Scenario:
    """All of it; by default a canary that is as good as stable."""

    rate: float = 100.0
    """Requests a second, on the average."""
    weight: float = 0.05
    """The canary's share (0..1) of the requests that the coin decides."""
    stable: BackendBehavior = field(default_factory=BackendBehavior)
    canary: Canary = GOOD
    """How the canary differs from stable, from `onset` on."""
    onset: float = 0.0
    """Seconds for which the canary is good."""
    alone: float = 0.0
    """Seconds for which stable has all of the traffic before, so that its times are known."""
    timeout: float = 30.0
    """Seconds that an unanswered request is waited for."""
    segment: float = 0.0
    """The share (0..1) of requests that a segment pins to the canary, whatever the weight."""
    incidents: Incidents | None = None
    day: Day | None = None
    crowd: Population | None = None
    """None: as many users as requests."""
    ejection: EjectionRule | None = None
    lasts: float = 600.0
    """Seconds from the onset after which a run is over."""

    def __post_init__(self) -> None:
        _within("rate", self.rate, 0.01, 1e6)
        for name in ("weight", "segment"):
            _within(name, getattr(self, name), 0, 1)
        for name in ("onset", "alone"):
            _within(name, getattr(self, name), 0, 1e8)
        _within("timeout", self.timeout, 0.01, 3600)
        _within("lasts", self.lasts, 0.01, 1e8)

    @property
    def good(self) -> bool:
        """Whether the canary answers as stable does for the whole time."""
        return self.canary.beside(self.stable) == self.stable

    @classmethod
    def from_json(cls, data: Any) -> "Scenario":
        """Return a scenario from plain values by the names above.

        Raises:
            ValueError: Something is wrong in them; its text names it.
        """
        parts = {
            "stable": BackendBehavior, "canary": Canary, "incidents": Incidents, "day": Day,
            "crowd": Population, "ejection": EjectionRule,
        }  # fmt: skip  # reads as the list it is
        named = _named(cls, data, "a scenario")
        return cls(
            **{
                name: parts[name](**_named(parts[name], value, f"`{name}`")) if name in parts else value
                for name, value in named.items()
            }
        )


def _named(kind: Any, data: Any, what: str) -> dict[str, Any]:
    """Return `data`, checked to be numbers or mappings by the names of the fields of `kind`."""
    if not isinstance(data, dict):
        raise ValueError(f"{what} is a mapping, not {data!r}")
    names = [each.name for each in fields(kind)]
    for name, value in data.items():
        if name not in names:
            raise ValueError(f"`{name}` is not a key of {what}; there are {', '.join(names)}")
        if isinstance(value, bool) or not isinstance(value, int | float | dict):
            raise ValueError(f"`{name}` of {what} is {value!r}; expected a number")
    return data
