"""Metrics of what control does beside judging: hooks, notices, endpoints, and the file in force."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric


@dataclass(frozen=True, slots=True)
class Operations:
    """All that is shown, at one moment. What is missing from a mapping isn't shown, not shown as 0."""

    hooks: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """Questions by service, place and result: open, closed, failed."""
    notices: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Notices by service and result: sent, failed, dropped."""
    endpoints: Mapping[tuple[str, str, str], bool] = field(default_factory=dict)
    """Whether an endpoint is alive, by service, backend and URL."""
    reloaded: bool = True
    """Whether the last attempt to put another file in force did so; True before the first."""
    reloaded_at: float = 0.0
    """When the file in force was read, in unix seconds."""


def families(operations: Operations) -> Iterator[Metric]:
    """Yield all metric families of these."""
    hooks = CounterMetricFamily(
        "weir_hooks_total",
        "Hooks that were asked: open (2xx), closed (another answer), failed (no answer).",
        labels=["service", "at", "result"],
    )
    for labels, count in operations.hooks.items():
        hooks.add_metric(labels, count)
    notices = CounterMetricFamily(
        "weir_notices_total",
        "Notices to receivers: sent, failed, or dropped from a full queue or at the end.",
        labels=["service", "result"],
    )
    for which, count in operations.notices.items():
        notices.add_metric(which, count)
    endpoints = GaugeMetricFamily(
        "weir_endpoint_up",
        "1 while an endpoint is alive, as far as is known; 0 while it is dead or ejected by a worker.",
        labels=["service", "backend", "endpoint"],
    )
    for labels, up in operations.endpoints.items():
        endpoints.add_metric(labels, up)
    yield from (hooks, notices, endpoints)
    yield GaugeMetricFamily(
        "weir_config_last_reload_successful",
        "1 when the last reload put another file in force, or before the first; else 0.",
        value=operations.reloaded,
    )
    yield GaugeMetricFamily(
        "weir_config_last_reload_timestamp_seconds",
        "When the file in force was read.",
        value=operations.reloaded_at,
    )
