import json
from dataclasses import replace

import pytest

from proxy.analysis.verdict import Finding
from proxy.config.reading import read
from proxy.control import view
from proxy.control.release import template
from proxy.control.standing import Rollback, Standing
from proxy.rollout.rollout import Rollout, Trip
from proxy.telemetry.histogram import Histogram
from proxy.telemetry.tally import Counts

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
RUNNING = Rollout(revision=5, since=3, weight=500, salt="s", definition="v1")
FINDING = Finding("error-rate", "failing", 0.5, 0.1, None, 40, 20, 30.0, "ratio", "it fails")
TRIPPED = replace(
    RUNNING, weight=0, weight_before=500, phase="rolled-back", trip=Trip(0.0, "it fails", FINDING)
)


def standing(rollout=RUNNING, weight="5%", name="checkout"):
    config = read(FILE.format(weight=weight), "weir.yaml", {})
    service = config.services[name]
    return Standing(template(name, service, config.timeouts, None), service, rollout)


def shown(standing):
    return view.view(standing, durable=True, now=0.0)


def test_a_service_that_nobody_asked_yet():
    made = shown(standing())
    assert list(made) == [
        *("name", "revision", "phase", "weights", "shares", "backends", "halted", "enforce", "durable"),
        *("trip", "verdict", "window", "drift"),
    ]
    assert made["weights"] == {"stable": 95.0, "canary": 5.0}
    assert made["backends"]["canary"] == {"endpoints": ["http://127.0.0.1:9002"], "version": "v2"}
    assert made["window"] == {"seconds": 30, "stable": None, "canary": None}
    assert (made["shares"], made["trip"], made["drift"], made["halted"]) == (None, None, None, [])
    json.dumps(made, allow_nan=False)


def test_a_service_without_canary():
    made = shown(standing(Rollout(revision=1), name="plain"))
    assert made["weights"] == {"stable": 100.0}
    assert list(made["backends"]) == ["stable"]
    assert made["drift"] is None


def test_what_was_seen():
    busy = standing()
    head = Histogram()
    head.add(0.1)
    busy.count(5, "stable", Counts(drawn={"success": 3}, head=head), 0.0)
    busy.count(5, "canary", Counts(drawn={"failure": 1}), 0.0)
    made = shown(busy)
    assert made["shares"] == {"stable": 75.0, "canary": 25.0}
    assert made["window"]["stable"]["p50"] == pytest.approx(0.1, rel=0.09)
    assert made["window"]["canary"] == {
        "requests": 1,
        "failures": 1,
        "error_rate": 1.0,
        "p50": None,
        "p99": None,
    }


def test_a_window_of_excluded_requests_has_no_error_rate():
    busy = standing()
    busy.count(5, "canary", Counts(drawn={"excluded": 2}), 0.0)
    assert shown(busy)["window"]["canary"]["error_rate"] is None


def test_a_trip():
    tripped = standing(TRIPPED)
    assert shown(tripped)["trip"] == {
        "at": "1970-01-01T00:00:00.000+00:00",
        "check": "error-rate",
        "sentence": "it fails",
        "finding": FINDING.to_json(),
        "weight_before": 5.0,
        "acknowledged_ms": None,
    }
    tripped.rollback = Rollback(7, 0.0, acknowledged_ms=3.5)
    assert shown(tripped)["trip"]["acknowledged_ms"] == 3.5


def test_a_trip_whose_finding_was_lost():
    made = shown(standing(replace(TRIPPED, trip=Trip(0.0, "a worker holds it", None))))
    assert (made["trip"]["check"], made["trip"]["finding"]) == (None, None)


@pytest.mark.parametrize(
    ("rollout", "weight", "drift"),
    [
        (RUNNING, "5%", None),
        (RUNNING, "7.25%", {"file": 7.25, "in_force": 5.0, "apply": "weir set-weight checkout canary=7.25"}),
        (RUNNING, "0%", {"file": 0.0, "in_force": 5.0, "apply": "weir set-weight checkout canary=0"}),
        (TRIPPED, "7%", None),
    ],
)
def test_drift(rollout, weight, drift):
    assert shown(standing(rollout, weight))["drift"] == drift


def test_metrics_of_a_service():
    busy = standing()
    assert view.weights(busy) == {("checkout", "stable"): 0.95, ("checkout", "canary"): 0.05}
    assert view.shares(busy, 0.0) == {}
    assert [sample.check for sample in view.samples(busy)] == [
        *("error-rate-10s", "error-rate-60s", "latency-p99"),
    ]
    assert {(sample.value, sample.samples) for sample in view.samples(busy)} == {(None, 0)}
    assert view.samples(busy)[2].threshold == 0.4
