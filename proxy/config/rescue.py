"""The rescue of requests that the canary fails, and the end of those on it when it is taken out."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from proxy import defaults
from proxy.config.section import Section
from proxy.config.units import as_seconds, as_size
from proxy.config.values import Boolean, JsonSchema, duration, either, key, or_word, size

_MIB = 1 << 20
_DAY = 86_400


class Rescue(Section):
    """Which failed requests are sent again to stable, before their clients see anything of it."""

    stand_ins: ClassVar[tuple[str, ...]] = ("on", "off")

    max_body: Annotated[int, size(0, _MIB)] = key(
        "bytes of a request's body that are kept for it, at most",
        default=defaults.RESCUE_BODY_BYTES,
        written=as_size,
    )
    keyed: Boolean = key("true: any method with an `Idempotency-Key`, too", default=False, written=bool)

    @classmethod
    def shaped(cls, raw: object) -> object:
        return {} if raw == "on" else raw

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return either({"const": "on"}, handler.resolve_ref_schema(handler(core)))


class Halt(Section):
    """What taking a canary out does to what is open."""

    meant: ClassVar[Mapping[str, str]] = {
        "keep": "write `halt: {drain: keep}` to let all of it go on to its end",
        "off": "write `halt: {drain: keep}` to let all of it go on to its end, `halt: {drain: 0}` to end it",
    }

    drain: Annotated[float | None, or_word("keep", duration(0, _DAY))] = key(
        "how long its tunnels and streams may go on, 0: not at all; `keep`: to their end",
        default=defaults.DRAIN,
        written=as_seconds,
    )
