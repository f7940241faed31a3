"""The page of the metrics: each with type, labels and meaning."""

from collections.abc import Mapping

from prometheus_client.core import Metric

from docs.generator.markdown import Undescribed, code, described, sentence, table
from proxy.telemetry.exposition import Snapshot, families

INTRODUCTION = """\
# Metrics

`GET /metrics` on the admin address answers in the text format of Prometheus. With `admin.token` it asks for
the token, unless `admin.open_metrics` is `true`. The figures are those of all workers together. The number
of series is bounded by the services of the file: no label holds a path, a client or anything else that
strangers choose.
"""

LABELS: Mapping[str, str] = {
    "service": "The name of the service in the config file.",
    "backend": "`stable` or `canary`.",
    "method": "The method of the request; one that is not in RFC 9110 or RFC 5789 shows as `_OTHER`.",
    "code": "The status that the client got; `499`: the client left before there was one.",
    "kind": "What went wrong: `connect`, `tls`, `timeout`, `reset`, `garbage`, `truncated` (see [how a "
    "request "
    "ends](access-log.md#ending)), or `no-endpoint`: no endpoint was alive.",
    "reason": "Why it was refused: see [refusal reasons](refusals.md).",
    "check": "What is checked: `errors`, `p50`, `p90`, `p99`, `error-limit`, `guard`, a cap such as "
    "`harmed`, or a plain "
    "check such as `error-rate` over its window.",
    "enforced": "`true`: the canary was taken out. `false`: it would have been, but for `enforce: false`.",
    "at": "When the hook is asked: `before-start`, `before-step`, `before-promotion`, `after`, "
    "`on-rollback`.",
    "result": "What became of it; of an attempt: `success`, `failure`, or `excluded`, which is no evidence "
    "about the backend.",
    "endpoint": "The URL of the endpoint.",
    "version": "The version of splitweir.",
}
"""What each label holds."""

QUERIES = """\
## Queries

```promql
# success rate of a service for its clients: neither a 5xx nor an answer that broke off
1 - (
  sum by (service) (rate(weir_requests_total{code=~"5.."}[5m]))
  + sum by (service) (rate(weir_cut_answers_total[5m]))
) / sum by (service) (rate(weir_requests_total[5m]))

# latency that clients see: the share of requests that were over within 250 ms, and the 99th percentile
sum by (service) (rate(weir_request_duration_seconds_bucket{le="0.25"}[5m]))
  / sum by (service) (rate(weir_request_duration_seconds_count[5m]))
histogram_quantile(0.99, sum by (service, le) (rate(weir_request_duration_seconds_bucket[5m])))

# a backend's own failures, rescued ones included, and its own latency
sum by (service, backend) (rate(weir_attempts_total{result="failure"}[5m]))
  / sum by (service, backend) (rate(weir_attempts_total[5m]))
histogram_quantile(0.99, sum by (service, backend, le) (rate(weir_upstream_duration_seconds_bucket[5m])))

# a backend failed for the first time; clients were harmed by a canary; an endpoint is down
increase(weir_attempts_total{result="failure"}[5m]) > 0
increase(weir_harmed_total[5m]) > 0
weir_endpoint_up == 0

# a canary was taken out
sum by (service, check) (increase(weir_trips_total{enforced="true"}[10m])) > 0

# the file on disk is not the one in force
weir_config_last_reload_successful == 0
```

What clients got and what backends did are counted apart. `weir_requests_total` and
`weir_request_duration_seconds` have each request once, under the backend that was asked last, with the
status that the client got: a request that the canary failed and stable answered is one 200 of stable.
`weir_attempts_total` and `weir_upstream_duration_seconds` have each attempt: there it is a failure of the
canary and a success of stable. [How requests end](endings.md) has all cases. `code="499"` is a client that
left before it had a status; whether it waited too long is in `weir_harmed_total`.

Counters are there as 0 from the start and from a reload on, for both backends of each service of the file,
so that `increase()` sees the first event. Not so what has the labels `method` and `code`, and durations:
they begin with the first request. The series of a service that leaves the file end; when it returns they
go on from where they were.
"""


def page() -> str:
    """Return the page."""
    found = sorted(families(Snapshot({}, {}, {}, (), {}, "", {})), key=name)
    labels = sorted({label for family in found for label in labels_of(family)})
    rows = [(code(name(each)), each.type, labelled(each), meaning(each)) for each in found]
    return "\n\n".join(
        (
            INTRODUCTION,
            table(("Metric", "Type", "Labels", "Meaning"), rows),
            "Histograms have the label `le` beside these: bounds in seconds, each twice the one before.",
            "## Labels",
            table(("Label", "Holds"), [(code(each), described(LABELS, each, "label")) for each in labels]),
            QUERIES,
        )
    )


def name(family: Metric) -> str:
    """Return the name as Prometheus stores it."""
    return f"{family.name}_total" if family.type == "counter" else family.name


def meaning(family: Metric) -> str:
    """Return its help text. Raises `Undescribed`."""
    if not family.documentation:
        raise Undescribed(f"metric {name(family)!r} has no help text: write one beside its declaration")
    return sentence(family.documentation)


def labels_of(family: Metric) -> tuple[str, ...]:
    """Return its labels. An empty family has no sample with them, and its class no public name for them."""
    return tuple(getattr(family, "_labelnames", ()))


def labelled(family: Metric) -> str:
    """Return its labels as a list."""
    return ", ".join(code(label) for label in labels_of(family))
