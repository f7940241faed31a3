"""The types of the values in the file: how each is read from its text, and its JSON Schema for editors."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from proxy.config import addresses, names, networks, units
from proxy.config.problems import Unfit, listed, quoted

T = TypeVar("T")

JsonSchema = dict[str, Any]

TEXT: JsonSchema = {"type": ["string", "number", "boolean"]}
"""What editors take for numbers or truth values can be meant as text."""


def kind(raw: object) -> str:
    """Return what a plain value is, as the subject of a sentence."""
    if isinstance(raw, str):
        # what follows the host of a URL may be a password
        return "a single URL" if "://" in raw else f"the single value {quoted(raw)}"
    return "a list" if isinstance(raw, list) else "a mapping"


def attempt(read: Callable[[str], T], raw: object) -> T | None:
    """Return what a plain value is read as; None when it is not well written, which is reported elsewhere."""
    try:
        return read(raw) if isinstance(raw, str) else None
    except Unfit:
        return None


def key(
    description: str,
    *,
    default: Any = ...,
    written: Callable[[Any], object] | str | None = None,
    alias: str | None = None,
    shown: bool = True,
) -> Any:
    """Return one key of the file: what editors show of it, its default, and how that default is written.

    Args:
        description: What editors show.
        default: The value when the file has none; without it the key must be there.
        written: What makes of the default what a file has in its place, or the word that stands for it; None:
            editors show no default.
        alias: The key in the file, where it isn't the field's name.
        shown: Whether `repr` shows the value.
    """
    extra: Any = {"default": written(default) if callable(written) else written}
    if written is None:
        extra = _undefaulted
    return Field(default, alias=alias, description=description, json_schema_extra=extra, repr=shown)


def _undefaulted(schema: JsonSchema) -> None:
    schema.pop("default", None)


def either(*forms: JsonSchema) -> JsonSchema:
    """Return the JSON Schema of a value that may take any of these forms."""
    return {"anyOf": list(forms)}


def pattern(expression: str) -> JsonSchema:
    """Return the JSON Schema of a text that matches the whole expression."""
    return {"type": "string", "pattern": f"^(?:{expression})$"}


class Scalar:
    """Stands in an Annotated and reads one text of the file by the type of its key."""

    def __init__(self, read: Callable[[str], object], expected: str, schema: JsonSchema) -> None:
        self.read = read
        self.expected = expected
        self.schema = schema

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._parse, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return dict(self.schema)

    def _parse(self, raw: object) -> object:
        if not isinstance(raw, str):
            raise Unfit(f"{kind(raw)} stands where {self.expected} is expected", f"write {self.expected}")
        return self.read(raw)


class Items:
    """Stands in an Annotated tuple and takes a list of the file.

    With `filled` it must not be empty; with `one` a single value is the list of it, too, and with `mapped` a
    single mapping.
    """

    def __init__(
        self, expected: str, *, one: bool = False, mapped: bool = False, filled: bool = False
    ) -> None:
        self._expected = expected
        self._alone = (*([str] if one else []), *([dict] if mapped else []))
        self._filled = filled or one or mapped

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._parse, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        schema = handler(core)
        if self._filled:
            schema = {**schema, "minItems": 1}
        return either(schema["items"], schema) if self._alone else schema

    def _parse(self, raw: object) -> object:
        if isinstance(raw, self._alone):
            return [raw]
        if not isinstance(raw, list):
            raise Unfit(f"{kind(raw)} stands where a list is expected", f"write {self._expected}")
        if self._filled and not raw:
            raise Unfit("this list is empty", f"write {self._expected}")
        return raw


class NamedItems:
    """Stands in an Annotated dict and takes a mapping of the file whose keys are names."""

    def __init__(self, expected: str) -> None:
        self._expected = expected

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._parse, handler(source))

    def _parse(self, raw: object) -> object:
        if not isinstance(raw, dict):
            raise Unfit(f"{kind(raw)} stands where a mapping is expected", f"write {self._expected}")
        return raw


class OrOff:
    """Stands in an Annotated Optional: `off` undoes what `defaults` have."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda raw: None if raw == "off" else raw, handler(source)
        )

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return either({"const": "off"}, handler(core))


def duration(least: float, most: float) -> Scalar:
    """Return how a duration within the bounds is read: seconds."""
    schema = _or_zero(pattern(units.DURATION_PATTERN), least)
    return Scalar(lambda raw: units.duration(raw, least, most), "a duration such as `5s`", schema)


def whole(least: int, most: int) -> Scalar:
    """Return how a whole number within the bounds is read."""
    schema = either(
        {"type": "integer", "minimum": least, "maximum": most}, pattern("0" if most == 0 else "[1-9][0-9]*")
    )
    return Scalar(lambda raw: units.whole(raw, least, most), f"a whole number such as `{least}`", schema)


def size(least: int, most: int) -> Scalar:
    """Return how a size within the bounds is read: bytes."""
    return Scalar(
        lambda raw: units.size(raw, least, most),
        "a size such as `16KiB`",
        _or_zero(pattern(units.SIZE_PATTERN), least),
    )


def share(least: int, most: int) -> Scalar:
    """Return how a percent within the bounds, in parts of 10,000, is read: a ratio, 1.0 for 100 %."""
    known = units.PERCENT_PATTERN if most <= units.WHOLE else units.SHARE_PATTERN
    return Scalar(
        lambda raw: units.percent(raw, least, most) / units.WHOLE,
        "a percent such as `5%`",
        _or_zero(pattern(known), least),
    )


def _or_zero(schema: JsonSchema, least: float) -> JsonSchema:
    """Return a schema that takes zero without a unit, where zero may be."""
    return schema if least else either(schema, pattern("0"), {"const": 0})


def or_word(word: str, scalar: Scalar) -> Scalar:
    """Return how a value is read that one word may stand for; the word is None."""

    def read(raw: str) -> object:
        try:
            return None if raw == word else scalar.read(raw)
        except Unfit as fault:
            raise Unfit(fault.message, f"{fault.advice}, or `{word}`") from None

    return Scalar(read, f"{scalar.expected}, or `{word}`", either({"const": word}, scalar.schema))


def words(*known: str, what: str) -> Scalar:
    """Return how one of a few words is read, to stand beside its Literal."""
    return Scalar(lambda raw: units.word(raw, known, what), listed(known), {"enum": list(known)})


PERCENT: JsonSchema = either(pattern(units.PERCENT_PATTERN + "|0"), {"const": 0})

BARE_WEIGHT: JsonSchema = {"type": "number", "minimum": 1, "maximum": 100}
WEIGHT: JsonSchema = either(PERCENT, BARE_WEIGHT)

Weight = Annotated[int, Scalar(units.weight, "a percent such as `5%`", WEIGHT)]
Boolean = Annotated[
    bool, Scalar(units.boolean, "`true` or `false`", either({"type": "boolean"}, {"enum": ["true", "false"]}))
]
Switch = Annotated[bool, Scalar(units.switch, "`on` or `off`", {"enum": ["on", "off"]})]
Listen = Annotated[
    addresses.HostPort,
    Scalar(addresses.address, "an address such as `:8080`", pattern(addresses.ADDRESS_PATTERN)),
]
BindAddress = Annotated[
    addresses.HostPort | addresses.SocketPath,
    Scalar(
        addresses.listening,
        "an address such as `:8080`",
        pattern(f"{addresses.ADDRESS_PATTERN}|{addresses.SOCKET_PATTERN}"),
    ),
]
Url = Annotated[
    str,
    Scalar(addresses.endpoint, "a URL such as `http://127.0.0.1:9001`", pattern(addresses.ENDPOINT_PATTERN)),
]
Trusted = Annotated[
    str,
    Scalar(
        networks.peer,
        f"a network such as `10.0.0.0/8`, an address, or `{networks.UNIX}`",
        pattern(networks.PEER_PATTERN),
    ),
]
Name = Annotated[str, Scalar(names.name, "a name", pattern(names.NAME_PATTERN))]
FieldName = Annotated[
    str, Scalar(names.field, "the name of a header or cookie", pattern(names.FIELD_PATTERN))
]
Protocol = Annotated[str, Scalar(names.protocol, "a protocol", pattern(names.PROTOCOL_PATTERN))]
File = Annotated[str, Scalar(names.location, "the path of a file", TEXT)]
Text = Annotated[str, Scalar(str, "a text", TEXT)]
