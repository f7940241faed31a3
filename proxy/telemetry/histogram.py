"""A histogram of durations in logarithmic buckets, 9 % wide, from 61 us to 128 s.

Eight buckets to every power of two: wide enough that a service needs some twenty of them, narrow enough that
a quantile is known within 9 %, and every eighth bound is a power of two that Prometheus can show as `le`. As
with `le`, a bucket is open below and closed above: number i of 1..168 holds
2**((i-113)/8) < seconds <= 2**((i-112)/8), number 0 all that is shorter, number 169 all that is longer.

Counts are kept sparse, in a dict: a service's durations meet few buckets, so that adding, subtracting and
sending histograms costs what they hold and not 170 numbers. Counting one duration costs some 70 ns more than
in a list. The sum is whole nanoseconds: unlike a float's, differences of it are exact in any order.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, log2
from typing import Any

from proxy.telemetry.sparse import merge, separate, whole_numbers

PER_OCTAVE = 8
LOWEST, HIGHEST = -14, 7
"""Powers of two seconds: the first and the last bound."""

_OFFSET = -LOWEST * PER_OCTAVE
OVERFLOW = (HIGHEST - LOWEST) * PER_OCTAVE + 1
"""Index of the bucket without an upper bound."""

BOUNDS: tuple[float, ...] = tuple(2.0 ** (i / PER_OCTAVE + LOWEST) for i in range(OVERFLOW))
"""Upper bound of each bucket but the last, seconds."""

_SHORTEST, _LONGEST = BOUNDS[0], BOUNDS[-1]
_NANOSECONDS = 1e9


def index(seconds: float) -> int:
    """Return the bucket of a duration in seconds."""
    if _SHORTEST < seconds <= _LONGEST:
        return ceil(log2(seconds) * PER_OCTAVE) + _OFFSET
    return 0 if seconds <= _SHORTEST else OVERFLOW


@dataclass(slots=True)
class Histogram:
    """How often each bucket was met, and the sum of all durations."""

    counts: dict[int, int] = field(default_factory=dict)
    """By bucket; buckets never met are absent."""
    nanoseconds: int = 0

    @property
    def count(self) -> int:
        """How many durations were added."""
        return sum(self.counts.values())

    @property
    def sum_seconds(self) -> float:
        """The sum of all durations."""
        return self.nanoseconds / _NANOSECONDS

    def add(self, seconds: float) -> None:
        """Count one duration of 0 seconds or more."""
        if _SHORTEST < seconds <= _LONGEST:  # index(), written out: a call costs as much as the rest
            bucket = ceil(log2(seconds) * PER_OCTAVE) + _OFFSET
        else:
            bucket = 0 if seconds <= _SHORTEST else OVERFLOW
        counts = self.counts
        counts[bucket] = counts.get(bucket, 0) + 1
        self.nanoseconds += int(seconds * _NANOSECONDS)

    def absorb(self, other: "Histogram") -> None:
        """Add all of another histogram to this one."""
        merge(self.counts, other.counts)
        self.nanoseconds += other.nanoseconds

    def shed(self, other: "Histogram") -> None:
        """Take another histogram out of this one. ValueError when it holds more than this."""
        separate(self.counts, other.counts)
        if other.nanoseconds > self.nanoseconds:
            raise ValueError("the subtracted durations sum to more than there is")
        self.nanoseconds -= other.nanoseconds

    def copy(self) -> "Histogram":
        """Return a histogram of its own with the same content."""
        return Histogram(dict(self.counts), self.nanoseconds)

    def plus(self, other: "Histogram") -> "Histogram":
        """Return both together."""
        result = self.copy()
        result.absorb(other)
        return result

    def minus(self, other: "Histogram") -> "Histogram":
        """Return this one without another.

        Raises:
            ValueError: The other holds more than this.
        """
        result = self.copy()
        result.shed(other)
        return result

    def quantile(self, q: float) -> float | None:
        """Return the duration in seconds that a share `q` (0..1) of all stays within; None without data.

        It is right within one bucket, 9 %, between 61 us and 128 s. Within a bucket, durations are taken as
        evenly spread. Longer ones are reported as 128 s.
        """
        rank = q * self.count
        below = 0
        for bucket in sorted(self.counts):
            here = self.counts[bucket]
            if below + here >= rank:
                return _within(bucket, (rank - below) / here)
            below += here
        return None

    def cumulative(self, buckets: tuple[int, ...]) -> Iterator[int]:
        """Return, for each of these rising bucket indices, how many durations lie in it or below."""
        met = sorted(self.counts.items(), reverse=True)
        total = 0
        for bound in buckets:
            while met and met[-1][0] <= bound:
                total += met.pop()[1]
            yield total

    def to_json(self) -> list[int]:
        """Return the nanoseconds, then bucket and count of each bucket met."""
        flat = [self.nanoseconds]
        for pair in self.counts.items():
            flat += pair
        return flat

    @classmethod
    def from_json(cls, data: Any) -> "Histogram":
        """Return the histogram that `to_json` wrote.

        Raises:
            ValueError: It wrote no such `data`.
        """
        numbers = whole_numbers(data)
        if len(numbers) % 2 != 1:
            raise ValueError(f"a histogram is an odd number of numbers, not {len(numbers)}")
        counts = dict(zip(numbers[1::2], numbers[2::2], strict=True))
        if any(bucket > OVERFLOW for bucket in counts):
            raise ValueError(f"a histogram has buckets 0 to {OVERFLOW}, not {max(counts)}")
        return cls(counts, numbers[0])


def _within(bucket: int, part: float) -> float:
    """Return the duration (seconds) at `part` (0..1) of the way through a bucket."""
    if bucket == OVERFLOW:
        return _LONGEST
    low = BOUNDS[bucket - 1] if bucket else 0.0
    return low + (BOUNDS[bucket] - low) * part
