"""The `analysis` of a service: bets, plain rules on windows, and caps on the harm."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import GetJsonSchemaHandler, ValidationInfo, field_validator
from pydantic_core import CoreSchema

from proxy import defaults
from proxy.config import units
from proxy.config.problems import Unfit, listed, nearest, quoted
from proxy.config.section import Quarrel, Section
from proxy.config.units import as_percent, as_seconds
from proxy.config.values import (
    PERCENT,
    Boolean,
    Items,
    JsonSchema,
    OrOff,
    Scalar,
    duration,
    either,
    key,
    or_word,
    pattern,
    share,
    whole,
    words,
)

Metric = Literal["error-rate", "latency-p50", "latency-p90", "latency-p95", "latency-p99"]
METRICS = ("error-rate", "latency-p50", "latency-p90", "latency-p95", "latency-p99")

CLASSES = ("4xx", "5xx")
FAILURES = ("5xx", *defaults.FAILED_ENDINGS)

_LATENCY = pattern(units.DURATION_PATTERN)
_MOST_COUNTED = 1_000_000_000
_LONGEST_WARM_UP = 3600
"""Seconds."""


class Check(Section):
    """One rule on the canary's answers. `max` is a ratio (0 to 1) for error-rate, seconds for latencies."""

    needs: ClassVar[Mapping[str, str]] = {
        "metric": "write `metric: error-rate` or `metric: latency-p99`",
        "max": "write the limit: `max: 5%` for error-rate, `max: 400ms` for a latency",
    }

    metric: Annotated[Metric, words(*METRICS, what="a metric")] = key("what is measured")
    max: float = key("the limit: a percent for error-rate, a duration for latencies")
    window: Annotated[float, duration(1, 3600)] = key(
        "how far back to look", default=30.0, written=as_seconds
    )
    min_requests: Annotated[int, whole(1, 1_000_000)] = key(
        "with fewer canary answers in the window there is no verdict", default=20, written=int
    )

    @field_validator("max", mode="before")
    @classmethod
    def _by_metric(cls, raw: object, info: ValidationInfo) -> float:
        metric = info.data.get("metric")
        if metric is None:
            return 0.0  # the metric is wrong, so that any limit will do
        if not isinstance(raw, str):
            raise Unfit("`max` is one value", "write `5%` for error-rate, `400ms` for a latency")
        if metric == "error-rate":
            return units.percent(raw) / units.WHOLE
        return units.duration(raw, 0.001, 3600)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        schema = handler.resolve_ref_schema(handler(core))
        limit = schema["properties"]["max"]
        schema["properties"]["max"] = {"description": limit["description"], **either(PERCENT, _LATENCY)}
        schema["if"] = {"properties": {"metric": {"const": "error-rate"}}}
        schema["then"] = {"properties": {"max": PERCENT}}
        schema["else"] = {"properties": {"max": _LATENCY}}
        return schema


class Slower(Section):
    """From when on an answer of the canary is slow: later than stable's threshold by both of these."""

    stand_ins: ClassVar[tuple[str, ...]] = ("off",)

    by: Annotated[float, share(0, 10 * units.WHOLE)] = key(
        "so much later than stable's threshold", default=defaults.SLOWER_BY, written=as_percent
    )
    at_least: Annotated[float, duration(0, 60)] = key(
        "and by so much, or the noise of fast origins would count",
        default=defaults.SLOWER_AT_LEAST,
        written=as_seconds,
    )


class StepUp(Section):
    """What must be shown of a canary before its weight may rise."""

    stand_ins: ClassVar[tuple[str, ...]] = ("off",)

    extra_errors_below: Annotated[float, share(1, units.WHOLE // 2)] = key(
        "so much more of its answers than of stable's may fail",
        default=defaults.STEP_UP_EXTRA_ERRORS,
        written=as_percent,
    )
    confidence: Annotated[float, share(units.WHOLE // 2, units.WHOLE - 1)] = key(
        "how sure that must be", default=defaults.STEP_UP_CONFIDENCE, written=as_percent
    )


def failure(text: str) -> str:
    """Return what counts as a failure: a class of statuses, one status, or an ending.

    Raises:
        Unfit: It is none of these.
    """
    known = (*CLASSES, *defaults.FAILED_ENDINGS)
    if text in known or (text.isascii() and text.isdigit() and 400 <= int(text[:4]) <= 599):
        return text
    meant = nearest(text, known)
    raise Unfit(
        f"{quoted(text)} is not what can count as a failure",
        f"{meant}expected {listed(known)}, or a status from 400 to 599",
    )


_Failure = Annotated[
    str,
    Scalar(
        failure,
        "a failure such as `5xx`",
        either(
            {"enum": [*CLASSES, *defaults.FAILED_ENDINGS]},
            pattern("[45][0-9]{2}"),
            {"type": "integer", "minimum": 400, "maximum": 599},
        ),
    ),
]


class Analysis(Section):
    """How the canary is compared with stable, and what verdicts may do. Shares are ratios, 0 to 1."""

    stand_ins: ClassVar[tuple[str, ...]] = ("auto", "off")
    meant: ClassVar[Mapping[str, str]] = {"on": "write `analysis: auto`, or `off`"}

    extra_errors: Annotated[float, share(0, units.WHOLE // 2)] = key(
        "so much more of the canary's answers than of stable's may fail",
        default=defaults.EXTRA_ERRORS,
        written=as_percent,
    )
    slower: Annotated[Slower | None, OrOff()] = key(
        "when an answer is slow beside stable's; `off`: latency isn't compared", default=Slower()
    )
    warm_up: Annotated[float, duration(0, _LONGEST_WARM_UP)] = key(
        "after each rise of its weight, the canary may be slower for so long; 0: no such time",
        default=defaults.WARM_UP,
        written=as_seconds,
    )
    false_rollbacks: Annotated[float, share(1, units.WHOLE // 5)] = key(
        "the share of good releases that may be rolled back by chance, at most",
        default=defaults.FALSE_ROLLBACKS,
        written=as_percent,
    )
    error_limit: Annotated[float | None, or_word("off", share(1, units.WHOLE))] = key(
        "so many of the canary's answers may fail, whatever stable's do", default=None, written="off"
    )
    enforce: Boolean = key("false: watch and count, never act", default=True, written=bool)
    failures: Annotated[tuple[_Failure, ...], Items("a list such as `[5xx, connect]`", filled=True)] = key(
        "what counts as a failure: `4xx`, `5xx`, statuses, ways to end", default=FAILURES, written=list
    )
    step_up: Annotated[StepUp | None, OrOff()] = key(
        "what must be shown before the weight may rise; `off`: little evidence against it", default=StepUp()
    )

    @classmethod
    def shaped(cls, raw: object) -> object:
        return {} if raw == "auto" else raw

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        written = raw.get("failures")
        items = written if isinstance(written, list) else []
        for index, item in enumerate(items):
            if not isinstance(item, str):
                continue
            family = f"{item[:1]}xx"
            if item in items[:index]:
                yield _twice(index, f"{quoted(item)} is in this list already")
            elif item.isdigit() and family in items:
                yield _twice(index, f"{quoted(item)} is one of `{family}`, which is in this list")

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return either({"const": "auto"}, handler.resolve_ref_schema(handler(core)))


def _twice(index: int, message: str) -> Quarrel:
    return ("failures", index), Unfit(message, "remove one of the two")


class Caps(Section):
    """How far the harm of one release may go; reaching a cap takes the canary out."""

    meant: ClassVar[Mapping[str, str]] = {
        "off": "write `caps: {}` for no caps, also where `defaults` set some"
    }

    harmed: Annotated[int, whole(1, _MOST_COUNTED)] | None = key(
        "clients that got a bad answer of the canary, or gave up waiting for one", default=None
    )
    exposed_users: Annotated[int, whole(1, _MOST_COUNTED)] | None = key(
        "users (keys of `sticky`) who met the canary, within about 2.3 %", default=None
    )
