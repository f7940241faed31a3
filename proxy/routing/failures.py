"""A service's treatment of failures: which count, which are rescued, when endpoints are ejected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from proxy import defaults

SERVER_ERRORS = frozenset(range(500, 600))
UNANSWERED = frozenset(defaults.FAILED_ENDINGS)
"""Every ending of an exchange that the backend is answerable for, as `proxy.telemetry.outcome` names them."""


@dataclass(frozen=True, slots=True)
class Failures:
    """What a service holds against its backends. Raises ValueError for what no backend is answerable for."""

    statuses: frozenset[int] = SERVER_ERRORS
    """Of whole answers."""
    endings: frozenset[str] = UNANSWERED
    """Of exchanges without a whole answer."""

    def __post_init__(self) -> None:
        if unknown := self.endings - UNANSWERED:
            raise ValueError(f"{sorted(unknown)} are no endings of a failure, only {sorted(UNANSWERED)}")
        if wrong := [status for status in self.statuses if not 400 <= status <= 599]:
            raise ValueError(f"a failure has a status of 400 to 599, not {sorted(wrong)}")

    def to_json(self) -> dict[str, Any]:
        return {"statuses": sorted(self.statuses), "endings": sorted(self.endings)}

    @classmethod
    def from_json(cls, value: Mapping[str, Sequence[Any]]) -> Self:
        return cls(frozenset(value["statuses"]), frozenset(value["endings"]))


@dataclass(frozen=True, slots=True)
class Rescue:
    """Which of them are sent again, to `stable`."""

    on: bool = True
    max_body: int = defaults.RESCUE_BODY_BYTES
    """Bytes of a request's body that are kept for it, at most."""
    keyed: bool = False
    """Whether any method is, in a request that carries an `Idempotency-Key`."""

    def to_json(self) -> dict[str, Any]:
        return {"on": self.on, "max_body": self.max_body, "keyed": self.keyed}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(value["on"], value["max_body"], value["keyed"])


@dataclass(frozen=True, slots=True)
class Ejection:
    """How many failures are too many, and how long the endpoint is left alone then."""

    failures: int = defaults.EJECTION_FAILURES
    """In a row; 1 or more."""
    backoff: float = defaults.EJECTION_BACKOFF
    """Seconds until it is tried again, the first time; every failed trial doubles them."""
    longest: float = defaults.EJECTION_LONGEST
    """Seconds that they are doubled to, at most; `backoff` or more."""

    def to_json(self) -> dict[str, Any]:
        return {"failures": self.failures, "backoff": self.backoff, "longest": self.longest}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(value["failures"], value["backoff"], value["longest"])
