"""The split of a service's requests among its backends, in parts of 10,000."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

STABLE = "stable"
CANARY = "canary"

TOTAL = 10_000
"""All the parts there are: one part is 0.01 %."""


@dataclass(frozen=True, slots=True)
class Split:
    """Each canary's parts, 0 to 10,000 and no more than that together; `stable` takes the rest."""

    weights: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        names = [name for name, _ in self.weights]
        if STABLE in names or len(set(names)) < len(names):
            raise ValueError(
                f"a split names each canary once and never {STABLE}, which takes the rest: {names}"
            )
        parts = [part for _, part in self.weights]
        if any(part < 0 for part in parts) or sum(parts) > TOTAL:
            raise ValueError(f"the parts of a split lie between 0 and {TOTAL} together: {dict(self.weights)}")

    def pick(self, n: int) -> str:
        """Return whose part `n` (0 to 9,999) is.

        Canaries lie at the bottom: raising a weight only adds to it.
        """
        for name, part in self.weights:
            if n < part:
                return name
            n -= part
        return STABLE

    def part(self, backend: str) -> int:
        """Return the parts of 10,000 that a backend gets: 0 for one that is not named here."""
        parts = dict(self.weights)
        return TOTAL - sum(parts.values()) if backend == STABLE else parts.get(backend, 0)

    def to_json(self) -> list[list[Any]]:
        """Return pairs and no object: their order decides who lies lower, in every JSON library."""
        return [[name, part] for name, part in self.weights]

    @classmethod
    def from_json(cls, pairs: Sequence[Sequence[Any]]) -> Self:
        return cls(tuple((name, part) for name, part in pairs))


def percent(parts: int) -> float:
    """Return parts of 10,000 as percent."""
    return parts / 100
