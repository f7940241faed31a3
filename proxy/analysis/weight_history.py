"""The weight under which each request was routed, by its revision."""

from math import inf
from typing import Any

from proxy.routing.split import TOTAL

KEPT = 1_000
"""Revisions that are remembered; answers of older ones are no evidence."""


def odds(parts: float) -> float:
    """Return the canary's share to stable's, when it has so many parts of 10,000; inf when it has all."""
    return parts / (TOTAL - parts) if parts < TOTAL else inf


class WeightHistory:
    """The canary's parts of 10,000 by revision, and those in force."""

    def __init__(self) -> None:
        self._parts: dict[int, int] = {}
        self.revision = -1
        """The newest."""
        self.since = -1
        """The revision from which on the weight is what it is now."""

    def __repr__(self) -> str:
        return f"<WeightHistory: {self.parts} parts since revision {self.since}>"

    @property
    def parts(self) -> int:
        """Those in force, 0 before there are any."""
        return self._parts.get(self.revision, 0)

    def of(self, revision: int) -> int | None:
        """Return the parts under which a request of this revision was routed; None: not known (any more)."""
        return self._parts.get(revision)

    def put(self, revision: int, parts: int) -> int:
        """Take note of a state in force, and return by how many parts of 10,000 it raises the weight.

        The first one raises nothing. One that is older than another changes nothing.
        """
        if revision <= self.revision:
            return 0
        change = parts - self.parts if self._parts else 0
        if change or not self._parts:
            self.since = revision
        self._parts[revision] = parts
        self.revision = revision
        if len(self._parts) > KEPT:
            del self._parts[next(iter(self._parts))]
        return change

    def to_json(self) -> list[list[int]]:
        """Return plain JSON values."""
        return [[revision, parts] for revision, parts in self._parts.items()]

    @classmethod
    def from_json(cls, data: Any) -> "WeightHistory":
        """Return the history that `to_json` wrote.

        Raises:
            ValueError, TypeError: It wrote no such `data`.
        """
        weights = cls()
        for revision, parts in data:
            weights.put(revision, parts)
        return weights
