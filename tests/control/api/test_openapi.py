"""The document tells what is served, no more and no less, in the shapes that are sent."""

import json
import re
from typing import Any

import pytest

from proxy.control.api import openapi
from proxy.control.api.openapi import OPERATIONS, document
from proxy.control.api.orders import ALWAYS, KEYS

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


async def test_every_route_is_in_the_document_and_the_other_way_round(serve):
    client = await serve()
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in client.app.router.routes()
        if route.method != "HEAD" and route.resource is not None
    }
    told = {(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert served == told
    assert await (await client.get("/openapi.json")).json() == DOCUMENT


def test_it_is_openapi_3_1():
    assert DOCUMENT["openapi"] == "3.1.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    operations = [one for methods in DOCUMENT["paths"].values() for one in methods.values()]
    assert len({one["operationId"] for one in operations}) == len(operations) == len(OPERATIONS)
    for one in operations:
        assert {"200", "default"} <= one["responses"].keys()
        for response in one["responses"].values():
            assert resolved(response)["description"]


def test_every_reference_leads_somewhere():
    references = re.findall(r'"\$ref": "([^"]+)"', json.dumps(DOCUMENT))
    assert references
    for reference in set(references):
        assert resolved({"$ref": reference})


def test_every_component_is_used():
    text = json.dumps(DOCUMENT)
    for section in ("schemas", "parameters", "headers", "responses"):
        for name in DOCUMENT["components"][section]:
            assert f"#/components/{section}/{name}" in text


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_path_parameters_are_declared(operation):
    named = set(re.findall(r"{(\w+)}", operation.path))
    declared = {name for name in operation.parameters if openapi.PARAMETERS[name]["in"] == "path"}
    assert named == declared


def schema_of(name: str) -> Json:
    """What a 200 of this operation carries."""
    operation = next(one for one in OPERATIONS if one.name == name)
    response: Json = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"]["200"]
    schema: Json = response["content"][operation.media]["schema"]
    return schema


READABLE = [one for one in OPERATIONS if one.method == "GET" and one.media == "application/json"]


@pytest.mark.parametrize("operation", READABLE, ids=lambda operation: operation.name)
async def test_what_is_sent_has_the_shape_that_is_told(serve, fake_control, operation):
    finding = fake_control.services["pay"]["trip"]["finding"]
    entry = {
        "id": 1,
        "service": "pay",
        "revision": 1,
        "at": "2026-01-01T00:00:00Z",
        "event": "trip",
        "actor": "weir",
    }
    place = {"phase": "rolled-back", "step": 2, "generation": None, "acknowledged_ms": 3.5}
    fake_control.entries = [entry | place | {"reason": "", "from": 5.0, "to": 0.0, "finding": finding}]
    client = await serve()
    for service in fake_control.names():
        response = await client.get(operation.path.replace("{service}", service))
        assert response.status == 200
        assert response.content_type == operation.media
        assert faults(await response.json(), schema_of(operation.name)) == []


async def test_problems_have_the_shape_that_is_told(serve):
    client = await serve()
    schema = DOCUMENT["components"]["schemas"]["Problem"]
    assert faults(await (await client.get("/x")).json(content_type=None), schema) == []
    response = await client.put("/api/v1/services/checkout/weights", json={"canary": 500})
    document = await response.json(content_type=None)
    assert document["errors"]
    assert faults(document, schema) == []


@pytest.mark.parametrize(
    ("schema", "body", "good"),
    [
        *(("SetWeight", {"canary": 5}, True), ("SetWeight", {"canary": 5, "reason": "x"}, True)),
        *(("SetWeight", {}, False), ("SetWeight", {"canary": 5, "x": 1}, False)),
        *(("SetWeight", {"canary": 101}, False), ("Resume", {}, True), ("Resume", {"canary": 5}, True)),
        *(("Terms", {"actor": "ann"}, True), ("Terms", {"canary": 5}, False)),
        *(("Promote", {"full": True}, True), ("Promote", {"full": "yes"}, False)),
        *(("Undo", {"steps": True}, True), ("Undo", {"steps": [100]}, False)),
        ("Start", {"canary": ["http://x"], "version": "v4", "steps": [1, 100], "deadline": None}, True),
        ("Start", {"steps": [{"weight": 1, "hold": 60}, {"pause": "ask"}, {"weight": 100}]}, True),
        *(("Start", {"steps": [{"hold": 60}]}, False), ("Start", {"hold": "1m"}, False)),
    ],
)
def test_the_orders_told_are_the_ones_taken(schema, body, good):
    assert (faults(body, DOCUMENT["components"]["schemas"][schema]) == []) is good


def test_each_order_has_the_body_that_is_told():
    orders = [one for one in OPERATIONS if one.order]
    assert {one.order for one in orders} == KEYS.keys()
    for one in orders:
        assert {"If-Match", "Idempotency-Key"} <= set(one.parameters)
        told = DOCUMENT["components"]["schemas"][one.body]["properties"].keys()
        assert told == {*KEYS[one.order], *ALWAYS}


def test_probes_are_told_to_be_open():
    assert DOCUMENT["paths"]["/livez"]["get"]["security"] == [{}]
    assert "security" not in DOCUMENT["paths"]["/metrics"]["get"]
