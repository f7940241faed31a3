"""A JSON Schema of the config file, draft-07, for completion and checks in editors.

It is made from the models that read the file. The schema checks what a value alone shows; what takes a
comparison (two services with one match, the range of a duration) is left to `weir lint`.
"""

from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from proxy.config.schema import Config
from proxy.config.values import TEXT, JsonSchema

_VARIABLE: JsonSchema = {"type": "string", "pattern": r"\$\{"}
_ANNOTATIONS = ("description", "default")
_SCHEMAS_BY_NAME = ("properties", "patternProperties")
_AS_IS = ("oneOf", "if", "dependencies", "required")
"""Keywords that compare written keys and words, to which a variable makes no difference."""


class _Keys(GenerateJsonSchema):
    """Leaves out defaults as values: the keys have theirs as they are written in files."""

    def encode_default(self, dft: Any) -> Any:
        return None


def json_schema() -> JsonSchema:
    """Return the schema as plain JSON values."""
    schema = Config.model_json_schema(ref_template="#/definitions/{model}", schema_generator=_Keys)
    definitions = {name: _draft7(model) for name, model in schema.pop("$defs").items()}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "splitweir config file",
        **_draft7(schema),
        "definitions": definitions,
    }


def _draft7(node: JsonSchema) -> JsonSchema:
    """Return it in draft-07 and as files are written.

    There is no null in files, and `${VAR}` may stand for a scalar.
    """
    shown = {name: node[name] for name in _ANNOTATIONS if name in node}
    if "anyOf" in node:
        return {**shown, **_one_form_of(list(_forms(node)))}
    if "$ref" in node:
        return {**shown, "allOf": [{"$ref": node["$ref"]}]} if shown else {"$ref": node["$ref"]}
    if _scalar(node):
        return {**shown, **_one_form_of([node])}
    return {name: _keyword(name, value) for name, value in _closed(node).items() if name != "title"}


def _keyword(name: str, value: Any) -> Any:
    if name in _SCHEMAS_BY_NAME:
        return {key: _draft7(schema) for key, schema in value.items()}
    return _draft7(value) if isinstance(value, dict) and name not in _AS_IS else value


def _forms(node: JsonSchema) -> Iterator[JsonSchema]:
    """Yield the alternatives of alternatives, on one level."""
    for form in node.get("anyOf", [node]):
        if "anyOf" in form:
            yield from _forms(form)
        elif form != {"type": "null"}:
            yield form


def _one_form_of(forms: list[JsonSchema]) -> JsonSchema:
    shown = [_bare(form) if _scalar(form) else _draft7(form) for form in forms]
    if TEXT not in shown and any(_scalar(form) for form in forms):
        shown.append(_VARIABLE)
    return shown[0] if len(shown) == 1 else {"anyOf": shown}


def _bare(node: JsonSchema) -> JsonSchema:
    return {name: value for name, value in node.items() if name not in (*_ANNOTATIONS, "title")}


def _scalar(node: JsonSchema) -> bool:
    return "$ref" not in node and node.get("type") not in ("object", "array", "null")


def _closed(node: JsonSchema) -> JsonSchema:
    """Return a mapping that, with patterns for its keys, takes no keys that match none of them."""
    return {**node, "additionalProperties": False} if "patternProperties" in node else node
