"""As much of JSON Schema as the OpenAPI document uses."""

from typing import Any

from proxy.control.api.openapi import OPERATIONS, document

Json = dict[str, Any]
DOCUMENT = document()


def resolved(schema: Json) -> Json:
    """The schema that a $ref leads to."""
    while "$ref" in schema:
        found: Any = DOCUMENT
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def faults(value: Any, schema: Json, where: str = "$") -> list[str]:
    """What in ``value`` the schema does not allow: as much of JSON Schema as the document uses."""
    schema = resolved(schema)
    if "anyOf" in schema:
        return (
            []
            if any(not faults(value, one) for one in schema["anyOf"])
            else [f"{where}: {value!r} fits none"]
        )
    if not is_kind(value, schema.get("type")):
        return [f"{where}: {value!r} is no {schema['type']}"]
    if isinstance(value, list):
        return [
            fault
            for n, one in enumerate(value)
            for fault in faults(one, schema.get("items", {}), f"{where}[{n}]")
        ]
    if isinstance(value, dict):
        return object_faults(value, schema, where)
    low, high = schema.get("minimum", value), schema.get("maximum", value)
    allowed = value in schema.get("enum", [value]) and (value is None or low <= value <= high)
    return [] if allowed else [f"{where}: {value!r} is not allowed"]


def is_kind(value: Any, kind: str | None) -> bool:
    """Whether the value is of a JSON Schema type; None allows any."""
    kinds: Json = {"string": str, "integer": int, "number": (int, float), "object": dict, "array": list}
    kinds |= {"boolean": bool, "null": type(None)}
    if isinstance(value, bool):
        return kind in (None, "boolean")
    return kind is None or isinstance(value, kinds[kind])


def object_faults(value: Json, schema: Json, where: str) -> list[str]:
    """The same for an object: missing, unknown and wrong properties."""
    known, more = schema.get("properties", {}), schema.get("additionalProperties", {})
    found = [f"{where}.{key}: missing" for key in schema.get("required", []) if key not in value]
    found += [f"{where}.{key}: unknown" for key in value if key not in known and more is False]
    for key, one in value.items():
        found += faults(one, known.get(key, more or {}), f"{where}.{key}")
    return found


def schema_of(name: str) -> Json:
    """What a 200 of this operation carries."""
    operation = next(one for one in OPERATIONS if one.name == name)
    response: Json = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"]["200"]
    schema: Json = response["content"][operation.media]["schema"]
    return schema
