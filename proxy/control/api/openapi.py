"""The operations of the admin API, declared once: the routes and the OpenAPI 3.1 document are made from them.

An operation's `name` is its operationId, and the method of `routes.ApiRoutes` that answers it.
"""

import http
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from proxy import __version__
from proxy.control.api.openapi_answers import SCHEMAS
from proxy.control.api.openapi_schema import ref
from proxy.control.api.requests import MOST_ENTRIES
from proxy.rollout.phases import OrderName

PARAMETERS: dict[str, Any] = {
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
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Of the caller's choice, new for each order: a repeated order with the same key is "
        "answered and not repeated. 409 while the first is under way, 422 when it was another order.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    "Last-Event-ID": {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "Go on after this entry; wins over `after`.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "after": {
        "name": "after",
        "in": "query",
        "description": "Begin after this ledger entry; without it, with what happens from now on.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "after_revision": {
        "name": "after_revision",
        "in": "query",
        "description": "Only what came after this revision of the service.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "since": {
        "name": "since",
        "in": "query",
        "description": "Only what happened since: so long ago (`90m`, `24h`), or a time of ISO 8601 "
        "(`2026-12-01T03:00:00Z`; without an offset in UTC).",
        "schema": {"type": "string"},
    },
    "limit": {
        "name": "limit",
        "in": "query",
        "description": "So many entries at most, the newest.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST_ENTRIES, "default": MOST_ENTRIES},
    },
}
RESPONSE_FIELDS: dict[str, Any] = {
    "ETag": {
        "description": "The service's revision in quotes. It numbers the state, not the counts beside it.",
        "schema": {"type": "string"},
    },
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one path. `schema` names the content of a 200 ("": text), `body` that of the request.

    `order` is the order that it gives; "" for none.
    """

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
    order: OrderName | Literal[""] = ""


def ordering(name: str, method: str, path: str, word: OrderName, summary: str, body: str) -> Operation:
    """Return an operation that gives an order for a service."""
    return Operation(
        name,
        method,
        f"{SERVICE}{path}",
        summary,
        schema="Service",
        body=body,
        parameters=("service", "If-Match", "Idempotency-Key"),
        problems=ORDER_PROBLEMS,
        etag=True,
        order=word,
    )


SERVICE = "/api/v1/services/{service}"
ORDER_PROBLEMS = (400, 404, 408, 409, 412, 413, 415, 422, 503)
ORDERS: Mapping[OrderName, tuple[str, str]] = {
    "start": ("Begin a rollout: with these endpoints, or with the canary that is there", "Start"),
    "promote": ("Go on to the next step now, or to the end", "Promote"),
    "pause": ("Keep the weight until somebody resumes", "Terms"),
    "resume": ("Go on from a pause, or let a canary back in that was taken out", "Resume"),
    "abort": ("Take the canary out now, for everybody", "Terms"),
    "retry": ("Begin the rollout of a canary that was taken out again, from its first step", "Terms"),
    "undo": ("Go back to the stable before the last promotion", "Undo"),
    "set-weight": ("Set the canary's weight; a rollout under way is paused", "SetWeight"),
}
"""What each order does, and the schema of its body."""
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
    ordering("weights", "PUT", "/weights", "set-weight", ORDERS["set-weight"][0], "SetWeight"),
    *(
        ordering(f"order_{word.replace('-', '_')}", "POST", f"/rollout/{word}", word, summary, body)
        for word, (summary, body) in ORDERS.items()
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
        parameters=("service", "after_revision", "since", "limit"),
        problems=(400, 404),
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
    Operation(
        "reload",
        "POST",
        "/api/v1/config/reload",
        "Read the config file again and put it in force, as a whole or not at all",
        schema="Changes",
        problems=(409, 422, 503),
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


def document(operations: tuple[Operation, ...] = OPERATIONS) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of these operations."""
    paths: dict[str, Any] = {}
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


def described(operation: Operation) -> dict[str, Any]:
    """Return one operation as the document has it."""
    described: dict[str, Any] = {
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


def responses(operation: Operation) -> dict[str, Any]:
    """Return what an operation answers, by status; `default` stands for 401, 403 and 500."""
    schema = ref(operation.schema) if operation.schema else {"type": "string"}
    good: dict[str, Any] = {
        "description": operation.summary,
        "content": {operation.media: {"schema": schema}},
    }
    if operation.etag:
        good["headers"] = {"ETag": {"$ref": "#/components/headers/ETag"}}
    found: dict[str, Any] = {"200": good}
    for status in operation.problems:
        found[str(status)] = problem(http.HTTPStatus(status).phrase)
    found["default"] = {"$ref": "#/components/responses/Problem"}
    return found


def problem(description: str) -> dict[str, Any]:
    """Return a problem+json response."""
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": ref("Problem")}},
    }
