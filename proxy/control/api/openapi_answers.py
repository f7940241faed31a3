"""The schemas of what the admin API answers; those of what it reads are in `openapi_orders`."""

from typing import get_args

from proxy.control.api.openapi_orders import BODIES
from proxy.control.api.openapi_schema import (
    COUNT,
    FLAG,
    MOMENT,
    NUMBER,
    ODDS,
    ORDER,
    PERCENT,
    PHASE,
    RATIO,
    SECONDS,
    STATE,
    TEXT,
    Schema,
    by_backend,
    listed,
    nullable,
    ref,
    shape,
    words,
)
from proxy.rollout.entry import EntryKind

SCHEMAS: dict[str, Schema] = {
    "Changes": shape(
        changed={**by_backend(listed(TEXT)), "description": "By service: keys of the file that differ."},
        added=listed(TEXT),
        removed=listed(TEXT),
        shared={**listed(TEXT), "description": "Keys for all services that differ."},
        restart={
            **listed(TEXT),
            "description": "Keys that differ and need a restart: their old values stay in force.",
        },
    ),
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
        outage={**nullable(ref("Outage")), "description": "Null: none is known."},
        window=shape(seconds=SECONDS, stable=nullable(ref("Side")), canary=nullable(ref("Side"))),
        drift=nullable(ref("Drift")),
        rollout={
            **nullable(ref("Rollout")),
            "description": "The rollout under way, or the last one; null: none by a plan.",
        },
        orders={**listed(ORDER), "description": "The orders that are legal in this phase."},
        undo={**nullable(ref("Backend")), "description": "The stable before the last promotion."},
        origin=shape(
            stable=words("file", "ledger"),
            canary=words("file", "ledger", "none"),
        ),
    ),
    "Rollout": shape(
        steps=listed({"anyOf": [ref("Step"), ref("Pause")]}),
        step={**COUNT, "description": "The number of steps that were entered."},
        of={**COUNT, "description": "The number of steps."},
        began={**MOMENT, "description": "The start, from which the deadline counts."},
        entered={**MOMENT, "description": "When the step was entered, or resumed."},
        deadline={**nullable(SECONDS), "description": "Seconds after which it is paused; null: never."},
        expected={
            **nullable(SECONDS),
            "description": "Seconds to its end at the traffic seen, without pauses; null: unknown.",
        },
        rate={**NUMBER, "minimum": 0, "description": "Requests a second to all backends, lately."},
        assured={
            **COUNT,
            "description": "Good answers of the canary until it is shown to be good enough, in each step "
            "below 100 %; 0: nothing has to be shown.",
        },
        waiting={**nullable(ref("Waiting")), "description": "Null: it is not under way."},
    ),
    "Waiting": {
        **shape(
            says={**TEXT, "description": "What it waits for, in words."},
            seconds={**nullable(SECONDS), "description": "Until nothing is missing; null: unknown."},
            hold={**SECONDS, "description": "Seconds that the step has to last yet."},
            sample={
                **nullable(shape(have=COUNT, need=COUNT)),
                "description": "Answers of the canary since the step was entered; null: none are needed.",
            },
            verdict=STATE,
            gate={
                **nullable(
                    shape(
                        at=words("before-start", "before-step", "before-promotion"),
                        says={**TEXT, "description": "The reason of the last refusal; empty: none."},
                        asked={**COUNT, "description": "The number of refusals."},
                    )
                ),
                "description": "The gate that has to agree; null while something else is missing.",
            },
            pause={**TEXT, "description": "What it is paused for; empty: it is not."},
        ),
        "description": "What it takes before the rollout goes on.",
    },
    "Backend": shape(
        endpoints=listed(TEXT),
        version=TEXT,
        conditions={
            "type": "object",
            "additionalProperties": TEXT,
            "description": "The conditions of endpoints by URL, as far as probes and workers know them.",
        },
        addresses={
            "type": "object",
            "additionalProperties": listed(TEXT),
            "description": "The addresses of endpoints whose hosts are names, by URL.",
        },
        hosts={
            "type": "object",
            "additionalProperties": TEXT,
            "description": "The Host that endpoints get in place of the client's, by URL.",
        },
        optional=("conditions", "addresses", "hosts"),
    ),
    "Side": shape(
        requests=COUNT,
        failures=COUNT,
        gave_up={**COUNT, "description": "Clients that went away when their answer was overdue."},
        error_rate={**nullable(RATIO), "description": "Failures and those that gave up, among all these."},
        p50=nullable(SECONDS),
        p99=nullable(SECONDS),
    ),
    "Trip": shape(
        at=MOMENT,
        check={
            **nullable(TEXT),
            "description": "Null, as the finding: a person took it out, or a worker alone remembered.",
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
                "description": "Canary requests that this takes yet; null: unknown.",
            },
            seconds={**nullable(SECONDS), "description": "At the present rate; null: unknown."},
        ),
        "description": "How far it is shown that the canary is good enough for a larger weight.",
    },
    "Evidence": {
        **shape(
            odds={**nullable(ODDS), "description": "N:1 against the canary; null where no bet is made."},
            bar={**nullable(ODDS), "description": "The odds at which it is failing."},
            cold_for={
                **SECONDS,
                "description": "For how long the canary may yet be slower than it will be; 0: it is warm.",
            },
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
            harmed={
                **COUNT,
                "description": "Clients that got a bad answer of the canary, or gave up waiting for one.",
            },
            gave_up={**COUNT, "description": "Those of the harmed that gave up waiting."},
            rescued={**COUNT, "description": "Requests that the canary failed and stable answered."},
            since={**nullable(MOMENT), "description": "When the release began."},
        ),
        "description": "How many requests met the canary and were harmed; null without a canary.",
    },
    "Outage": {
        **shape(
            since={**MOMENT, "description": "When it was found."},
            sentence={**TEXT, "description": "What is wrong, for people."},
        ),
        "description": "Stable is failing: nearly all of its latest requests, or it has no endpoint alive.",
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
        outage=nullable(ref("Outage")),
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
    "Drift": {
        **shape(
            says=TEXT,
            apply={**nullable(TEXT), "description": "The command that puts the file's value in force."},
            write={**nullable(TEXT), "description": "The lines of the file for what is in force."},
        ),
        "description": "Where the file differs from what is in force.",
    },
    "History": shape(service=TEXT, entries=listed(ref("Entry"))),
    "Entry": {
        **shape(
            optional=(),
            id=COUNT,
            service=TEXT,
            revision=COUNT,
            at=MOMENT,
            event=words(*get_args(EntryKind)),
            actor=TEXT,
            reason=TEXT,
            to=PERCENT,
            phase={**nullable(PHASE), "description": "After it; null: an older version wrote it."},
            step={**nullable(COUNT), "description": "How many steps of its plan were entered."},
            generation={**nullable(COUNT), "description": "The table that the workers were sent with it."},
            acknowledged_ms={
                **nullable(NUMBER),
                "description": "Milliseconds until all workers had it; null while one has not.",
            },
            finding=nullable(ref("Finding")),
            **{"from": nullable(PERCENT)},
        ),
        "description": "One transition, as the ledger holds it.",
    },
    **BODIES,
    "Index": {
        "type": "object",
        "properties": {"orders": {"type": "object", "additionalProperties": TEXT}},
        "additionalProperties": TEXT,
    },
    "OpenAPI": {"type": "object"},
    "FileProblem": shape(file=TEXT, line=COUNT, column=COUNT, detail=TEXT, advice=listed(TEXT)),
    "Problem": shape(
        type=TEXT,
        title=TEXT,
        status={"type": "integer", "minimum": 400, "maximum": 599},
        detail=TEXT,
        errors={
            **listed({"anyOf": [shape(pointer=TEXT, detail=TEXT), ref("FileProblem")]}),
            "description": "With 422: what is wrong, in a body or in the config file.",
        },
        text={**TEXT, "description": "With 422 of a reload: what `weir lint` prints of the file."},
        phase={**PHASE, "description": "With 409: the phase in which the order is not legal."},
        legal={**listed(ORDER), "description": "With 409: the orders that are legal now."},
        optional=("errors", "text", "phase", "legal"),
    ),
}
