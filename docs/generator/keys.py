"""The page of the config file: every key with type, default, example and meaning."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic.fields import FieldInfo

from docs.generator.markdown import Undescribed, code, sentence, table
from proxy.config.schema import Config, Defaults
from proxy.config.schema_json import json_schema
from proxy.config.section import Section
from proxy.config.values import Items, NamedItems, OrOff, Scalar

SHOWN = Path(__file__).resolve().parents[2] / "config" / "weir.yaml"
"""The file that examples are taken from."""

TYPES = {"Check.max": "a percent for `error-rate`, a duration for latencies"}
"""Of keys whose type depends on another key."""

EXAMPLES = {
    "Admin.token": "${WEIR_TOKEN}",
    "Admin.token_file": "/run/secrets/weir",
    "Resolver.servers": '[10.0.0.2, "10.0.0.3:5353"]',
    "Backend.endpoints": "[http://127.0.0.1:9001, http://127.0.0.1:9011]",
    "Listener.address": ":8443",
    "Listener.proxy_protocol": "[10.0.0.0/8]",
    "Pair.cert": "shop.pem",
    "Pair.key": "shop.key",
    "Trust.ca": "ca.pem",
    "Trust.cert": "weir.pem",
    "Trust.key": "weir.key",
    "Backend.host": "endpoint",
    "Service.endpoint_header": "X-Weir-Backend",
    "ServiceTimeouts.connect": "1s",
    "ServiceTimeouts.response": "10s",
    "ServiceTimeouts.body": "30s",
    "ServiceTimeouts.events": "1h",
    "ServiceTimeouts.tunnel": "10m",
    "Sticky.same_site": "none",
    "Sticky.domain": "shop.example",
    "Sticky.path": "/shop",
    "Sticky.max_age": "720h",
    "Sticky.secure": "on",
    "Sticky.header": "X-User",
    "Sticky.client_ip": "true",
    "Wanted.exact": "gold",
    "Wanted.prefix": "beta-",
    "WantedPath.exact": "/checkout/pay",
    "WantedPath.regex": "/v[0-9]+/.*",
    "WantedPath.in": "[/cart, /checkout]",
    "WantedPath.present": "true",
    "WantedMethod.prefix": "P",
    "WantedMethod.regex": "GET|HEAD",
    "WantedMethod.in": "[GET, HEAD]",
    "WantedMethod.present": "true",
    "Service.choice_header": "X-Weir-Choice",
    "Hook.secret": "${HOOK_SECRET}",
    "Notify.secret": "${NOTIFY_SECRET}",
}
"""Of keys that the file shows only as a comment, or in another place."""

NOTES: Mapping[str, str] = {
    "Rollout": "**How soon a step can end.** With `analysis.step_up` (on by default) a step also waits "
    "until the canary is "
    "*shown* to be good enough: about 430 good answers of the canary in each step, whatever `hold` and "
    "`min_requests` "
    "say. See [how many answers a step takes](../guides/rollouts.md#how-many-answers-a-step-takes).",
    "Segment": "The first segment that matches decides, in the order of the file.",
    "Resolver": "See [names](../guides/health.md#names).",
    "Pool": "An endpoint that closes kept connections sooner than `idle` costs requests: see "
    "[kept connections](../guides/health.md#kept-connections).",
}
"""What stands below a table, by mapping."""

INTRODUCTION = """\
# Config keys

Every key of the config file, by the mapping that it stands in. [`config/weir.yaml`](../../config/weir.yaml)
shows them in one file, `weir init` writes a commented file to start from, `weir lint` names every problem
of a file, and `weir schema` prints a JSON Schema for editors.

- Percents carry a `%`, durations a unit (`ms`, `s`, `m`, `h`), sizes a unit (`B`, `KiB`, `MiB`, `GiB`,
  powers of 1024). A bare `0` needs no unit.
- Values may hold `${VAR}` and `${VAR:-default}`, taken from the environment at the start; `$$` is one `$`.
- A word is what it says: `on`, `no` or `1.10` become a truth value or a number only where the key asks for
  one.
- A relative path starts at the directory of the config file.
"""


@dataclass
class Mapped:
    """One mapping of the file, with the places where it may stand."""

    model: type[Section]
    places: list[str] = field(default_factory=list)


def page() -> str:
    """Return the page."""
    found = {mapped.model: mapped for mapped in mappings()}
    parts = [INTRODUCTION]
    for mapped in found.values():
        parts += [f"## {title(mapped)}", _about(mapped), *_keys_of(mapped, found)]
    return "\n\n".join(part for part in parts if part)


def _keys_of(mapped: Mapped, found: dict[type[Section], Mapped]) -> Iterator[str]:
    if mapped.model is Defaults:
        yield (
            "Keys for all services: every key of [`services.NAME`](#servicesname) but `match`, `stable` and "
            "`canary`. What a service writes itself replaces the key whole. Of `weight` and `rollout`, the "
            "one "
            "that a service writes replaces both."
        )
        return
    rows = [_row(mapped, name, found) for name in mapped.model.known()]
    yield table(("Key", "Type", "Default", "Example", "Meaning"), rows)
    yield NOTES.get(mapped.model.__name__, "")


def mappings() -> Iterator[Mapped]:
    """Yield every mapping once, in the order in which a reader of the file meets it."""
    found: dict[type[Section], Mapped] = {}

    def walk(model: type[Section], place: str) -> None:
        found.setdefault(model, Mapped(model)).places.append(place)
        for name, info in sorted(_fields(model).items(), key=lambda item: item[0] == "defaults"):  # last
            for inner in _sections(info):
                walk(inner, f"{place}.{name}".removeprefix(".") + _below(info))

    walk(Config, "")
    yield from found.values()


def title(mapped: Mapped) -> str:
    return code(mapped.places[0]) if mapped.places[0] else "The top of the file"


def _about(mapped: Mapped) -> str:
    others = [code(place) for place in mapped.places[1:] if not place.startswith("defaults.")]
    return f"Also {', '.join(others)}." if others else ""


def _row(mapped: Mapped, name: str, found: dict[type[Section], Mapped]) -> tuple[str, ...]:
    model = mapped.model
    info = _fields(model)[name]
    key = f"{model.__name__}.{name}"
    if not info.description:
        raise Undescribed(f"config key {key!r} has no description")
    inner = [found[section] for section in _sections(info)]
    kind = _mapping_type(info, inner) if inner else TYPES.get(key) or _type(info)
    example = "see there" if inner else code(EXAMPLES.get(key) or _example(mapped, name))
    if not kind or not example:
        raise Undescribed(
            f"config key {key!r} has no {'example' if kind else 'type'}: see docs/generator/keys.py"
        )
    return code(name), kind, _default(model, name, info, bool(inner)), example, _meaning(info.description)


def _meaning(text: str) -> str:
    """Return the description; a value that it begins with is code."""
    return sentence(re.sub(r"^(on|off|true|false):", r"`\1`:", text))


def _fields(model: type[Section]) -> dict[str, FieldInfo]:
    """Return the fields by the key that is written in the file, in the order in which they are to be read."""
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    return {name: fields[name] for name in model.known()}


def _sections(info: FieldInfo) -> list[type[Section]]:
    """Return the mappings that a key may hold."""
    return [each for each in _parts(info) if isinstance(each, type) and issubclass(each, Section)]


def _parts(info: FieldInfo) -> Iterator[Any]:
    """Yield types and markers of a field, the outer ones first."""

    def within(annotation: Any) -> Iterator[Any]:
        yield annotation
        for each in get_args(annotation):
            yield from within(each)

    yield from info.metadata
    yield from within(info.annotation)


def _below(info: FieldInfo) -> str:
    """Return what stands between a key and the mappings in it."""
    if any(isinstance(part, NamedItems) for part in _parts(info)):
        return ".NAME"
    return "[]" if any(isinstance(part, Items) for part in _parts(info)) else ""


def _mapping_type(info: FieldInfo, inner: list[Mapped]) -> str:
    links = " or ".join(f"[{title(each)}](#{_anchor(title(each))})" for each in inner)
    words = [word for each in inner for word in each.model.stand_ins]
    if any(isinstance(part, OrOff) for part in _parts(info)) and "off" not in words:
        words.append("off")
    kind = {".NAME": "names with a mapping each: ", "[]": "a list of "}.get(_below(info), "")
    return "".join(f"`{word}`, " for word in words) + kind + links


def _anchor(title: str) -> str:
    return "".join(char for char in title.lower() if char.isalnum() or char in "_-")


def _type(info: FieldInfo) -> str:
    parts = list(_parts(info))
    scalars = [part for part in parts if isinstance(part, Scalar)]
    if not scalars:
        return ""
    kind = re.sub(r" such as `[^`]+`", "", scalars[0].expected)  # the example has a column of its own
    if found := _range(scalars[0].schema):
        kind = kind.replace("a whole number", f"a whole number, {found}")
    return f"a list of: {kind}" if any(isinstance(part, Items) for part in parts) else kind


def _range(schema: dict[str, Any]) -> str:
    """Return the bounds of a number, wherever in its schema they are."""
    if "maximum" in schema:
        return f"{schema['minimum']:,} to {schema['maximum']:,}"
    return next(filter(None, map(_range, schema.get("anyOf", ()))), "")


def _default(model: type[Section], name: str, info: FieldInfo, inner: bool) -> str:
    if info.is_required():
        return "required"
    written = _properties(model).get(name, {}).get("default")
    if written is None and inner and info.default:
        return "see there"
    if written is None:
        return "`off`" if any(isinstance(part, OrOff) for part in _parts(info)) else "none"
    if isinstance(written, list):
        return code(f"[{', '.join(map(str, written))}]")
    return code(str(written).lower() if isinstance(written, bool) else written)


@cache
def _schema() -> dict[str, Any]:
    return json_schema()


def _properties(model: type[Section]) -> dict[str, Any]:
    """Return what editors are told of the keys of a mapping."""
    schema = _schema() if model is Config else _schema()["definitions"][model.__name__]
    forms = [schema, *schema.get("anyOf", [])]
    return next((form["properties"] for form in forms if "properties" in form), {})


@cache
def _shown() -> Any:
    return yaml.load(SHOWN.read_text(), yaml.BaseLoader)  # texts only, as the file's own reader takes them


def _example(mapped: Mapped, name: str) -> str:
    for place in mapped.places:
        for value in _values(_shown(), [*place.replace("[]", ".[]").split("."), name]):
            return _flow(value)
    return ""


def _values(node: Any, path: list[str]) -> Iterator[Any]:
    """Yield what the file has at a path, in which `NAME` and `[]` stand for any."""
    if not path:
        yield node
    elif path[0] == "":
        yield from _values(node, path[1:])
    elif path[0] == "[]":
        for item in node if isinstance(node, list) else []:
            yield from _values(item, path[1:])
    elif isinstance(node, dict):
        for name in node if path[0] == "NAME" else [path[0]]:
            if name in node:
                yield from _values(node[name], path[1:])


def _flow(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(each)}' for key, each in value.items())}}}"
    return f'"{value}"' if value.startswith(("*", "[")) else str(value)
