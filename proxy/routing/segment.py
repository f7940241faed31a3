"""Segments: named rules that pin requests to a backend, and the screen that finds them fast."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from proxy.http1.head import RequestHead, value_of
from proxy.routing.match import Condition
from proxy.routing.sources import Reader


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
        """Whether the request meets all the conditions."""
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


class Watch:
    """The segments that are worth a look when one field, cookie or other source has a certain value.

    Each is filed under its sharpest condition alone, by its number in file order.
    """

    __slots__ = ("_exact", "_prefixes", "_rest")

    def __init__(self, filed: Iterable[tuple[int, Condition]]) -> None:
        exact: dict[bytes, tuple[int, ...]] = {}
        rest: list[tuple[bytes, int]] = []
        for number, condition in filed:
            if condition.kind in ("exact", "in"):
                exact.update({value: (*exact.get(value, ()), number) for value in condition.wanted})
            else:
                starts = condition.wanted if condition.kind == "prefix" else (b"",)
                rest.extend((start, number) for start in starts)
        self._exact = exact
        self._rest = tuple(rest)
        self._prefixes = tuple(start for start, _ in rest)

    def suspects(self, value: bytes) -> tuple[int, ...]:
        """The numbers of the segments that this value might satisfy; most values satisfy none."""
        numbers = self._exact.get(value, ())
        if value.startswith(self._prefixes):
            numbers += tuple(number for start, number in self._rest if value.startswith(start))
        return numbers


class Screen:
    """A service's segments, filed so that a request which matches none costs one look at each source.

    Headers are taken in one pass over the request's fields, however many of them are asked about.
    """

    __slots__ = ("_headers", "_others", "_segments")

    def __init__(self, segments: tuple[Segment, ...]) -> None:
        self._segments = segments
        self._headers: dict[bytes, Watch] = {}
        self._others: list[tuple[Reader, Watch]] = []
        filed: dict[tuple[str, str], list[tuple[int, Condition]]] = {}
        for number, segment in enumerate(segments):
            condition = segment.sharpest
            name = condition.name.lower() if condition.source == "header" else condition.name
            filed.setdefault((condition.source, name), []).append((number, condition))
        for (source, name), conditions in filed.items():
            if source == "header":
                self._headers[name.encode()] = Watch(conditions)
            else:
                self._others.append((conditions[0][1].read, Watch(conditions)))

    def first(self, head: RequestHead) -> Segment | None:
        """The first segment in file order that the request matches."""
        suspects: list[int] = []
        if headers := self._headers:
            for field in head.fields:
                if field[0] in headers:
                    suspects += headers[field[0]].suspects(value_of(field))
        for read, watch in self._others:
            for value in read(head):
                suspects += watch.suspects(value)
        for number in sorted(suspects):
            if self._segments[number].matches(head):
                return self._segments[number]
        return None
