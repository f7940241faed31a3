"""What makes one request unlike another: the random bits that decide its fate, and its id."""

import itertools
from collections.abc import Callable

_AT_ONCE = 256
"""RandomBits that are asked for at once: one by one, the system's random bits cost several us."""


class RandomBits:
    """Random bits for requests.

    128 bits decide a request's fate: the share of 10,000, the endpoint, and a sticky key when one is due. A
    key must not be guessable, so they have to come from the system; in bulk they cost what a PRNG's cost.

    Args:
        random_bytes: returns so many random bytes.
    """

    __slots__ = ("_left", "_random_bytes")

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._left: list[int] = []

    def __repr__(self) -> str:
        return f"<RandomBits {len(self._left) // 2} left>"

    def draw(self) -> int:
        """Return 128 random bits."""
        if not self._left:
            self._left = list(memoryview(self._random_bytes(16 * _AT_ONCE)).cast("Q"))
        return self._left.pop() << 64 | self._left.pop()


class RequestIds:
    """Ids of requests, each unlike any other.

    Args:
        prefix: distinguishes the ids of this worker from those of the others.
    """

    __slots__ = ("_numbers", "_prefix")

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix.encode()
        self._numbers = itertools.count(1)

    def __repr__(self) -> str:
        return f"<RequestIds {self._prefix.decode()}>"

    def next(self) -> bytes:
        """Return the next id."""
        return b"%b-%x" % (self._prefix, next(self._numbers))
