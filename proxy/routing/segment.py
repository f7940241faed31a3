"""Segments: named rules that pin requests to a backend, and the index that finds them fast."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from proxy.http1.head import RequestHead
from proxy.routing.match import Condition, Test
from proxy.routing.sources import Reader, cookie_in, decoded


@dataclass(frozen=True, slots=True)
class Segment:
    """The requests that meet every condition, and the backend they go to. Raises ValueError without any."""

    name: str
    to: str
    conditions: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if not self.conditions:
            raise ValueError(f"segment `{self.name}` asks for nothing, so it would match every request")

    def matches(self, head: RequestHead) -> bool:
        """Return whether the request meets all the conditions."""
        return all(condition.matches(head) for condition in self.conditions)

    @property
    def sharpest(self) -> Condition:
        """The condition that fewest requests can be expected to meet."""
        return min(self.conditions, key=lambda condition: _SHARPNESS.index(condition.kind))

    def to_json(self) -> dict[str, Any]:
        conditions = [condition.to_json() for condition in self.conditions]
        return {"name": self.name, "to": self.to, "conditions": conditions}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(value["name"], value["to"], tuple(map(Condition.from_json, value["conditions"])))


_SHARPNESS = ("exact", "in", "prefix", "regex", "present")


Lookup = Callable[[bytes], Sequence[int]]
"""The numbers of the segments that a value might satisfy."""


def _watch(filed: Iterable[tuple[int, Condition]]) -> Lookup:
    """Look for the segments of which one field, cookie or other source has a value; most values suit none.

    Each is filed under its sharpest condition alone, by its number in file order.
    """
    exact: dict[bytes, tuple[int, ...]] = {}
    prefixes: list[tuple[bytes, int]] = []
    tests: list[tuple[Test, int]] = []
    for number, condition in filed:
        if condition.kind in ("exact", "in"):
            exact.update({value: (*exact.get(value, ()), number) for value in condition.wanted})
        elif condition.kind == "prefix":
            prefixes.extend((start, number) for start in condition.wanted)
        else:
            tests.append((condition.test, number))
    starts = tuple(start for start, _ in prefixes)

    def look(value: bytes) -> Sequence[int]:
        numbers = exact.get(value, ())
        if starts and value.startswith(starts):
            numbers += tuple(number for start, number in prefixes if value.startswith(start))
        if tests:
            numbers += tuple(number for test, number in tests if test(value))
        return numbers

    return look


class SegmentIndex:
    """A service's segments, filed so that a request which matches none costs one look at each source.

    Headers and cookies are taken in one pass over the request's fields, however many of them are asked about.
    A segment that may match is tried in full, so one too many, for the second cookie of a name, does no harm.
    """

    __slots__ = ("_fields", "_others", "_segments")

    def __init__(self, segments: tuple[Segment, ...]) -> None:
        self._segments = segments
        self._fields: dict[bytes, list[Lookup]] = {}
        self._others: list[tuple[Reader, Lookup]] = []
        filed: dict[tuple[str, str], list[tuple[int, Condition]]] = {}
        for number, segment in enumerate(segments):
            condition = segment.sharpest
            name = condition.name.lower() if condition.source == "header" else condition.name
            filed.setdefault((condition.source, name), []).append((number, condition))
        for (source, name), conditions in filed.items():
            look = _watch(conditions)
            if source == "header":
                self._fields.setdefault(name.encode(), []).append(look)
            elif source == "cookie":
                self._fields.setdefault(b"cookie", []).append(_at_cookie(name.encode(), look))
            else:
                self._others.append((conditions[0][1].read, look))

    def first(self, head: RequestHead) -> Segment | None:
        """Return the first segment in file order that the request matches."""
        suspects: list[int] = []
        if fields := self._fields:
            for name, line in head.fields:
                if name in fields:
                    value = line[len(name) + 1 :].strip(b" \t")  # value_of(), written out
                    for look in fields[name]:
                        suspects += look(value)
        for read, look in self._others:
            for value in read(head):
                suspects += look(value)
        return self._first(sorted(suspects), head) if suspects else None

    def _first(self, numbers: Iterable[int], head: RequestHead) -> Segment | None:
        segments = (self._segments[number] for number in numbers)
        return next((segment for segment in segments if segment.matches(head)), None)


NO_SEGMENTS = SegmentIndex(())
"""Of all services without segments."""


def _at_cookie(name: bytes, look: Lookup) -> Lookup:
    """Look at one cookie of a line."""
    find = cookie_in(name)
    return lambda line: () if (value := find(line)) is None else look(decoded(value))
