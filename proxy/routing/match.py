"""Rules on a request: which service it is for, and the conditions that segments are made of."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from proxy.http1.head import RequestHead
from proxy.routing.sources import Reader, Source, reader

Kind = Literal["exact", "prefix", "regex", "in", "present"]
Test = Callable[[bytes], bool]

LONGEST_FOR_REGEX = 1024
"""Bytes: longer values match no regular expression, so that none can be made to run away."""


def under(path: bytes, prefix: bytes) -> bool:
    """Return whether a raw path lies at or below a prefix: `/a/b` is below `/a`, and `/ab` is not."""
    at_boundary = prefix.endswith(b"/") or path[len(prefix) : len(prefix) + 1] in (b"", b"/")
    return at_boundary and path.startswith(prefix)


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """The requests that a service is for. Raises ValueError for a host or path that no request can have."""

    host: str = ""
    """Empty for any host, `shop.example`, or `*.example` for every host with at least one label more."""
    path: str = "/"
    """A prefix of the raw path, ending at a `/` boundary; `/` is all there is, even OPTIONS on `*`."""

    def __post_init__(self) -> None:
        if not self.path.startswith("/") or "*" in self.host.removeprefix("*."):
            raise ValueError(
                f"`{self.host}` and `{self.path}` match nothing: expected like `*.example` and `/path`"
            )

    def to_json(self) -> dict[str, str]:
        return {"host": self.host, "path": self.path}

    @classmethod
    def from_json(cls, value: Mapping[str, str]) -> Self:
        return cls(value["host"], value["path"])


def _prefix(source: Source, values: tuple[bytes, ...]) -> Test:
    if source == "path":
        return lambda path: any(under(path, prefix) for prefix in values)
    return lambda value: value.startswith(values)


def _regex(values: tuple[bytes, ...]) -> Test:
    # Text, not bytes: `[éè]` and `.` mean characters to the person who wrote them.
    fits = [re.compile(value.decode()).fullmatch for value in values]

    def test(value: bytes) -> bool:
        if len(value) > LONGEST_FOR_REGEX:
            return False
        text = value.decode(errors="replace")
        for fit in fits:  # noqa: SIM110 - `any` makes a generator, which costs as much as the rest
            if fit(text):
                return True
        return False

    return test


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing asked of a request. Several values are alternatives; so are the lines of a repeated header.

    Cookies and query parameters are percent-decoded and the first of a name counts; a path stays raw, and its
    prefixes end at a `/` boundary. Raises ValueError for an unknown source or kind, a bad regex, no value.
    """

    source: Source
    name: str
    """Of the header (in any case), cookie or query parameter; empty for path and method."""
    kind: Kind
    values: tuple[str, ...] = ()
    """At least one, but for `present`, which needs none."""
    read: Reader = field(init=False, repr=False, compare=False)
    """All that a request has where this condition looks."""
    wanted: tuple[bytes, ...] = field(init=False, repr=False, compare=False)
    test: Test = field(init=False, repr=False, compare=False)
    """Whether one value will do."""

    def __post_init__(self) -> None:
        if not self.values and self.kind != "present":
            raise ValueError(f"a condition of kind `{self.kind}` needs a value to compare with")
        object.__setattr__(self, "read", reader(self.source, self.name))
        object.__setattr__(self, "wanted", tuple(value.encode() for value in self.values))
        object.__setattr__(self, "test", self._test())

    def _test(self) -> Test:
        match self.kind:
            case "exact" | "in":
                return frozenset(self.wanted).__contains__
            case "prefix":
                return _prefix(self.source, self.wanted)
            case "regex":
                try:
                    return _regex(self.wanted)
                except (re.error, OverflowError, RecursionError) as error:
                    raise ValueError(f"`{self.values}` is no regular expression: {error}") from error
            case "present":
                return lambda _: True
        raise ValueError(f"`{self.kind}` is no way to match: expected exact, prefix, regex, in or present")

    def matches(self, head: RequestHead) -> bool:
        """Return whether the request has what is asked for."""
        return any(map(self.test, self.read(head)))

    def to_json(self) -> dict[str, Any]:
        return {"source": self.source, "name": self.name, "kind": self.kind, "values": list(self.values)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(value["source"], value["name"], value["kind"], tuple(value["values"]))
