"""The words that schemas are written in: JSON Schema 2020-12, which is what OpenAPI 3.1 uses.

Percent are 0..100 in steps of 0.01, ratios and rates 0..1, times seconds unless the name says otherwise. No
data is null, never 0.
"""

from typing import Any, get_args

from proxy.rollout.phases import OrderName, Phase

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A reference to one of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def shape(*, optional: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """An object with these properties, all there but the optional ones; a reader must bear new ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties}


def nullable(schema: Schema) -> Schema:
    """The schema, or null for no data."""
    return {"anyOf": [schema, {"type": "null"}]}


def words(*values: str) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": list(values)}


def listed(schema: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": schema}


def by_backend(schema: Schema) -> Schema:
    """One of these for each backend: "stable" and the canary's name."""
    return {"type": "object", "additionalProperties": schema}


TEXT: Schema = {"type": "string"}
LINE: Schema = {"type": "string", "maxLength": 500, "description": "One line without control characters."}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
SECONDS: Schema = {"type": "number", "minimum": 0, "description": "Seconds."}
RATIO: Schema = {"type": "number", "minimum": 0, "maximum": 1}
PERCENT: Schema = {"type": "number", "minimum": 0, "maximum": 100}
WEIGHT: Schema = {**PERCENT, "description": "Percent of the requests, in steps of 0.01."}
MOMENT: Schema = {"type": "string", "format": "date-time"}
ODDS: Schema = {"type": "number", "minimum": 0}
PHASE: Schema = words(*get_args(Phase))
ORDER: Schema = words(*get_args(OrderName))
STATE: Schema = words("healthy", "failing", "inconclusive")
