"""The document tells what is served, no more and no less, in the shapes that are sent."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from proxy.control.api import openapi
from proxy.control.api.openapi import OPERATIONS, Operation
from tests.kits.json_schema import DOCUMENT, resolved


async def test_every_route_is_in_the_document_and_the_other_way_round(serve: Callable[..., Any]) -> None:
    client = await serve()
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in client.app.router.routes()
        if route.method != "HEAD" and route.resource is not None
    }
    told = {(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert served == told
    assert await (await client.get("/openapi.json")).json() == DOCUMENT


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    operations = [one for methods in DOCUMENT["paths"].values() for one in methods.values()]
    assert len({one["operationId"] for one in operations}) == len(operations) == len(OPERATIONS)
    for one in operations:
        assert {"200", "default"} <= one["responses"].keys()
        for response in one["responses"].values():
            assert resolved(response)["description"]


def test_every_reference_leads_somewhere() -> None:
    references = re.findall(r'"\$ref": "([^"]+)"', json.dumps(DOCUMENT))
    assert references
    for reference in set(references):
        assert resolved({"$ref": reference})


def test_every_component_is_used() -> None:
    text = json.dumps(DOCUMENT)
    for section in ("schemas", "parameters", "headers", "responses"):
        for name in DOCUMENT["components"][section]:
            assert f"#/components/{section}/{name}" in text


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_path_parameters_are_declared(operation: Operation) -> None:
    named = set(re.findall(r"{(\w+)}", operation.path))
    declared = {name for name in operation.parameters if openapi.PARAMETERS[name]["in"] == "path"}
    assert named == declared


def test_probes_are_told_to_be_open() -> None:
    assert DOCUMENT["paths"]["/livez"]["get"]["security"] == [{}]
    assert "security" not in DOCUMENT["paths"]["/metrics"]["get"]
