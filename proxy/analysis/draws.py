"""How often the canary was really drawn, where users and not requests are.

A few heavy users make the canary's share of the requests unlike its share of the users. What is bet on it
must be careful on both sides.
"""

ENOUGH = 1_000
"""Draws from which on their shares say something; so many to twice as many are looked at."""


class Draws:
    """The last draws of a service, while its weight is the same."""

    __slots__ = ("_all", "_before", "_canary")

    def __init__(self) -> None:
        self._canary = self._all = 0
        self._before: tuple[int, int] | None = None

    def __repr__(self) -> str:
        return f"<Draws: {self.share} were the canary's>"

    @property
    def share(self) -> float | None:
        """The canary's share (0..1) of them; None while they are too few."""
        if self._before is None:
            return None
        canary, total = self._before
        return (canary + self._canary) / (total + self._all)

    def add(self, canary: int, total: int) -> None:
        """So many draws more, and how many of them were the canary's."""
        self._canary += canary
        self._all += total
        if self._all >= ENOUGH:
            self._before = (self._canary, self._all)
            self._canary = self._all = 0
