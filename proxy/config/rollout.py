"""The plan by which a canary walks to 100 %, as its owner writes it.

    rollout:
      steps:
        - {weight: 1%, hold: 10m, min_requests: 500}
        - {pause: "ask the on-call"}
        - 25%
        - 100%

A step is left when its time has passed, its sample is there and the verdict is healthy. Behind the last one
the canary is stable.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from proxy import defaults
from proxy.config import names, units
from proxy.config.problems import Unfit, quoted
from proxy.config.section import Quarrel, Section, one_of
from proxy.config.units import as_seconds
from proxy.config.values import (
    BARE_WEIGHT,
    TEXT,
    Items,
    JsonSchema,
    Scalar,
    attempt,
    duration,
    either,
    key,
    or_word,
    pattern,
    whole,
    words,
)

StartMode = Literal["manual", "on-change"]

_MOST_REQUESTS = 1_000_000_000
_PAUSE_FORM = 'write `{pause: "ask the on-call"}`'


def _share(text: str) -> int:
    if text == "pause":
        raise Unfit("this pause has no text", _PAUSE_FORM)
    return units.weight(text, least=1)


def _pause(text: str) -> str:
    if attempt(_seconds, text) is not None:
        raise Unfit(
            f"{quoted(text)} is a duration, and a pause lasts until somebody ends it",
            f"write `hold: {text}` beside a weight to wait so long; to ask somebody, {_PAUSE_FORM}",
        )
    return names.remark(text)


_Hold = Annotated[float, duration(0, units.LONGEST)]
_Requests = Annotated[int, whole(0, _MOST_REQUESTS)]


class RolloutStep(Section):
    """A weight and what it takes to leave it, or a pause. The weight is in parts of 10,000, None for a pause.

    `hold` (seconds) and `min_requests` are None where the rollout's own hold.
    """

    weight: (
        Annotated[
            int, Scalar(_share, "a percent such as `5%`", either(pattern(units.PERCENT_PATTERN), BARE_WEIGHT))
        ]
        | None
    ) = key("the canary's share, more than in the step before", default=None)
    hold: _Hold | None = key("how long, at least; left out: the `hold` of the rollout", default=None)
    min_requests: _Requests | None = key(
        "so many answers of the canary, at least; left out: the `min_requests` of the rollout", default=None
    )
    pause: Annotated[str, Scalar(_pause, "a text", TEXT)] | None = key(
        "keep the weight until somebody orders `weir promote`; the text is for that person", default=None
    )

    @classmethod
    def shaped(cls, raw: object) -> object:
        return {"weight": raw} if isinstance(raw, str) else raw

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        yield from one_of(raw, ("weight", "pause"), "a step")
        if "pause" in raw and "weight" not in raw:
            for name in ("hold", "min_requests"):
                if name in raw:
                    advice = "a pause lasts until somebody ends it: remove the key"
                    yield (name,), Unfit(f"{quoted(name)} belongs to a weight", advice, on="key")

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        schema = handler.resolve_ref_schema(handler(core))
        schema["oneOf"] = [{"required": ["weight"]}, {"required": ["pause"]}]
        schema["dependencies"] = {"hold": ["weight"], "min_requests": ["weight"]}
        return either(*schema["properties"]["weight"]["anyOf"], schema)


class Rollout(Section):
    """How a canary walks to 100 %. Times are in seconds; without a deadline it is None."""

    needs: ClassVar[Mapping[str, str]] = {"steps": "write `steps: [1%, 10%, 50%, 100%]`"}
    stand_ins: ClassVar[tuple[str, ...]] = ("off",)
    meant: ClassVar[Mapping[str, str]] = {
        word: f"write `rollout: {{start: {word}, steps: [1%, 10%, 50%, 100%]}}`"
        for word in ("manual", "on-change")
    }

    start: Annotated[StartMode, words("manual", "on-change", what="a way to start")] = key(
        "`manual`: by `weir start`; `on-change`: by a new canary in this file, too",
        default="manual",
        written=str,
    )
    steps: Annotated[tuple[RolloutStep, ...], Items("a list such as `[1%, 10%, 50%, 100%]`", filled=True)] = (
        key("weights that rise to 100 %, and pauses")
    )
    hold: _Hold = key("how long a step lasts, at least", default=defaults.STEP_HOLD, written=as_seconds)
    min_requests: _Requests = key(
        "so many answers of the canary a step takes, at least; 0: none",
        default=defaults.STEP_REQUESTS,
        written=int,
    )
    deadline: Annotated[float | None, or_word("none", duration(1, units.LONGEST))] = key(
        "a rollout that takes longer is paused; `none`: it may take as long as it will",
        default=defaults.ROLLOUT_DEADLINE,
        written=as_seconds,
    )

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        steps = raw.get("steps")
        if isinstance(steps, list) and steps:
            yield from _out_of_order(steps)
            yield from _too_late(raw, steps)


def _weights(steps: Sequence[object]) -> Iterator[tuple[int, str, int | None]]:
    """Yield each weight with its place and its parts, which are None where it is not well written."""
    for index, step in enumerate(steps):
        written = step.get("weight") if isinstance(step, dict) else step
        if not _pauses(step):
            yield index, str(written), attempt(units.weight, written)


def _pauses(step: object) -> bool:
    return isinstance(step, dict) and "pause" in step


def _out_of_order(steps: Sequence[object]) -> Iterator[Quarrel]:
    weights = list(_weights(steps))
    known = [(index, text, parts) for index, text, parts in weights if parts]
    for (_, before, low), (index, text, high) in pairwise(known):
        if high <= low:
            message = f"{quoted(text)} is not more than the step before it, {quoted(before)}"
            yield ("steps", index, "weight"), Unfit(message, "weights rise from step to step, up to `100%`")
    if not weights:
        yield ("steps",), Unfit("no step of this plan has a weight", "add `100%` at least", on="key")
    elif len(known) == len(weights) and max(parts for _, _, parts in known) < units.WHOLE:
        index, text, _ = known[-1]
        advice = "add `100%` as the last step: there the canary becomes stable"
        yield ("steps", index, "weight"), Unfit(f"this plan ends at {quoted(text)}", advice)
    for index, (one, other) in enumerate(pairwise(steps)):
        if _pauses(one) and _pauses(other):
            advice = "put both texts into one pause"
            yield (
                ("steps", index + 1, "pause"),
                Unfit("a pause stands right behind a pause", advice, on="key"),
            )


def _too_late(raw: Mapping[str, Any], steps: Sequence[object]) -> Iterator[Quarrel]:
    """Yield a deadline that has come before all steps were held."""
    common = raw.get("hold", as_seconds(defaults.STEP_HOLD))
    written = raw.get("deadline", as_seconds(defaults.ROLLOUT_DEADLINE))
    holds = [
        attempt(_seconds, step.get("hold", common) if isinstance(step, dict) else common)
        for step in steps
        if not _pauses(step)
    ]
    deadline = attempt(_seconds, written)
    if deadline is None or None in holds or sum(hold or 0 for hold in holds) < deadline:
        return
    total = units.as_duration(sum(hold or 0 for hold in holds))
    message = f"the steps are held for {total}, and the deadline is {quoted(written)}"
    where = "deadline" if "deadline" in raw else "steps"
    yield (where,), Unfit(message, "write a longer deadline, `deadline: none`, or shorter holds", on="key")


def _seconds(text: str) -> float:
    return units.duration(text, 0, units.LONGEST)
