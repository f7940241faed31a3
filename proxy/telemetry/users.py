"""The users who had bad answers: a log of them and their failures, kept where a service keeps users.

The judge counts a user once and so has to recognise users. Events are numbered from the birth of the log, and
it keeps the last `MOST`. A report holds those since the report before it, and a mark only the number up to
which events were used. So the events of a report that comes twice are recognised. Those of one that was lost
with its connection come with the first on the next one, which holds all that are kept; where some had to be
dropped meanwhile, the difference has a gap, and is marked so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from proxy.telemetry.sparse import whole_numbers

MOST = 10_000
"""Events kept, at most: 240 KB where none of them was reported yet."""
_AT_ONCE = 1_000
"""Events dropped together, the oldest, or each new one would move all of them."""

FAILED, SLOW = 1, (2, 4, 8)
"""The kinds of events, as bits: a failure, and slow for p50, p90 and p99."""
ALL_SLOW = sum(SLOW)

UserEvent = tuple[int, int]
"""A user and the kinds of one event."""


def slow(exceeded: int) -> int:
    """Return the kinds of an answer that exceeded so many of the thresholds, 1 to 3."""
    return (2 << exceeded) - 2


@dataclass(slots=True)
class Users:
    """A stretch of the log of one entry of a worker's tally."""

    start: int = 0
    """Number of the first event held."""
    events: list[UserEvent] = field(default_factory=list)
    """Oldest first."""
    gap: bool = False
    """Of a difference: events are missing before the first."""

    def __bool__(self) -> bool:
        return bool(self.start or self.events or self.gap)

    @property
    def end(self) -> int:
        """Number of the next event to come."""
        return self.start + len(self.events)

    def add(self, user: int, kinds: int) -> None:
        """Record that a user had a bad answer, of these kinds."""
        if len(self.events) >= MOST:
            del self.events[:_AT_ONCE]
            self.start += _AT_ONCE
        self.events.append((user, kinds))

    def since(self, number: int) -> "Users":
        """Return a log of its own of the events from this number on, as far as they are held."""
        skipped = max(0, number - self.start)
        return Users(self.start + skipped, self.events[skipped:], self.gap)

    def mark(self) -> "Users":
        """Return what has to be kept of it to recognise later events."""
        return Users(self.end)

    def minus(self, mark: "Users") -> "Users":
        """Return the events that came after those of an earlier state.

        Raises:
            ValueError: That state has more than this.
        """
        if mark.end > self.end:
            raise ValueError(f"{mark.end} events were to be subtracted, of {self.end}")
        return Users(max(self.start, mark.end), self.since(mark.end).events, self.start > mark.end)

    def plus(self, other: "Users") -> "Users":
        """Return the events of two differences, such as those of two workers."""
        return Users(0, self.events + other.events, self.gap or other.gap)

    def to_json(self) -> list[int]:
        """Return the number of the first event, then user and kinds of each."""
        return [self.start, *_flat(self.events)]

    @classmethod
    def from_json(cls, data: Any) -> "Users":
        """Return the log that `to_json` wrote.

        Raises:
            ValueError: It wrote no such `data`.
        """
        numbers = whole_numbers(data)
        if len(numbers) % 2 != 1:
            raise ValueError(f"a log of users is an odd number of numbers, not {len(numbers)}")
        return cls(numbers[0], list(zip(numbers[1::2], numbers[2::2], strict=True)))


def _flat(events: Iterable[UserEvent]) -> Iterable[int]:
    for event in events:
        yield from event
