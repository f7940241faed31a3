"""The page of the admin API, from its OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from docs.generator.markdown import Undescribed, code, sentence, table
from proxy.control.api import openapi

Json = dict[str, Any]

INTRODUCTION = """\
# Admin API

The API listens on `admin.listen`, by default `127.0.0.1:9900`, and so do `/metrics` and the checks of load
balancers. `GET /openapi.json` answers with the OpenAPI 3.1 document that this page is written from.

- **Token.** With `admin.token` every request but `/livez` and `/readyz` needs `Authorization: Bearer
  TOKEN`. Without one only a loopback address can be listened on, and requests that a browser sends from
  another site are refused.
- **Errors** are `application/problem+json` (RFC 9457): `detail` says what happened, what was expected and
  what stays in force; an order that is refused has changed nothing.
- **Conditions.** A service's `ETag` is its revision. An order with `If-Match` is carried out on that
  revision or not at all (412). An order with an `Idempotency-Key` is carried out once, however often it is
  sent.
- **Streams.** `/api/v1/events` are server-sent events, one for each line of the ledger, with a comment
  every 15 seconds.

Setting a weight, with a reason and only if revision 7 is in force:

```sh no-run
curl -X PUT http://127.0.0.1:9900/api/v1/services/checkout/weights \\
  -H 'Content-Type: application/json' -H 'If-Match: "7"' \\
  -d '{"canary": 10, "reason": "looks good", "actor": "mina"}'
```
"""


def page() -> str:
    """Return the page."""
    document = openapi.document()
    parts = [INTRODUCTION, "## Routes"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts += _route(document, f"{method.upper()} {path}", operation)
    parts.append("## Shapes")
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts += _shape(name, schema)
    return "\n\n".join(part for part in parts if part)


def _route(document: Json, title: str, operation: Json) -> Iterator[str]:
    if not operation.get("summary"):
        raise Undescribed(f"route {title!r} has no summary: write one into its Operation")
    yield f"### `{title}`"
    yield sentence(operation["summary"])
    if parameters := [_resolved(document, each) for each in operation.get("parameters", ())]:
        yield table(("Parameter", "In", "Type", "Meaning"), [_parameter(each) for each in parameters])
    yield _body(operation) + _answers(operation)


def _parameter(parameter: Json) -> tuple[str, ...]:
    schema = parameter["schema"]
    return code(parameter["name"]), parameter["in"], _type(schema), sentence(parameter["description"])


def _body(operation: Json) -> str:
    if "requestBody" not in operation:
        return ""
    body = operation["requestBody"]
    (media,) = body["content"].values()
    return f"Body: {_type(media['schema'])}{'' if body['required'] else ', may be left out'}. "


def _answers(operation: Json) -> str:
    good = operation["responses"]["200"]
    ((media, content),) = good["content"].items()
    others = [status for status in operation["responses"] if status not in ("200", "default")]
    kind = "" if content["schema"] == {"type": "string"} else f", {_type(content['schema'])}"
    text = f"Answers 200 with {code(media)}{kind}"
    if others:
        text += f"; {', '.join(others)} with a [Problem](#problem)"
    return text + (". Needs no token." if operation.get("security") == [{}] else ".")


def _shape(name: str, schema: Json) -> Iterator[str]:
    yield f"### {name}"
    yield sentence(schema["description"]) if "description" in schema else ""
    if "properties" in schema:
        required = schema.get("required", ())
        rows = [
            (code(field), _type(each), "" if field in required else "may be missing", _meaning(each))
            for field, each in schema["properties"].items()
        ]
        yield table(("Field", "Type", "", "Meaning"), rows)
    else:
        yield sentence(_type(schema))


def _meaning(schema: Json) -> str:
    return sentence(schema["description"]) if "description" in schema else ""


def _type(schema: Json) -> str:
    """Return the type of a value in words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_type, schema["anyOf"])))
    if "enum" in schema:
        return ", ".join(map(code, schema["enum"]))
    kinds = schema.get("type", "any")
    kind = " or ".join(kinds) if isinstance(kinds, list) else kinds
    if "items" in schema:
        return f"list of {_type(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"by name: {_type(schema['additionalProperties'])}"
    return str(kind)


def _resolved(document: Json, node: Json) -> Json:
    if "$ref" not in node:
        return node
    found: Any = document
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)
