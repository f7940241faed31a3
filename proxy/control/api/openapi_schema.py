"""The parts that schemas are made of: JSON Schema 2020-12, which OpenAPI 3.1 uses.

Percent are 0..100 in steps of 0.01, ratios and rates 0..1, times seconds unless the name says otherwise. No
data is null, never 0.
"""

from typing import Any, get_args

from proxy.control.api import order_parser
from proxy.rollout.phases import OrderName, Phase

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """Return a reference to one of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def shape(*, optional: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """Return the schema of an object with these properties; all but `optional` are required.

    Others may be added, and readers must ignore those that they don't know.
    """
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties}


def nullable(schema: Schema) -> Schema:
    """Return a schema for the same, or null for no data."""
    return {"anyOf": [schema, {"type": "null"}]}


def words(*values: str) -> Schema:
    """Return the schema of one of these words."""
    return {"type": "string", "enum": list(values)}


def listed(schema: Schema) -> Schema:
    """Return the schema of a list of these."""
    return {"type": "array", "items": schema}


def by_backend(schema: Schema) -> Schema:
    """Return the schema of an object that has one of these for each backend."""
    return {"type": "object", "additionalProperties": schema}


TEXT: Schema = {"type": "string"}
LINE: Schema = {"type": "string", "maxLength": 500, "description": "One line without control characters."}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
SECONDS: Schema = {"type": "number", "minimum": 0, "description": "Seconds."}
RATIO: Schema = {"type": "number", "minimum": 0, "maximum": 1}
PERCENT: Schema = {"type": "number", "minimum": 0, "maximum": 100}
WEIGHT: Schema = {
    "anyOf": [PERCENT, {"type": "string", "pattern": f"^{order_parser.PERCENT.pattern}$"}],
    "description": "Percent of the requests, in steps of 0.01: a number, or a text such as `5%`.",
}
MOMENT: Schema = {"type": "string", "format": "date-time"}
ODDS: Schema = {"type": "number", "minimum": 0}
PHASE: Schema = words(*get_args(Phase))
ORDER: Schema = words(*get_args(OrderName))
STATE: Schema = words("healthy", "failing", "inconclusive")
