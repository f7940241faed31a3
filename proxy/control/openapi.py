"""What the admin API can do, declared once: the routes are made from it, and the OpenAPI 3.1 document.

An operation's ``name`` is the method of api.Api that answers it and its operationId.
"""

import http
from dataclasses import dataclass
from typing import Any

from proxy import __version__
from proxy.control.schemas import SCHEMAS, ref

Json = dict[str, Any]

PARAMETERS: Json = {
    "service": {
        "name": "service",
        "in": "path",
        "required": True,
        "description": "The service's name in the config file.",
        "schema": {"type": "string"},
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": 'The ETag that the order was made on, such as "7"; 412 when another is in force.',
        "schema": {"type": "string"},
    },
    "Last-Event-ID": {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "Go on after this entry; wins over ``after``.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "after": {
        "name": "after",
        "in": "query",
        "description": "Begin after this ledger entry; without it, with what happens from now on.",
        "schema": {"type": "integer", "minimum": 0},
    },
}
RESPONSE_FIELDS: Json = {
    "ETag": {
        "description": "The service's revision in quotes. It numbers the state, not the counts beside it.",
        "schema": {"type": "string"},
    },
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one path. ``schema`` names what a 200 carries ("": text), ``body`` what it reads."""

    name: str
    method: str
    path: str
    summary: str
    schema: str = ""
    media: str = "application/json"
    body: str = ""
    parameters: tuple[str, ...] = ()
    problems: tuple[int, ...] = ()
    etag: bool = False
    open: bool = False  # never needs the token


SERVICE = "/api/v1/services/{service}"
ORDER_PROBLEMS = (400, 404, 408, 409, 412, 413, 415, 422, 503)
OPERATIONS = (
    Operation("index", "GET", "/", "Where everything is", schema="Index"),
    Operation("services", "GET", "/api/v1/services", "All services as they are now", schema="Services"),
    Operation(
        "service",
        "GET",
        SERVICE,
        "One service as it is now",
        "Service",
        parameters=("service",),
        problems=(404,),
        etag=True,
    ),
    Operation(
        "set_weight",
        "PUT",
        f"{SERVICE}/weights",
        "Set the canary's weight",
        schema="Service",
        body="SetWeight",
        parameters=("service", "If-Match"),
        problems=ORDER_PROBLEMS,
        etag=True,
    ),
    Operation(
        "resume",
        "POST",
        f"{SERVICE}/resume",
        "Let a tripped canary back in; evidence starts anew",
        schema="Service",
        body="Resume",
        parameters=("service", "If-Match"),
        problems=ORDER_PROBLEMS,
        etag=True,
    ),
    Operation(
        "explain",
        "GET",
        f"{SERVICE}/explain",
        "What happened to the canary, or what is known of it, in a paragraph",
        schema="Explanation",
        parameters=("service",),
        problems=(404,),
    ),
    Operation(
        "history",
        "GET",
        f"{SERVICE}/history",
        "Every transition of a service, newest last",
        schema="History",
        parameters=("service",),
        problems=(404,),
    ),
    Operation(
        "events",
        "GET",
        "/api/v1/events",
        "Every transition as it happens: server-sent events, each an Entry under its id",
        schema="Entry",
        media="text/event-stream",
        parameters=("Last-Event-ID", "after"),
        problems=(400, 503),
    ),
    Operation("metrics", "GET", "/metrics", "Prometheus metrics", media="text/plain"),
    Operation("livez", "GET", "/livez", "Whether the process answers", media="text/plain", open=True),
    Operation(
        "readyz",
        "GET",
        "/readyz",
        "Whether traffic may be sent to the proxy",
        media="text/plain",
        problems=(503,),
        open=True,
    ),
    Operation("openapi", "GET", "/openapi.json", "This document", schema="OpenAPI"),
)


def document(operations: tuple[Operation, ...] = OPERATIONS) -> Json:
    """The OpenAPI 3.1 document of these operations."""
    paths: Json = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "splitweir admin API",
            "version": __version__,
            "description": "Weights, verdicts and the ledger of a traffic-splitting reverse proxy.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "parameters": PARAMETERS,
            "headers": RESPONSE_FIELDS,
            "responses": {"Problem": problem("What went wrong, for people and for programs")},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "admin.token; where none is set only requests from loopback are served.",
                }
            },
        },
    }


def described(operation: Operation) -> Json:
    """One operation as the document has it."""
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": responses(operation),
    }
    if operation.parameters:
        described["parameters"] = [
            {"$ref": f"#/components/parameters/{name}"} for name in operation.parameters
        ]
    if operation.body:
        content = {"application/json": {"schema": ref(operation.body)}}
        required = bool(SCHEMAS[operation.body].get("required"))
        described["requestBody"] = {"required": required, "content": content}
    if operation.open:
        described["security"] = [{}]
    return described


def responses(operation: Operation) -> Json:
    """What an operation answers, by status; ``default`` stands for 401, 403 and 500, which any may answer."""
    schema = ref(operation.schema) if operation.schema else {"type": "string"}
    good: Json = {"description": operation.summary, "content": {operation.media: {"schema": schema}}}
    if operation.etag:
        good["headers"] = {"ETag": {"$ref": "#/components/headers/ETag"}}
    found: Json = {"200": good}
    for status in operation.problems:
        found[str(status)] = problem(http.HTTPStatus(status).phrase)
    found["default"] = {"$ref": "#/components/responses/Problem"}
    return found


def problem(description: str) -> Json:
    """A problem+json response."""
    return {"description": description, "content": {"application/problem+json": {"schema": ref("Problem")}}}
