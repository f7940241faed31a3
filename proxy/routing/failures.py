"""Which answers of a backend are failures, and which ways of giving none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

SERVER_ERRORS = frozenset(range(500, 600))
UNANSWERED = frozenset({"connect", "tls", "timeout", "reset", "garbage", "truncated"})
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
