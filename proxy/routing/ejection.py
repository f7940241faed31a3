"""When a worker leaves an endpoint alone that fails, as a service's owner says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Ejection:
    """How many failures are too many, and how long the endpoint is left alone then."""

    failures: int = 5
    """In a row; 1 or more."""
    backoff: float = 10.0
    """Seconds until it is tried again, the first time; every failed trial doubles them."""
    longest: float = 300.0
    """Seconds that they are doubled to, at most; `backoff` or more."""

    def to_json(self) -> dict[str, Any]:
        return {"failures": self.failures, "backoff": self.backoff, "longest": self.longest}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(value["failures"], value["backoff"], value["longest"])
