"""The shapes that the admin API speaks, as JSON Schema 2020-12 (what OpenAPI 3.1 uses).

Percent are 0..100 in steps of 0.01, ratios and rates 0..1, times seconds unless the name says otherwise. No
data is null, never 0.
"""

from typing import Any

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
STATE: Schema = words("healthy", "failing", "inconclusive")

ORDER_LINES: dict[str, Schema] = {
    "reason": {**LINE, "default": "", "description": "Why; kept in the ledger."},
    "actor": {**LINE, "default": "api", "description": "Who; kept in the ledger."},
}

SCHEMAS: dict[str, Schema] = {
    "Services": shape(generation=COUNT, services=listed(ref("Service"))),
    "Service": shape(
        name=TEXT,
        revision=COUNT,
        phase=words("idle", "rolled-back"),
        weights={**by_backend(PERCENT), "description": "Percent that is set."},
        shares={**nullable(by_backend(PERCENT)), "description": "Percent seen over the last 30 seconds."},
        backends=by_backend(ref("Backend")),
        halted={**listed(TEXT), "description": "Backends out for everybody, pinned requests included."},
        enforce={**FLAG, "description": "False: failing checks are shown and change nothing."},
        durable={**FLAG, "description": "False: this state is in force but not yet in the ledger."},
        trip=nullable(ref("Trip")),
        verdict=ref("Verdict"),
        window=shape(seconds=SECONDS, stable=nullable(ref("Side")), canary=nullable(ref("Side"))),
        drift=nullable(ref("Drift")),
    ),
    "Backend": shape(endpoints=listed(TEXT), version=TEXT),
    "Side": shape(
        requests=COUNT,
        failures=COUNT,
        error_rate=nullable(RATIO),
        p50=nullable(SECONDS),
        p99=nullable(SECONDS),
    ),
    "Trip": shape(
        at=MOMENT,
        check={
            **nullable(TEXT),
            "description": "Null, as the finding, when a worker alone remembered the trip.",
        },
        sentence=TEXT,
        finding=nullable(ref("Finding")),
        weight_before=PERCENT,
        acknowledged_ms={
            **nullable(NUMBER),
            "description": "Milliseconds until every worker had taken it out; null while one has not.",
        },
    ),
    "Verdict": shape(state=STATE, findings=listed(ref("Finding"))),
    "Finding": {
        **shape(
            check=TEXT,
            state=STATE,
            value=nullable(NUMBER),
            limit=NUMBER,
            stable=nullable(NUMBER),
            sample=COUNT,
            needed=COUNT,
            window=SECONDS,
            unit=words("ratio", "seconds"),
            sentence=TEXT,
        ),
        "description": "What one check found: its value, limit, sample and a sentence for people.",
    },
    "Drift": shape(
        file=PERCENT, in_force=PERCENT, apply={**TEXT, "description": "The command that applies the file."}
    ),
    "History": shape(service=TEXT, entries=listed(ref("Entry"))),
    "Entry": {
        **shape(
            optional=(),
            id=COUNT,
            service=TEXT,
            revision=COUNT,
            at=MOMENT,
            event=words("release", "weight", "trip", "resume"),
            actor=TEXT,
            reason=TEXT,
            to=PERCENT,
            finding=nullable(ref("Finding")),
            **{"from": nullable(PERCENT)},
        ),
        "description": "One transition, as the ledger holds it.",
    },
    "SetWeight": {
        **shape(canary=WEIGHT, optional=("reason", "actor"), **ORDER_LINES),
        "additionalProperties": False,
    },
    "Resume": {
        **shape(
            canary={**WEIGHT, "description": "Percent; left out: the weight before the trip."},
            optional=("canary", "reason", "actor"),
            **ORDER_LINES,
        ),
        "additionalProperties": False,
    },
    "Index": {"type": "object", "additionalProperties": TEXT},
    "OpenAPI": {"type": "object"},
    "Problem": shape(
        type=TEXT,
        title=TEXT,
        status={"type": "integer", "minimum": 400, "maximum": 599},
        detail=TEXT,
        errors=listed(shape(pointer=TEXT, detail=TEXT)),
        optional=("errors",),
    ),
}
