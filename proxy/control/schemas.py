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
ODDS: Schema = {"type": "number", "minimum": 0}
PHASE: Schema = words("idle", "progressing", "paused", "promoting", "promoted", "rolled-back")
ORDER: Schema = words("start", "promote", "pause", "resume", "abort", "retry", "undo", "set-weight")
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
        phase=PHASE,
        weights={**by_backend(PERCENT), "description": "Percent that is set."},
        shares={**nullable(by_backend(PERCENT)), "description": "Percent seen over the last 30 seconds."},
        backends=by_backend(ref("Backend")),
        halted={**listed(TEXT), "description": "Backends out for everybody, pinned requests included."},
        enforce={**FLAG, "description": "False: failing checks are shown and change nothing."},
        durable={**FLAG, "description": "False: this state is in force but not yet in the ledger."},
        trip=nullable(ref("Trip")),
        verdict=ref("Verdict"),
        evidence=ref("Evidence"),
        blast_radius=nullable(ref("BlastRadius")),
        overdue={
            **by_backend(COUNT),
            "description": "Requests in flight now that take longer than stable's threshold allows.",
        },
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
    "Verdict": shape(
        state=STATE,
        findings=listed(ref("Finding")),
        odds=nullable(ODDS),
        bar=nullable(ODDS),
        assurance=nullable(ref("Assurance")),
        sentence=TEXT,
    ),
    "Assurance": {
        **shape(
            odds={**ODDS, "description": "That it is, as N:1: of what is asked for, the least shown."},
            bar={**ODDS, "description": "The odds asked for, as N:1."},
            requests={
                **nullable(COUNT),
                "description": "Canary answers that this takes yet; null: nobody can say.",
            },
            seconds={**nullable(SECONDS), "description": "At the present rate; null: nobody can say."},
        ),
        "description": "How far it is shown that the canary is good enough for a larger weight.",
    },
    "Evidence": {
        **shape(
            odds={**nullable(ODDS), "description": "N:1 against the canary; null where no bet is made."},
            bar={**nullable(ODDS), "description": "The odds at which it is failing."},
        ),
        "description": "All bets against the canary together.",
    },
    "BlastRadius": {
        **shape(
            met={**COUNT, "description": "Requests that went to the canary and are over."},
            exposed_users={
                **nullable(COUNT),
                "description": "Users who met it, within about 2.3 % (HyperLogLog); null: not sticky.",
            },
            harmed={**COUNT, "description": "Bad answers of the canary that reached a client."},
            rescued={**COUNT, "description": "Requests that the canary failed and stable answered."},
            since={**nullable(MOMENT), "description": "When the release began."},
        ),
        "description": "Whom this release has met and hurt; null where there is no canary.",
    },
    "Explanation": shape(
        service=TEXT,
        text={**TEXT, "description": "The paragraph, for people."},
        next={**listed(TEXT), "description": "What to do now, a sentence each; they end the paragraph."},
        phase=PHASE,
        trip=nullable(ref("Trip")),
        verdict=ref("Verdict"),
        evidence=ref("Evidence"),
        blast_radius=nullable(ref("BlastRadius")),
        overdue=by_backend(COUNT),
        failed={
            **listed(ref("FailedRequest")),
            "description": "The most frequent failed requests of the canary, at most 20.",
        },
    ),
    "FailedRequest": shape(
        method=TEXT,
        path={**TEXT, "description": "Without query, each number in it as #."},
        status={**COUNT, "description": "What the client was sent; 499: nothing."},
        count=COUNT,
    ),
    "Finding": {
        **shape(
            check=TEXT,
            state=STATE,
            value=nullable(NUMBER),
            limit={**nullable(NUMBER), "description": "The limit in force; null: there is none yet."},
            stable=nullable(NUMBER),
            sample=COUNT,
            needed={**nullable(COUNT), "description": "Null: evidence has no such number."},
            window={**nullable(SECONDS), "description": "Null: since the evidence began."},
            unit=words("ratio", "seconds", "count"),
            sentence=TEXT,
            odds={**nullable(ODDS), "description": "N:1 against the canary; null: it makes no bets."},
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
        phase={**PHASE, "description": "With 409: the phase in which the order is not legal."},
        legal={**listed(ORDER), "description": "With 409: the orders that are legal now."},
        optional=("errors", "phase", "legal"),
    ),
}
