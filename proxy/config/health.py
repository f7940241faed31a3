"""The probes of endpoints, and the ejection of those that fail requests."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from proxy import defaults
from proxy.config import names, units
from proxy.config.problems import Unfit, quoted
from proxy.config.section import Quarrel, Section
from proxy.config.units import as_seconds
from proxy.config.values import (
    TEXT,
    Items,
    JsonSchema,
    NamedItems,
    Scalar,
    attempt,
    duration,
    either,
    key,
    pattern,
    whole,
)

_INTERVAL, _TIMEOUT = (0.1, 3600), (0.01, 3600)
_BACKOFF = (0.1, 86_400)
"""Seconds, least and most of each."""
_DEFAULT_INTERVAL, _DEFAULT_TIMEOUT = 5.0, 2.0


ProbeField = Annotated[str, Scalar(names.probe_field, "the name of a header", pattern(names.FIELD_PATTERN))]
FieldValue = Annotated[str, Scalar(names.field_value, "the value of a header", TEXT)]
Statuses = Annotated[
    tuple[int, int],
    Scalar(
        units.statuses,
        "a status such as `200`, `2xx` or `200-399`",
        either({"type": "integer", "minimum": 100, "maximum": 999}, pattern(units.STATUSES_PATTERN)),
    ),
]


def _as_statuses(ranges: tuple[tuple[int, int], ...]) -> list[str]:
    return [f"{least}-{most}" for least, most in ranges]


class Health(Section):
    """The probes of endpoints. Times are in seconds."""

    stand_ins: ClassVar[tuple[str, ...]] = ("off",)
    meant: ClassVar[Mapping[str, str]] = {"on": "write what to ask for: `health: {path: /healthz}`"}
    needs: ClassVar[Mapping[str, str]] = {"path": "write what to ask for: `health: {path: /healthz}`"}

    path: Annotated[str, Scalar(names.target, "a path such as `/healthz`", pattern(names.TARGET_PATTERN))] = (
        key("what each endpoint is asked for, by GET; a query may follow")
    )
    host: Annotated[str, Scalar(names.host_asked, "a host", pattern(names.HOST_SENT_PATTERN))] = key(
        "the Host of the question; left out: the one that requests get there", default=""
    )
    headers: Annotated[
        dict[ProbeField, FieldValue], NamedItems("names with their values, such as `{X-Probe: weir}`")
    ] = key("further header fields of the question, such as `Authorization`", default={}, shown=False)
    expect: Annotated[tuple[Statuses, ...], Items("statuses such as `200`, `2xx` or `200-399`", one=True)] = (
        key("the statuses of a good answer", default=((200, 399),), written=_as_statuses)
    )
    interval: Annotated[float, duration(*_INTERVAL)] = key(
        "between two questions", default=_DEFAULT_INTERVAL, written=as_seconds
    )
    timeout: Annotated[float, duration(*_TIMEOUT)] = key(
        "for an answer", default=_DEFAULT_TIMEOUT, written=as_seconds
    )
    healthy_after: Annotated[int, whole(1, 100)] = key(
        "so many good answers in a row bring a dead endpoint back", default=2, written=int
    )
    unhealthy_after: Annotated[int, whole(1, 100)] = key(
        "so many bad ones in a row, and the endpoint is dead", default=3, written=int
    )

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        yield from _twice(raw.get("headers"))
        interval = raw.get("interval", as_seconds(_DEFAULT_INTERVAL))
        timeout = raw.get("timeout", as_seconds(_DEFAULT_TIMEOUT))
        most = attempt(lambda text: units.duration(text, *_INTERVAL), interval)
        waits = attempt(lambda text: units.duration(text, *_TIMEOUT), timeout)
        if most is None or waits is None or waits <= most:
            return
        message = f"a timeout of {quoted(timeout)} is longer than the interval of {quoted(interval)}"
        advice = f"write at most `timeout: {units.as_duration(most)}`, or a longer `interval`"
        yield ("timeout" if "timeout" in raw else "interval",), Unfit(message, advice)


def _twice(headers: object) -> Iterator[Quarrel]:
    """Yield a quarrel for each header whose name is there already, in another case."""
    seen: dict[str, str] = {}
    for name in headers if isinstance(headers, dict) else ():
        if (before := seen.setdefault(name.lower(), name)) != name:
            message = f"{quoted(name)} is the same header as {quoted(before)}"
            yield ("headers", name), Unfit(message, "keep one of the two", on="key")


class Ejection(Section):
    """When a worker sends nothing to an endpoint for a while, and how long. Times are in seconds."""

    stand_ins: ClassVar[tuple[str, ...]] = ("on", "off")

    failures: Annotated[int, whole(1, 10_000)] = key(
        "so many failed requests in a row, and the endpoint is left out",
        default=defaults.EJECTION_FAILURES,
        written=int,
    )
    backoff: Annotated[float, duration(*_BACKOFF)] = key(
        "how long; twice as long each time that it fails again",
        default=defaults.EJECTION_BACKOFF,
        written=as_seconds,
    )
    longest: Annotated[float, duration(*_BACKOFF)] = key(
        "how long at most", default=defaults.EJECTION_LONGEST, written=as_seconds
    )

    @classmethod
    def shaped(cls, raw: object) -> object:
        return {} if raw == "on" else raw

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        backoff = raw.get("backoff", as_seconds(defaults.EJECTION_BACKOFF))
        longest = raw.get("longest", as_seconds(defaults.EJECTION_LONGEST))
        least = attempt(lambda text: units.duration(text, *_BACKOFF), backoff)
        most = attempt(lambda text: units.duration(text, *_BACKOFF), longest)
        if least is None or most is None or least <= most:
            return
        message = f"{quoted(longest)} at most is shorter than {quoted(backoff)} to begin with"
        advice = f"write at least `longest: {units.as_duration(least)}`, or a shorter `backoff`"
        yield ("longest" if "longest" in raw else "backoff",), Unfit(message, advice)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return either({"const": "on"}, handler.resolve_ref_schema(handler(core)))


def falls_back(text: str) -> bool:
    """Return whether the canary answers for a dead stable: `canary` or `off`.

    Raises:
        Unfit: It is neither.
    """
    return units.word(text, ("canary", "off"), "a fallback") == "canary"
