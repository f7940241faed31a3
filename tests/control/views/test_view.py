import json
from dataclasses import replace
from typing import Any

import pytest

from proxy.analysis.verdict import Finding, Verdict
from proxy.config.reader import read
from proxy.config.schema import Analysis
from proxy.control.managed_service import ManagedService
from proxy.control.views import view
from proxy.control.views.facts import Blast, Facts, RolloutFacts, StableOutage
from proxy.rollout.plan import Plan, Step
from proxy.rollout.rollout import Rollout, Trip
from proxy.rollout.side import VACANT, Side
from proxy.routing.endpoint import Endpoint
from proxy.settings.service import side, template
from proxy.telemetry.counts import Counts
from proxy.telemetry.histogram import Histogram

FILE = """
services:
  checkout:
    stable: http://127.0.0.1:9001
    canary: {{endpoints: [http://127.0.0.1:9002], version: v2}}
    weight: {weight}
    checks:
      - {{metric: error-rate, max: 5%, window: 10s}}
      - {{metric: error-rate, max: 1%, window: 60s}}
      - {{metric: latency-p99, max: 400ms}}
  plain: {{match: {{path: /plain}}, stable: http://127.0.0.1:9003}}
"""
RUNNING = Rollout(
    revision=5,
    since=3,
    weight=500,
    salt="s",
    stable=Side((Endpoint.parse("http://127.0.0.1:9001"),)),
    canary=Side((Endpoint.parse("http://127.0.0.1:9002"),), "v2"),
)
FINDING = Finding(
    check="error-rate",
    state="failing",
    value=0.5,
    limit=0.1,
    stable=None,
    sample=40,
    needed=20,
    window=30.0,
    unit="ratio",
    sentence="it fails",
)
TRIPPED = replace(
    RUNNING, weight=0, weight_before=500, phase="rolled-back", trip=Trip(0.0, "it fails", FINDING)
)


def managed(rollout: Rollout = RUNNING, weight: str = "5%", name: str = "checkout") -> ManagedService:
    config = read(FILE.format(weight=weight), "weir.yaml", {})
    service = config.services[name]
    return ManagedService(template(name, service, config.timeouts, None), service, rollout)


def judged(managed: ManagedService, verdict: Verdict) -> ManagedService:
    """The service, after its judge came to this verdict."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(managed.assessment.judge, "verdict", lambda now: verdict)
        managed.assessment.assess(0.0)
    return managed


def shown(managed: ManagedService) -> dict[str, Any]:
    return view.view(managed, durable=True, now=0.0)


def test_a_service_that_nobody_asked_yet() -> None:
    made = shown(managed())
    assert list(made) == [
        *("name", "revision", "phase", "weights", "shares", "backends", "halted", "enforce", "durable"),
        *("trip", "verdict", "evidence", "blast_radius", "overdue", "outage", "window", "drift"),
        *("rollout", "orders", "undo", "origin"),
    ]
    assert made["weights"] == {"stable": 95.0, "canary": 5.0}
    assert made["backends"]["canary"] == {
        "endpoints": ["http://127.0.0.1:9002"],
        "version": "v2",
        "conditions": {},
        "addresses": {},
        "hosts": {},
    }
    assert made["window"] == {"seconds": 30, "stable": None, "canary": None}
    assert (made["shares"], made["trip"], made["drift"], made["halted"]) == (None, None, None, [])
    assert made["evidence"] == {"odds": pytest.approx(1.0), "bar": 100.0, "cold_for": 300.0}
    assert made["blast_radius"] == {
        "met": 0, "harmed": 0, "gave_up": 0, "rescued": 0, "exposed_users": None, "since": None,
    }  # fmt: skip
    assert made["overdue"] == {"stable": 0, "canary": 0}
    json.dumps(made, allow_nan=False)


BETTING = Verdict("healthy", (replace(FINDING, odds=7.0),), odds=12.0, bar=100.0)
FACTS = Facts(
    Blast(met=231, harmed=3, gave_up=1, rescued=9, exposed_users=180, since=60.5),
    ((("GET", "/cart/#", 500), 8), (("POST", "/pay", 0), 1)),
    {"canary": 2},
)


def test_how_much_speaks_against_a_canary_and_how_far_its_harm_went() -> None:
    made = view.view(judged(managed(), BETTING), True, 0.0, FACTS)
    assert made["evidence"] == {"odds": 12.0, "bar": 100.0, "cold_for": 0.0}
    assert made["blast_radius"] == {
        "met": 231, "harmed": 3, "gave_up": 1, "rescued": 9, "exposed_users": 180,
        "since": "1970-01-01T00:01:00.500+00:00",
    }  # fmt: skip
    assert made["overdue"] == {"stable": 0, "canary": 2}


def test_an_explanation_has_the_paragraph_and_what_it_is_made_from() -> None:
    tripped = managed(TRIPPED)
    judged(tripped, BETTING)
    facts = replace(FACTS, rollback_ms=3.5)
    made = view.explanation(tripped, facts)
    assert list(made) == [
        *(
            "service",
            "text",
            "next",
            "phase",
            "trip",
            "verdict",
            "evidence",
            "blast_radius",
            "overdue",
            "outage",
            "failed",
        ),
    ]
    assert made["text"].startswith(
        "The canary of checkout (v2) was taken out on 1970-01-01 00:00:00Z, from 5 % to"
    )
    assert "after 4 ms" in made["text"]
    assert made["text"].endswith(" ".join(made["next"]))
    assert made["failed"] == [
        {"method": "GET", "path": "/cart/#", "status": 500, "count": 8},
        {"method": "POST", "path": "/pay", "status": 499, "count": 1},
    ]
    whole = view.view(tripped, True, 0.0, facts)
    shared = ("phase", "trip", "verdict", "evidence", "blast_radius", "overdue")
    assert {key: made[key] for key in shared} == {key: whole[key] for key in shared}
    json.dumps(made, allow_nan=False)


def test_an_explanation_of_a_service_without_canary() -> None:
    made = view.explanation(managed(Rollout(revision=1), name="plain"))
    assert made["text"] == "plain has no canary, so there is nothing to judge."
    assert (made["blast_radius"], made["overdue"]) == (None, {"stable": 0})


def test_what_watches_only_is_said() -> None:
    watched = managed()
    watched.configure(
        watched.file.model_copy(update={"analysis": Analysis(enforce="false")}), watched.template
    )
    judged(watched, replace(BETTING, state="failing"))
    assert shown(watched)["enforce"] is False
    assert "`enforce: false` only watches" in view.explanation(watched)["text"]


PINNING = """
services:
  checkout:
    stable: http://127.0.0.1:9001
    canary: http://127.0.0.1:9002
    force: {header: X-Canary}
    segments:
      - {name: staff, to: canary, match: {header: {X-Staff: "yes"}}}
      - {name: bots, to: stable, match: {header: {X-Bot: "yes"}}}
"""


def test_who_is_pinned_to_the_canary_is_named() -> None:
    config = read(PINNING, "weir.yaml", {})
    service = config.services["checkout"]
    pinned = ManagedService(template("checkout", service, config.timeouts, None), service, RUNNING)
    assert (
        "and all that segment `staff` or header `X-Canary: always` sends to it."
        in (view.explanation(pinned)["text"])
    )


def test_an_explanation_names_what_is_dead_and_what_a_restart_would_forget() -> None:
    facts = Facts(
        conditions={"http://127.0.0.1:9002": "dead: connection refused", "http://127.0.0.1:9001": "dead"}
    )
    said = " Its endpoint http://127.0.0.1:9002 is dead: connection refused."
    not_durable = (
        " This is in force but not durable yet: the ledger doesn't have it, and control keeps trying."
    )
    stays = " It stays out until"
    assert said + not_durable + stays in view.explanation(managed(TRIPPED), facts, durable=False)["text"]
    fine = view.explanation(managed(TRIPPED), Facts(conditions={"http://127.0.0.1:9002": "alive"}))["text"]
    assert "endpoint" not in fine
    assert "durable" not in fine


def test_a_resume_is_told() -> None:
    resumed = managed()
    facts = Facts(Blast(met=1))
    assert "since it was resumed" not in view.explanation(resumed, facts)["text"]
    resumed.enter(replace(RUNNING, revision=9, since=9))
    assert "since it was resumed" in view.explanation(resumed, facts)["text"]


def test_a_service_without_canary() -> None:
    made = shown(managed(Rollout(revision=1), name="plain"))
    assert made["weights"] == {"stable": 100.0}
    assert list(made["backends"]) == ["stable"]
    assert (made["blast_radius"], made["overdue"]) == (None, {"stable": 0})
    assert made["drift"] is None


def test_an_outage_of_stable() -> None:
    outage = StableOutage(60.5, "5 of its 5 latest requests failed (connect 5x)")
    assert shown(managed())["outage"] is None
    made = view.view(managed(), True, 0.0, Facts(outage=outage))
    assert made["outage"] == {
        "since": "1970-01-01T00:01:00.500+00:00",
        "sentence": "5 of its 5 latest requests failed (connect 5x)",
    }
    assert view.explanation(managed(), Facts(outage=outage))["outage"] == made["outage"]


def test_what_was_seen() -> None:
    busy = managed()
    head = Histogram()
    head.add(0.1)
    busy.assessment.count([(5, "stable", Counts(drawn={"success": 3}, head=head))], 0.0)
    busy.assessment.count([(5, "canary", Counts(drawn={"failure": 1}))], 0.0)
    made = shown(busy)
    assert made["shares"] == {"stable": 75.0, "canary": 25.0}
    assert made["window"]["stable"]["p50"] == pytest.approx(0.1, rel=0.09)
    assert made["window"]["canary"] == {
        "requests": 1,
        "failures": 1,
        "gave_up": 0,
        "error_rate": 1.0,
        "p50": None,
        "p99": None,
    }


def test_clients_that_gave_up_waiting_are_among_the_errors() -> None:
    busy = managed()
    hung = Counts(drawn={"success": 3, "excluded": 1}, abandoned=1)
    busy.assessment.count([(5, "canary", hung)], 0.0)
    side = shown(busy)["window"]["canary"]
    assert (side["failures"], side["gave_up"], side["error_rate"]) == (0, 1, 0.25)


def test_a_window_of_excluded_requests_has_no_error_rate() -> None:
    busy = managed()
    busy.assessment.count([(5, "canary", Counts(drawn={"excluded": 2}))], 0.0)
    assert shown(busy)["window"]["canary"]["error_rate"] is None


def test_a_trip() -> None:
    tripped = managed(TRIPPED)
    assert shown(tripped)["trip"] == {
        "at": "1970-01-01T00:00:00.000+00:00",
        "check": "error-rate",
        "sentence": "it fails",
        "finding": FINDING.to_json(),
        "weight_before": 5.0,
        "acknowledged_ms": None,
    }
    known = view.view(tripped, True, 0.0, Facts(rollback_ms=3.5))
    assert known["trip"]["acknowledged_ms"] == 3.5


def test_a_trip_whose_finding_was_lost() -> None:
    made = shown(managed(replace(TRIPPED, trip=Trip(0.0, "a worker holds it", None))))
    assert (made["trip"]["check"], made["trip"]["finding"]) == (None, None)


@pytest.mark.parametrize(
    ("weight", "command"), [("5%", None), ("7.25%", "weir set-weight checkout canary=7.25")]
)
def test_drift(weight: str, command: str | None) -> None:
    found = shown(managed(RUNNING, weight))["drift"]
    assert (found["apply"] if found else None) == command


def test_metrics_of_a_service() -> None:
    busy = managed()
    assert view.weights(busy) == {("checkout", "stable"): 0.95, ("checkout", "canary"): 0.05}
    assert view.shares(busy, 0.0) == {}
    assert [sample.check for sample in view.samples(busy)] == [
        *("errors", "p50", "p90", "p99", "error-rate-10s", "error-rate-60s", "latency-p99"),
    ]
    assert {(sample.value, sample.samples) for sample in view.samples(busy)} == {(None, 0)}
    assert view.samples(busy)[-1].threshold == 0.4
    assert view.odds(busy) == {"checkout": pytest.approx(1.0)}
    assert view.exposed(busy) == {}
    assert view.halted(busy) == {("checkout", "stable"): False, ("checkout", "canary"): False}


def test_metrics_of_bets_and_of_a_canary_that_is_out() -> None:
    tripped = managed(TRIPPED)
    judged(tripped, BETTING)
    assert view.odds(tripped) == {"checkout": 12.0}
    assert [sample.odds for sample in view.samples(tripped)] == [7.0]
    assert view.halted(tripped) == {("checkout", "stable"): False, ("checkout", "canary"): True}


def test_a_rollout_under_way_is_shown_and_explained() -> None:
    plan = Plan((Step(500, 60.0, 10), Step(10_000, 0.0, 0)))
    under_way = managed(replace(RUNNING, phase="progressing", plan=plan, step=1, entered=0.0))
    facts = Facts(rollout=RolloutFacts(at=20.0, rate=100.0, answers=4))
    made = view.view(under_way, True, 0.0, facts)
    assert (made["rollout"]["step"], made["rollout"]["rate"]) == (1, 100.0)
    assert made["rollout"]["waiting"]["sample"] == {"have": 4, "need": 10}
    assert made["orders"][:2] == ["start", "promote"]
    assert "in step 1 of 2 (4 of 10 answers" in view.explanation(under_way, facts)["text"]


def test_a_promotion_is_explained() -> None:
    promoted = replace(RUNNING, phase="promoted", weight=0, canary=VACANT)
    side = Side((Endpoint.parse("http://127.0.0.1:9002"),), "v2")
    text = view.explanation(managed(replace(promoted, stable=side)))["text"]
    assert text.startswith("The canary of checkout (v2) was promoted and is stable now. Stable is")
    assert text.endswith("but none is in force: `weir get` prints the lines for the file.")


def test_a_plan_in_the_file_that_nobody_began_is_explained() -> None:
    text = "services: {shop: {stable: http://a, canary: http://b, rollout: {steps: [100%]}}}"
    config = read(text, "weir.yaml", {})
    service = config.services["shop"]
    rollout = replace(RUNNING, weight=0, stable=side(service.stable), canary=side(service.canary))
    waits = ManagedService(template("shop", service, config.timeouts, None), service, rollout)
    assert view.explanation(waits)["next"] == ["To begin its rollout by the file's plan: weir start shop"]


def test_two_backends_behind_one_url_are_told_apart_by_their_hosts() -> None:
    text = "services: {checkout: {stable: {endpoints: http://10.0.0.7, host: a.example}, "
    text += "canary: {endpoints: http://10.0.0.7, host: b.example}}}"
    config = read(text, "weir.yaml", {})
    file = config.services["checkout"]
    common = template("checkout", file, config.timeouts, None)
    rollout = Rollout(revision=1, stable=side(file.stable), canary=side(file.canary))
    conditions = {
        "http://10.0.0.7 (Host a.example)": "alive",
        "http://10.0.0.7 (Host b.example)": "dead: answered 404",
    }
    made = view.view(
        ManagedService(common, file, rollout), True, 0.0, replace(Facts(), conditions=conditions)
    )
    assert {name: (one["hosts"], one["conditions"]) for name, one in made["backends"].items()} == {
        "stable": ({"http://10.0.0.7": "a.example"}, {"http://10.0.0.7": "alive"}),
        "canary": ({"http://10.0.0.7": "b.example"}, {"http://10.0.0.7": "dead: answered 404"}),
    }
