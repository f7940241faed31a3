"""Hooks that are asked before a rollout goes on, and URLs that are notified: each gets a POST."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from proxy.config import addresses, names
from proxy.config.problems import Unfit, quoted
from proxy.config.section import Quarrel, Section
from proxy.config.units import as_seconds
from proxy.config.values import (
    TEXT,
    Items,
    JsonSchema,
    Scalar,
    duration,
    either,
    key,
    pattern,
    whole,
    words,
)

At = Literal["before-start", "before-step", "before-promotion", "after", "on-rollback"]
AT: tuple[At, ...] = get_args(At)

Event = Literal[
    "release", "reload", "start", "step", "pause", "gate", "deadline", "promoting", "promotion", "weight",
    "trip", "abort", "resume", "retry", "undo",
]  # fmt: skip
EVENTS: tuple[Event, ...] = get_args(Event)
"""What can happen to a service, by the words of its history."""
NOTIFIED = ("start", "gate", "pause", "deadline", "promotion", "trip", "abort", "undo")
"""The events that are notified of by default."""

Format = Literal["json", "slack"]


class _Receiver(Section):
    """A URL that gets a POST. What is more of it than scheme, host and port is often a password."""

    url: Annotated[
        str,
        Scalar(addresses.receiver, "a URL such as `https://ci.example/hook`", pattern(addresses.URL_PATTERN)),
    ] = key("where to POST to", shown=False)
    secret: Annotated[str, Scalar(names.secret, "a secret", TEXT)] | None = key(
        "signs what is sent (HMAC-SHA256), best as `${VAR}`; at least 16 characters",
        default=None,
        shown=False,
    )

    @property
    def host(self) -> str:
        """Scheme, host and port of the URL: what may be shown of it."""
        return "/".join(self.url.split("/", 3)[:3])


class Hook(_Receiver):
    """A URL that is asked before a rollout goes on, or notified of its end."""

    needs: ClassVar[Mapping[str, str]] = {
        "at": "write when, such as `at: before-step`",
        "url": "write `url: https://ci.example/hook`",
    }

    at: Annotated[At, words(*AT, what="a place for a hook")] = key(
        "`before-start`, `before-step` and `before-promotion` are gates: the rollout goes on when the answer "
        "is 2xx; `after` (its promotion) and `on-rollback` are only notified"
    )
    timeout: Annotated[float, duration(0.1, 300)] = key("for the answer", default=10.0, written=as_seconds)
    retries: Annotated[int, whole(0, 10)] = key(
        "how often it is asked again when there is no answer, or 5xx", default=2, written=int
    )


class Notify(_Receiver):
    """A URL that is notified of what happens. A single URL is notified in JSON, of what matters."""

    needs: ClassVar[Mapping[str, str]] = {"url": "write `url: https://ci.example/weir`"}

    events: Annotated[
        tuple[Annotated[Event, words(*EVENTS, what="an event")], ...],
        Items("a list such as `[trip, promotion]`", filled=True),
    ] = key("what to notify of", default=NOTIFIED, written=list)
    format: Annotated[Format, words("json", "slack", what="a format")] = key(
        "`slack`: a text as incoming webhooks of Slack and Mattermost take it", default="json", written=str
    )

    @classmethod
    def shaped(cls, raw: object) -> object:
        return {"url": raw} if isinstance(raw, str) else raw

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        written = raw.get("events")
        items = written if isinstance(written, list) else []
        for index, item in enumerate(items):
            if item in items[:index] and isinstance(item, str):
                yield (
                    ("events", index),
                    Unfit(f"{quoted(item)} is in this list already", "remove one of the two"),
                )

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        schema = handler.resolve_ref_schema(handler(core))
        return either(schema["properties"]["url"], schema)
