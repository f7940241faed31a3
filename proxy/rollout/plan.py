"""The way from 1 % to 100 %: steps with a weight each, and gates where a person is asked.

A plan belongs to the rollout that began with it: a later file is for the next one.
"""

from dataclasses import dataclass
from typing import Any, Self

from proxy.routing.split import TOTAL


@dataclass(frozen=True, slots=True)
class Step:
    """The canary has `weight` parts of 10,000, for at least `hold` seconds and `min_requests` answers."""

    weight: int
    hold: float
    min_requests: int


@dataclass(frozen=True, slots=True)
class Gate:
    """The weight stays, and the rollout is paused until a person promotes it. `text` is for that person."""

    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps of rising weight up to 100 %. ValueError for others."""

    steps: tuple[Step | Gate, ...]
    deadline: float | None = None
    """Seconds from its begin, or from a resume or promote, after which a rollout is paused; None: never."""

    def __post_init__(self) -> None:
        weights = [step.weight for step in self.steps if isinstance(step, Step)]
        if weights != sorted(set(weights)) or weights[:1] <= [0] or weights[-1:] != [TOTAL]:
            raise ValueError(f"the weights of a plan rise from more than 0 to {TOTAL} parts, not {weights}")

    def weight(self, entered: int) -> int:
        """Return the canary's parts when so many of the steps were entered; a gate leaves them."""
        weights = [step.weight for step in self.steps[:entered] if isinstance(step, Step)]
        return weights[-1] if weights else 0

    def at(self, entered: int) -> Step | Gate | None:
        """Return the step that was entered last; None before the first."""
        return self.steps[entered - 1] if entered else None

    def after(self, entered: int) -> Step | Gate | None:
        """Return the step that comes next; None when all were entered."""
        return self.steps[entered] if entered < len(self.steps) else None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        steps: list[Any] = [
            step.text if isinstance(step, Gate) else [step.weight, step.hold, step.min_requests]
            for step in self.steps
        ]
        return {"steps": steps, "deadline": self.deadline}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the plan that `to_json` wrote."""
        steps = (Gate(each) if isinstance(each, str) else Step(*each) for each in data["steps"])
        return cls(tuple(steps), data["deadline"])


AT_ONCE = Plan((Step(TOTAL, 0.0, 0),))
"""All of it now: what a person orders who wants no steps."""
