"""The schemas of what the admin API reads: the bodies of orders."""

from proxy.config.units import LONGEST
from proxy.control.api.openapi_schema import (
    COUNT,
    FLAG,
    LINE,
    SECONDS,
    TEXT,
    WEIGHT,
    Schema,
    listed,
    nullable,
    ref,
    shape,
)
from proxy.control.api.order_parser import MOST_ENDPOINTS, MOST_STEPS

TERMS: dict[str, Schema] = {
    "reason": {**LINE, "default": "", "description": "Why; kept in the ledger."},
    "actor": {**LINE, "default": "api", "description": "Who; kept in the ledger."},
}
HOLD: Schema = {**SECONDS, "maximum": LONGEST, "description": "Seconds that a step lasts at least."}
SAMPLE: Schema = {**COUNT, "description": "Answers of the canary that a step takes at least."}


def body(**properties: Schema) -> Schema:
    """Return the schema of a body with these properties, actor and reason, none of them required."""
    found = {**properties, **TERMS}
    return {**shape(optional=tuple(found), **found), "additionalProperties": False}


BODIES: dict[str, Schema] = {
    "Terms": body(),
    "Start": body(
        canary={
            **listed({**TEXT, "description": "http://host:port, https://host:port or unix:/path"}),
            "minItems": 1,
            "maxItems": MOST_ENDPOINTS,
            "description": "Its endpoints; left out: the canary that is there.",
        },
        version={**LINE, "default": "", "description": "The version of this canary."},
        steps={
            **listed({"anyOf": [WEIGHT, ref("Step"), ref("Pause")]}),
            "minItems": 1,
            "maxItems": MOST_STEPS,
            "description": "Rising to 100; left out: the plan in the file.",
        },
        hold={**HOLD, "description": "Seconds, for steps without their own; left out: the file's."},
        min_requests={**SAMPLE, "description": "For steps without their own; left out: the file's."},
        deadline={
            **nullable({**SECONDS, "exclusiveMinimum": 0, "maximum": LONGEST}),
            "description": "Seconds after which the rollout is paused; null: never; left out: the file's.",
        },
        replace={
            **FLAG,
            "default": False,
            "description": "Also in place of a rollout under way, and with a canary that a person took out.",
        },
    ),
    "Step": {
        **shape(weight=WEIGHT, hold=HOLD, min_requests=SAMPLE, optional=("hold", "min_requests")),
        "additionalProperties": False,
        "description": "A weight, and what has to be there before the next.",
    },
    "Pause": {
        **shape(pause={**LINE, "description": "The question to the person who decides."}),
        "additionalProperties": False,
        "description": "Waits for a promote.",
    },
    "Promote": body(full={**FLAG, "default": False, "description": "Past all steps, to the end."}),
    "Resume": body(
        canary={**WEIGHT, "description": "Percent, for one that was taken out; left out: the weight before."}
    ),
    "Undo": body(steps={**FLAG, "default": False, "description": "By the steps of the file's plan."}),
    "SetWeight": {
        **body(canary=WEIGHT, stable={**WEIGHT, "description": "The rest, if it is given at all."}),
        "required": ["canary"],
    },
}
