"""One rule on the canary's outcomes: which metric, over how long, up to what, on how large a sample."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

Metric = Literal["error-rate", "latency-p50", "latency-p90", "latency-p95", "latency-p99"]
Unit = Literal["ratio", "seconds", "count"]

METRICS: tuple[Metric, ...] = get_args(Metric)

QUANTILES: dict[Metric, float] = {
    "latency-p50": 0.50,
    "latency-p90": 0.90,
    "latency-p95": 0.95,
    "latency-p99": 0.99,
}
"""The share of answers (0..1) whose response head a latency check looks at."""


@dataclass(frozen=True, slots=True)
class Check:
    """One rule. It fails when the canary's value over the window is above the limit in force.

    The error rate is failures among answered requests. A latency is the time to the response head, known
    within the 9 % of a histogram's bucket.
    """

    metric: Metric
    max: float
    """The limit: a ratio of 0..1 for the error rate, seconds for a latency."""
    window: float
    """Seconds looked back over."""
    min_requests: int
    """Answers of the canary below which nothing is concluded; 1 or more."""
    times_stable: float = 0.0
    """How many times stable's value is allowed as well; 0: stable doesn't matter."""
    name: str = ""
    """What people and metrics call it, once among a service's checks; "": as its metric."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.metric)
        if self.metric not in METRICS:
            raise ValueError(f"`{self.metric}` is not a metric; there are {', '.join(METRICS)}")
        if not 0 <= self.max < float("inf") or (self.unit == "ratio" and self.max > 1):
            raise ValueError(f"{self.max} is not a limit for {self.metric}")
        if not 0 < self.window < float("inf"):
            raise ValueError(f"{self.window} s is not a window to look back over")
        if self.min_requests < 1:
            raise ValueError(f"min_requests is {self.min_requests}; it takes one at least")
        if not 0 <= self.times_stable < float("inf"):
            raise ValueError(f"{self.times_stable} times stable's value is not a limit")

    @property
    def unit(self) -> Unit:
        """What its values and limits are in."""
        return "seconds" if self.metric in QUANTILES else "ratio"

    def limit(self, stable: float | None) -> float:
        """Return the limit in force beside stable's value (None without data); a ratio never exceeds 1."""
        if stable is None:
            return self.max
        limit = max(self.max, self.times_stable * stable)
        return min(limit, 1.0) if self.unit == "ratio" else limit

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "metric": self.metric,
            "max": self.max,
            "window": self.window,
            "min_requests": self.min_requests,
            "times_stable": self.times_stable,
            "name": self.name,
        }

    @classmethod
    def from_json(cls, data: Any) -> "Check":
        """Return the check that `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: It wrote no such `data`.
        """
        return cls(**data)
