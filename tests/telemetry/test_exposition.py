"""The exposition: rendered by prometheus-client as control does, read back by its parser."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from proxy.routing.failures import Failures
from proxy.telemetry.control_metrics import Operations
from proxy.telemetry.counts import Counts
from proxy.telemetry.exposition import CheckSample, Snapshot, families
from proxy.telemetry.outcome import Outcome, classify

CANARY, STABLE = ("shop", "canary"), ("shop", "stable")
NOTHING = Snapshot(totals={}, weights={}, shares={}, checks=(), trips={}, refused={}, version="0.1.0")


def counted(*outcomes: tuple[Any, ...], **numbers: int) -> Counts:
    counts = Counts()
    for method, status, ending, head, total in outcomes:
        result = classify(ending, status, Failures())
        counts.record(Outcome(("shop", 1, "canary"), method, status, ending, result, True, head, total))
    for name, number in numbers.items():
        setattr(counts, name, number)
    return counts


SNAPSHOT = Snapshot(
    totals={
        CANARY: counted(
            ("GET", 200, "complete", 0.25, 0.3),
            ("GET", 200, "complete", 0.26, 100.0),
            ("_OTHER", 502, "connect", None, 0.0001),
            ("GET", 503, "refused", None, 0.0001),
            ("GET", 0, "client-left", 0.1, 200.0),
            ("GET", 499, "complete", 0.3, 0.3),
            in_flight=3,
            overdue=2,
            diverted=5,
            pins_diverted=2,
            ejections=4,
            rescued=9,
            harmed=3,
            abandoned=13,
            cut=1,
        ),
        STABLE: Counts(),
    },
    weights={CANARY: 0.05, STABLE: 0.95},
    shares={CANARY: 0.0486},
    checks=(
        CheckSample("shop", "error-rate", 0.273, 0.1, 55),
        CheckSample("shop", "latency-p99", None, None, 0),
        CheckSample("shop", "errors", 0.2, None, 55, odds=118.5),
    ),
    trips={("shop", "error-rate"): 2},
    refused={"host": 3},
    version="0.1.0",
    would_trips={("shop", "error-rate"): 1, ("shop", "errors"): 0},
    evidence={"shop": 59.25},
    cold={"shop": 42.5},
    exposed={"shop": 180},
    halted={CANARY: True, STABLE: False},
    operations=Operations(
        hooks={("shop", "after", "open"): 1},
        notices={("shop", "sent"): 1},
        endpoints={("shop", "stable", "http://one:1"): True, ("shop", "canary", "http://two:2"): False},
    ),
)


class Collector:
    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def collect(self) -> Iterator[Any]:
        return families(self.snapshot)


def rendered(snapshot: Snapshot) -> str:
    registry = CollectorRegistry()
    registry.register(Collector(snapshot))
    return generate_latest(registry).decode()


def samples(snapshot: Snapshot, name: str) -> dict[tuple[str, ...], float]:
    """By label values, in the order of the labels' names; for buckets by their `le`, of the canary."""
    found = {}
    for family in text_string_to_metric_families(rendered(snapshot)):
        for sample in family.samples:
            if sample.name == name:
                labels = tuple(value for _, value in sorted(sample.labels.items()))
                assert labels not in found, "a series told twice"
                found[labels] = sample.value
    return found


def buckets(name: str) -> dict[str, float]:
    return {le: value for (backend, le, _), value in samples(SNAPSHOT, name).items() if backend == "canary"}


def test_families_have_the_names_types_and_labels_that_dashboards_rely_on() -> None:
    shape = {}
    for family in text_string_to_metric_families(rendered(SNAPSHOT)):
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        shape[family.name] = (family.type, labels)
    sides, checks = {"service", "backend"}, {"service", "check"}
    assert shape == {
        "weir_requests": ("counter", sides | {"method", "code"}),
        "weir_attempts": ("counter", sides | {"result"}),
        "weir_cut_answers": ("counter", sides),
        "weir_request_duration_seconds": ("histogram", sides),
        "weir_upstream_duration_seconds": ("histogram", sides),
        "weir_upstream_errors": ("counter", sides | {"kind"}),
        "weir_requests_in_flight": ("gauge", sides),
        "weir_tunnels_open": ("gauge", sides),
        "weir_overdue_requests": ("gauge", sides),
        "weir_diverted": ("counter", sides),
        "weir_ejections": ("counter", sides),
        "weir_rescued": ("counter", {"service"}),
        "weir_harmed": ("counter", {"service"}),
        "weir_refused": ("counter", {"reason"}),
        "weir_backend_weight_ratio": ("gauge", sides),
        "weir_backend_share_ratio": ("gauge", sides),
        "weir_check_value": ("gauge", checks),
        "weir_check_threshold": ("gauge", checks),
        "weir_check_samples": ("gauge", checks),
        "weir_check_odds": ("gauge", checks),
        "weir_evidence": ("gauge", {"service"}),
        "weir_canary_cold_seconds": ("gauge", {"service"}),
        "weir_exposed_users": ("gauge", {"service"}),
        "weir_halted": ("gauge", sides),
        "weir_endpoint_up": ("gauge", sides | {"endpoint"}),
        "weir_trips": ("counter", checks | {"enforced"}),
        "weir_hooks": ("counter", {"service", "at", "result"}),
        "weir_notices": ("counter", {"service", "result"}),
        "weir_config_last_reload_successful": ("gauge", set()),
        "weir_config_last_reload_timestamp_seconds": ("gauge", set()),
        "weir_build_info": ("gauge", {"version"}),
    }


def test_requests_are_counted_by_method_and_code_and_499_is_no_status() -> None:
    assert samples(SNAPSHOT, "weir_requests_total") == {
        ("canary", "200", "GET", "shop"): 2,
        ("canary", "502", "_OTHER", "shop"): 1,
        ("canary", "503", "GET", "shop"): 1,
        ("canary", "499", "GET", "shop"): 2,
    }


def test_errors_are_counted_by_kind() -> None:
    found = samples(SNAPSHOT, "weir_upstream_errors_total")
    assert {labels: count for labels, count in found.items() if count} == {
        ("canary", "connect", "shop"): 1,
        ("canary", "no-endpoint", "shop"): 1,
    }


def test_attempts_are_counted_by_result() -> None:
    assert samples(SNAPSHOT, "weir_attempts_total") == {
        ("canary", "success", "shop"): 3,
        ("canary", "failure", "shop"): 2,
        ("canary", "excluded", "shop"): 1,
        ("stable", "success", "shop"): 0,
        ("stable", "failure", "shop"): 0,
        ("stable", "excluded", "shop"): 0,
    }


def test_a_request_that_was_rescued_is_one_request_and_two_attempts() -> None:
    canary, stable = Counts(), Counts()
    failed = Outcome(("shop", 1, "canary"), "GET", 503, "complete", "failure", True, 0.1, 0.1)
    failed.passed_on = True
    canary.record(failed)
    stable.record(Outcome(("shop", 1, "stable"), "GET", 200, "complete", "success", False, 0.1, 0.2))
    shown = replace(NOTHING, totals={CANARY: canary, STABLE: stable})
    assert samples(shown, "weir_requests_total") == {("stable", "200", "GET", "shop"): 1}
    durations = samples(shown, "weir_request_duration_seconds_count")
    assert durations == {("stable", "shop"): 1}, "one for each request"
    attempts = samples(shown, "weir_attempts_total")
    assert (attempts["canary", "failure", "shop"], attempts["stable", "success", "shop"]) == (1, 1)


def test_what_has_a_closed_set_of_labels_is_counted_from_zero() -> None:
    shown = replace(NOTHING, totals={CANARY: Counts(), STABLE: Counts()})
    counters = {
        family.name: {sample.value for sample in family.samples}
        for family in text_string_to_metric_families(rendered(shown))
        if family.type == "counter" and family.samples
    }
    assert counters == {
        f"weir_{name}": {0.0}
        for name in (
            "attempts",
            "upstream_errors",
            "cut_answers",
            "diverted",
            "ejections",
            "rescued",
            "harmed",
        )
    }
    kinds = {kind for _, kind, _ in samples(shown, "weir_upstream_errors_total")}
    assert kinds == {"connect", "tls", "timeout", "reset", "garbage", "truncated", "no-endpoint"}


def test_durations_begin_with_the_first_request() -> None:
    shown = replace(NOTHING, totals={CANARY: Counts()})
    assert samples(shown, "weir_request_duration_seconds_count") == {}


def test_buckets_are_powers_of_two_seconds() -> None:
    shown = [float(le) for le in buckets("weir_request_duration_seconds_bucket")]
    assert shown == [2.0**power for power in range(-12, 8)] + [float("inf")]


def test_buckets_count_all_within_their_bound() -> None:
    total = buckets("weir_request_duration_seconds_bucket")
    assert (total["0.000244140625"], total["0.25"], total["0.5"]) == (2, 2, 4)
    assert (total["64.0"], total["128.0"], total["+Inf"]) == (4, 5, 6)
    head = buckets("weir_upstream_duration_seconds_bucket")
    assert (head["0.125"], head["0.25"], head["0.5"], head["+Inf"]) == (0, 1, 3, 3)


@pytest.mark.parametrize(
    ("name", "count", "total"),
    [("weir_request_duration_seconds", 6, 300.6002), ("weir_upstream_duration_seconds", 3, 0.81)],
)
def test_durations_have_a_count_and_a_sum(name: str, count: int, total: float) -> None:
    assert samples(SNAPSHOT, f"{name}_count")["canary", "shop"] == count
    assert samples(SNAPSHOT, f"{name}_sum")["canary", "shop"] == pytest.approx(total, abs=1e-6)


def test_the_request_durations_are_as_many_as_the_requests() -> None:
    requests = sum(samples(SNAPSHOT, "weir_requests_total").values())
    assert sum(samples(SNAPSHOT, "weir_request_duration_seconds_count").values()) == requests


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("weir_requests_in_flight", {("canary", "shop"): 3, ("stable", "shop"): 0}),
        ("weir_tunnels_open", {("canary", "shop"): 0, ("stable", "shop"): 0}),
        ("weir_refused_total", {("host",): 3}),
        ("weir_backend_weight_ratio", {("canary", "shop"): 0.05, ("stable", "shop"): 0.95}),
        ("weir_backend_share_ratio", {("canary", "shop"): 0.0486}),
        ("weir_check_value", {("error-rate", "shop"): 0.273, ("errors", "shop"): 0.2}),
        ("weir_check_threshold", {("error-rate", "shop"): 0.1}),
        (
            "weir_check_samples",
            {("error-rate", "shop"): 55, ("latency-p99", "shop"): 0, ("errors", "shop"): 55},
        ),
        ("weir_overdue_requests", {("canary", "shop"): 2, ("stable", "shop"): 0}),
        ("weir_diverted_total", {("canary", "shop"): 7, ("stable", "shop"): 0}),
        ("weir_ejections_total", {("canary", "shop"): 4, ("stable", "shop"): 0}),
        ("weir_rescued_total", {("shop",): 9}),
        ("weir_harmed_total", {("shop",): 16}),
        ("weir_cut_answers_total", {("canary", "shop"): 1, ("stable", "shop"): 0}),
        ("weir_check_odds", {("errors", "shop"): 118.5}),
        ("weir_evidence", {("shop",): 59.25}),
        ("weir_canary_cold_seconds", {("shop",): 42.5}),
        ("weir_exposed_users", {("shop",): 180}),
        ("weir_halted", {("canary", "shop"): 1, ("stable", "shop"): 0}),
        (
            "weir_endpoint_up",
            {("stable", "http://one:1", "shop"): 1, ("canary", "http://two:2", "shop"): 0},
        ),
        (
            "weir_trips_total",
            {
                ("error-rate", "true", "shop"): 2,
                ("error-rate", "false", "shop"): 1,
                ("errors", "false", "shop"): 0,
            },
        ),
        ("weir_build_info", {("0.1.0",): 1}),
    ],
)
def test_what_is_known_is_shown_and_what_is_not_is_not_shown_as_zero(
    name: str, expected: dict[tuple[str, ...], float]
) -> None:
    assert samples(SNAPSHOT, name) == expected


def test_nothing_to_show_still_says_what_runs() -> None:
    assert samples(NOTHING, "weir_build_info") == {("0.1.0",): 1}
    assert "weir_requests_total{" not in rendered(NOTHING)


def test_a_name_with_quotes_and_newlines_stays_one_label() -> None:
    odd = 'a"b\\c\nd'
    snapshot = Snapshot({}, {(odd, "canary"): 0.5}, {}, (), {}, "0.1.0", {})
    assert samples(snapshot, "weir_backend_weight_ratio") == {("canary", odd): 0.5}
