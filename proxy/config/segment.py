"""Segments: requests that are pinned to a backend, whatever the weights.

    segments:
      - name: testers
        to: canary
        match: {header: {X-Beta: "1", X-Team: {present: true}}, path: {prefix: /admin}}

A condition is a text, for an exact match, or a mapping of `exact`, `prefix`, `regex`, `in` or `present`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from proxy.config import names
from proxy.config.problems import Unfit, listed
from proxy.config.section import Quarrel, Section, one_of
from proxy.config.values import (
    TEXT,
    FieldName,
    Items,
    JsonSchema,
    Name,
    NamedItems,
    Scalar,
    Text,
    either,
    key,
    pattern,
    words,
)

Source = Literal["header", "cookie", "query", "path", "method"]
Kind = Literal["exact", "prefix", "regex", "in", "present"]


def _prefix(text: str) -> str:
    if text:
        return text
    raise Unfit("an empty prefix matches every value", "write `present: true` if that is meant")


def _true(text: str) -> bool:
    if text == "true":
        return True
    raise Unfit(
        "`present` can only be `true`", "absence is what all other requests have: write `present: true`"
    )


Regex = Annotated[str, Scalar(names.regex, "a regular expression", TEXT)]
Path = Annotated[str, Scalar(names.path, "a path such as `/api`", pattern(names.PATH_PATTERN))]
Method = Annotated[str, Scalar(names.method, "a method such as `GET`", pattern(names.FIELD_PATTERN))]
Parameter = Annotated[str, Scalar(names.parameter, "the name of a parameter", TEXT)]

_EXACT = "the whole value, case and all"
_IN = "a list of whole values, any of which will do"
_REGEX = "a Python regular expression for the whole value; values over 1 KiB never match"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing asked of a request. `name` is empty for path and method, `values` for `present`."""

    source: Source
    name: str
    kind: Kind
    values: tuple[str, ...] = ()


class Wanted(Section):
    """What one value of a request must be: exactly one of the keys."""

    exact: Text | None = key(_EXACT, default=None)
    prefix: Annotated[str, Scalar(_prefix, "a text", TEXT)] | None = key("how it begins", default=None)
    regex: Regex | None = key(_REGEX, default=None)
    among: Annotated[tuple[Text, ...], Items("a list such as `[a, b]`", filled=True)] | None = key(
        _IN, default=None, alias="in"
    )
    present: Annotated[bool, Scalar(_true, "`true`", {"const": True})] = key("true: any value", default=False)

    @classmethod
    def shaped(cls, raw: object) -> object:
        return {"exact": raw} if isinstance(raw, str) else raw

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        yield from one_of(raw, cls.known(), "a condition")

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        schema = handler.resolve_ref_schema(handler(core))
        short = schema["properties"]["exact"]["anyOf"][0]
        return either(short, {**schema, "minProperties": 1, "maxProperties": 1})

    def condition(self, source: Source, name: str = "") -> Condition:
        """Return the same thing, asked of one place in a request."""
        if self.among is not None:
            return Condition(source, name, "in", self.among)
        single: tuple[tuple[Kind, str | None], ...] = (
            ("exact", self.exact),
            ("prefix", self.prefix),
            ("regex", self.regex),
        )
        for kind, value in single:
            if value is not None:
                return Condition(source, name, kind, (value,))
        return Condition(source, name, "present")


class WantedPath(Wanted):
    """What the path must be. It is compared raw; a prefix ends at a `/` boundary."""

    exact: Path | None = key("the whole path, as it travels", default=None)
    prefix: Path | None = key("a path, and all below it", default=None)
    among: Annotated[tuple[Path, ...], Items("a list such as `[/a, /b]`", filled=True)] | None = key(
        _IN, default=None, alias="in"
    )


class WantedMethod(Wanted):
    """What the method must be."""

    exact: Method | None = key(_EXACT, default=None)
    among: Annotated[tuple[Method, ...], Items("a list such as `[GET, HEAD]`", filled=True)] | None = key(
        _IN, default=None, alias="in"
    )


_NAMED = NamedItems('names with their conditions, such as `{X-Beta: "1"}`')


class SegmentMatch(Section):
    """Conditions, all of which a request must meet."""

    header: Annotated[dict[FieldName, Wanted], _NAMED] = key("by header: any of its lines", default={})
    cookie: Annotated[dict[FieldName, Wanted], _NAMED] = key(
        "by cookie: the first of a name, decoded", default={}
    )
    query: Annotated[dict[Parameter, Wanted], _NAMED] = key(
        "by query parameter: the first of a name, decoded", default={}
    )
    path: WantedPath | None = key("by path", default=None)
    method: WantedMethod | None = key("by method", default=None)

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        if not raw:
            advice = f"write at least one of {listed(cls.known())}"
            yield (), Unfit("a segment without conditions would take every request", advice, on="key")
        for source in ("header", "cookie", "query"):
            if raw.get(source) == {}:
                yield (
                    (source,),
                    Unfit(f"no {source} is named", f"write `{source}: {{NAME: value}}`", on="key"),
                )

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        schema = handler.resolve_ref_schema(handler(core))
        for source in ("header", "cookie", "query"):
            schema["properties"][source]["minProperties"] = 1
        schema["minProperties"] = 1
        return schema

    def conditions(self) -> Iterator[Condition]:
        """Yield each condition with the place it looks at."""
        named: tuple[tuple[Source, Mapping[str, Wanted]], ...] = (
            ("header", self.header),
            ("cookie", self.cookie),
            ("query", self.query),
        )
        for source, wanted in named:
            yield from (value.condition(source, name) for name, value in wanted.items())
        if self.path is not None:
            yield self.path.condition("path")
        if self.method is not None:
            yield self.method.condition("method")


class Segment(Section):
    """A named rule that pins the requests it matches to a backend."""

    needs: ClassVar[Mapping[str, str]] = {
        "name": "name it: the name appears as the reason in logs",
        "to": "write `to: canary` or `to: stable`",
        "match": 'write what its requests have, such as `match: {header: {X-Beta: "1"}}`',
    }

    name: Name = key("appears in logs and metrics as the reason for the choice")
    to: Annotated[Literal["stable", "canary"], words("stable", "canary", what="a backend")] = key(
        "the backend that takes these requests"
    )
    match: SegmentMatch = key("the conditions, all of which a request must meet")

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All that a request must meet; never empty."""
        return tuple(self.match.conditions())
