"""The requests that fail most often: a list of 20, however many different ones there are.

Space-Saving (Metwally, Agrawal & El Abbadi, "Efficient computation of frequent and top-k elements in data
streams", 2005): a request that isn't listed takes the place of the one counted least, and goes on from its
count. So what makes up more than one in 20 of all failures is always listed, and counted too high by the
count it took over at most. Lists of workers add up in the same way (Agarwal et al.,
"Mergeable summaries", 2012).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from proxy.telemetry.sparse import merge, whole_numbers

KEPT = 20
LONGEST = 100
"""Characters of a path that are kept: the rest identifies little, and would travel with each report."""

FailedRequest = tuple[str, str, int]
"""Method, folded path, status."""

_DIGITS = re.compile(r"\d+", re.ASCII)


def fold(route: bytes) -> str:
    """Return a path with each number in it as one `#`, or every order would be a request of its own."""
    text = _DIGITS.sub("#", route[: 4 * LONGEST].decode("ascii", "backslashreplace"))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


@dataclass(slots=True)
class TopFailures:
    """How often which requests failed."""

    counts: dict[FailedRequest, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.counts)

    def add(self, method: str, route: bytes, status: int) -> None:
        """Count one more failed request."""
        request = (method, fold(route), status)
        counts = self.counts
        before = counts.get(request)
        if before is None:
            before = 0 if len(counts) < KEPT else counts.pop(min(counts, key=counts.__getitem__))
        counts[request] = before + 1

    def absorb(self, other: "TopFailures") -> None:
        """Add the list of another worker to this one, and keep the most frequent."""
        merge(self.counts, other.counts)
        if len(self.counts) > KEPT:
            self.counts = dict(self.most())

    def copy(self) -> "TopFailures":
        """Return a list of its own with the same content."""
        return TopFailures(dict(self.counts))

    def most(self) -> list[tuple[FailedRequest, int]]:
        """Return the most frequent ones and how often they failed, the most frequent first."""
        return sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))[:KEPT]

    def to_json(self) -> list[list[Any]]:
        """Return a row of method, path, status and count for each."""
        return [[*request, count] for request, count in self.counts.items()]

    @classmethod
    def from_json(cls, data: Any) -> "TopFailures":
        """Return the list that `to_json` wrote.

        Raises:
            ValueError, TypeError: It wrote no such `data`.
        """
        return cls(dict(_rows(data)))


def _rows(data: Any) -> Iterator[tuple[FailedRequest, int]]:
    for method, route, *numbers in data:
        status, count = whole_numbers(numbers)
        yield (str(method), str(route), status), count
