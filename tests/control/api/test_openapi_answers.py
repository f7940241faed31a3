"""What is answered has the shape that the document says."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.control.api.openapi import OPERATIONS, Operation
from tests.control.conftest import FakeControl
from tests.kits.json_schema import DOCUMENT, faults, schema_of

READABLE = [one for one in OPERATIONS if one.method == "GET" and one.media == "application/json"]


@pytest.mark.parametrize("operation", READABLE, ids=lambda operation: operation.name)
async def test_what_is_sent_has_the_shape_that_is_told(
    serve: Callable[..., Any], fake_control: FakeControl, operation: Operation
) -> None:
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
    fake_control.written = [entry | place | {"reason": "", "from": 5.0, "to": 0.0, "finding": finding}]
    client = await serve()
    for service in fake_control.names():
        response = await client.get(operation.path.replace("{service}", service))
        assert response.status == 200
        assert response.content_type == operation.media
        assert faults(await response.json(), schema_of(operation.name)) == []


async def test_problems_have_the_shape_that_is_told(serve: Callable[..., Any]) -> None:
    client = await serve()
    schema = DOCUMENT["components"]["schemas"]["Problem"]
    assert faults(await (await client.get("/x")).json(content_type=None), schema) == []
    response = await client.put("/api/v1/services/checkout/weights", json={"canary": 500})
    document = await response.json(content_type=None)
    assert document["errors"]
    assert faults(document, schema) == []
