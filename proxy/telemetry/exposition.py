"""The metrics for Prometheus: one snapshot of the merged counts as metric families.

No label has paths or clients, and methods come from a known set, so that the number of series is
bounded by the services. `code` is the status sent to the client; where none was sent it is 499, see
`proxy.telemetry.outcome.CLIENT_CLOSED`. Durations are shown in buckets a power of two wide, every eighth of
those that are counted.

A counter is there as 0 before its first event, or `increase()` would never see that one: for both backends
of each service, and each value of a label that is known beforehand. Methods and codes aren't, and durations
would be 46 lines a backend, so these begin with the first request.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from proxy.routing.split import STABLE
from proxy.telemetry import control_metrics
from proxy.telemetry.control_metrics import Operations
from proxy.telemetry.counts import Counts
from proxy.telemetry.histogram import BOUNDS, LOWEST, PER_OCTAVE, Histogram
from proxy.telemetry.outcome import FAULTS, REFUSED, RESULTS, BackendKey, Ending, shown_status

NO_ENDPOINT_ALIVE = "no-endpoint"
"""The kind of error of a refusal that counts as a failure; its ending's own word would read as a refused
connection."""

_SHORTEST_SHOWN = -12
"""Power of two seconds: 244 us. No alert needs anything below it."""

_SHOWN = tuple(range((_SHORTEST_SHOWN - LOWEST) * PER_OCTAVE, len(BOUNDS), PER_OCTAVE))
_LE = tuple(repr(BOUNDS[bucket]) for bucket in _SHOWN)


@dataclass(frozen=True, slots=True)
class CheckSample:
    """How one check stands."""

    service: str
    check: str
    value: float | None
    """Ratio or seconds; None without data."""
    threshold: float | None
    """The limit in force; None when there is none."""
    samples: int
    """Answers that the value rests on."""
    odds: float | None = None
    """The evidence against the canary, as N:1; None for a check that makes no bets."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is shown, at one moment. What is missing from a mapping isn't shown, not shown as 0."""

    totals: Mapping[BackendKey, Counts]
    """Since the beginning, merged over workers and revisions; the gauges are now's. Empty: nothing yet."""
    weights: Mapping[BackendKey, float]
    """Set weights, 0..1."""
    shares: Mapping[BackendKey, float]
    """Shares of recent requests, 0..1; missing where there were none."""
    checks: Sequence[CheckSample]
    trips: Mapping[tuple[str, str], int]
    """By service and check."""
    version: str
    refused: Mapping[str, int]
    """Requests, connections and handshakes that were turned away, by reason."""
    would_trips: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """As `trips`, where `enforce: false` kept the canary in."""
    evidence: Mapping[str, float] = field(default_factory=dict)
    """Of all bets against a service's canary, as N:1; missing where none is made."""
    cold: Mapping[str, float] = field(default_factory=dict)
    """Seconds for which a service's canary is cold yet; missing where latencies aren't compared."""
    exposed: Mapping[str, int] = field(default_factory=dict)
    """Users who met a service's canary since its release began; missing where users aren't known."""
    halted: Mapping[BackendKey, bool] = field(default_factory=dict)
    """Whether a backend is out for everybody."""
    operations: Operations = field(default_factory=Operations)


def families(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield all metric families of a snapshot, for a collector's `collect`."""
    totals = snapshot.totals
    yield _requests(totals)
    yield _attempts(totals)
    yield from _latencies(totals)
    yield _errors(totals)
    yield _counter(
        "weir_cut_answers_total",
        "Answers that broke off when their clients had got a part of them.",
        {side: counts.cut for side, counts in totals.items()},
    )
    yield _gauge(
        "weir_requests_in_flight",
        "Requests open now.",
        {side: counts.in_flight for side, counts in totals.items()},
    )
    yield _gauge(
        "weir_tunnels_open",
        "Open requests that have changed to another protocol, such as WebSocket.",
        {side: counts.tunnels for side, counts in totals.items()},
    )
    yield _gauge(
        "weir_overdue_requests",
        "Requests open now that have waited longer than stable's threshold allows.",
        {side: counts.overdue for side, counts in totals.items()},
    )
    yield _counter(
        "weir_diverted_total",
        "Requests meant for a backend that had no endpoint alive, and answered by another.",
        {side: counts.diverted + counts.pins_diverted for side, counts in totals.items()},
    )
    yield _counter(
        "weir_ejections_total",
        "Times a worker left an endpoint alone because it failed.",
        {side: counts.ejections for side, counts in totals.items()},
    )
    yield from _harm(totals)
    yield _refused(snapshot.refused)
    yield _gauge("weir_backend_weight_ratio", "The share of requests set for a backend.", snapshot.weights)
    yield _gauge("weir_backend_share_ratio", "The share of requests that a backend got.", snapshot.shares)
    yield from _checks(snapshot.checks)
    yield _by_service(
        "weir_evidence", "All evidence against the canary, as N:1; no bet, no value.", snapshot.evidence
    )
    yield _by_service(
        "weir_canary_cold_seconds",
        "For how long the canary may yet be slower than it will be; 0 once it is warm.",
        snapshot.cold,
    )
    yield _by_service(
        "weir_exposed_users",
        "Users who met the canary since its release began, within about 2.3 %.",
        snapshot.exposed,
    )
    yield _gauge("weir_halted", "1 while a backend is out for everybody, else 0.", snapshot.halted)
    yield _trips(snapshot.trips, snapshot.would_trips)
    yield from control_metrics.families(snapshot.operations)
    build = GaugeMetricFamily("weir_build_info", "What is running; always 1.", labels=["version"])
    build.add_metric([snapshot.version], 1)
    yield build


def _latencies(totals: Mapping[BackendKey, Counts]) -> Iterator[Metric]:
    yield _durations(
        "weir_request_duration_seconds",
        "From the request's head to the end of the exchange, of each request once.",
        {side: counts.total for side, counts in totals.items() if counts.total.count},
    )
    yield _durations(
        "weir_upstream_duration_seconds",
        "From the first request byte sent on an established connection to the response's head.",
        {side: counts.head for side, counts in totals.items() if counts.head.count},
    )


def _requests(totals: Mapping[BackendKey, Counts]) -> Metric:
    family = CounterMetricFamily(
        "weir_requests_total",
        "Ended requests of clients, each once, by method and the status that the client got; 499: it left "
        "before there was one.",
        labels=["service", "backend", "method", "code"],
    )
    for side, counts in totals.items():
        for (method, code), count in _by_code(counts).items():
            family.add_metric([*side, method, code], count)
    return family


def _attempts(totals: Mapping[BackendKey, Counts]) -> Metric:
    family = CounterMetricFamily(
        "weir_attempts_total",
        "Attempts to have a request answered by a backend; a rescued request is one of each.",
        labels=["service", "backend", "result"],
    )
    for side, counts in totals.items():
        for result in RESULTS:
            family.add_metric([*side, result], counts.of(result))
    return family


def _by_code(counts: Counts) -> dict[tuple[str, str], int]:
    """Return requests by method and code.

    An endpoint may answer 499 itself, so two statuses can share a code.
    """
    result: dict[tuple[str, str], int] = {}
    for (method, status), count in counts.codes.items():
        label = (method, str(shown_status(status)))
        result[label] = result.get(label, 0) + count
    return result


def _durations(name: str, documentation: str, histograms: Mapping[BackendKey, Histogram]) -> Metric:
    family = HistogramMetricFamily(name, documentation, labels=["service", "backend"])
    for side, histogram in histograms.items():
        buckets = [*zip(_LE, histogram.cumulative(_SHOWN), strict=True), ("+Inf", float(histogram.count))]
        family.add_metric(side, buckets, histogram.sum_seconds)
    return family


def _harm(totals: Mapping[BackendKey, Counts]) -> Iterator[Metric]:
    """Yield what backends other than stable did to clients, by service: stable has no rescuer."""
    rescued = CounterMetricFamily(
        "weir_rescued_total", "Requests that the canary failed and stable answered.", labels=["service"]
    )
    harmed = CounterMetricFamily(
        "weir_harmed_total",
        "Clients that got a bad answer of the canary, or gave up waiting for one.",
        labels=["service"],
    )
    sums: dict[str, tuple[int, int]] = {}
    for (service, backend), counts in totals.items():
        if backend != STABLE:
            before = sums.get(service, (0, 0))
            sums[service] = before[0] + counts.rescued, before[1] + counts.harm
    for service, (saved, hurt) in sums.items():
        rescued.add_metric([service], saved)
        harmed.add_metric([service], hurt)
    yield from (rescued, harmed)


def _errors(totals: Mapping[BackendKey, Counts]) -> Metric:
    family = CounterMetricFamily(
        "weir_upstream_errors_total",
        "Requests that failed for want of a whole answer from the backend, by what went wrong.",
        labels=["service", "backend", "kind"],
    )
    for side, counts in totals.items():
        for ending in FAULTS:
            family.add_metric([*side, _kind(ending)], counts.errors.get(ending, 0))
    return family


def _kind(ending: Ending) -> str:
    return NO_ENDPOINT_ALIVE if ending == REFUSED else ending


def _counter(name: str, documentation: str, values: Mapping[BackendKey, int]) -> Metric:
    family = CounterMetricFamily(name, documentation, labels=["service", "backend"])
    for side, value in values.items():
        family.add_metric(side, value)
    return family


def _gauge(name: str, documentation: str, values: Mapping[BackendKey, float]) -> Metric:
    family = GaugeMetricFamily(name, documentation, labels=["service", "backend"])
    for side, value in values.items():
        family.add_metric(side, value)
    return family


def _by_service(name: str, documentation: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, documentation, labels=["service"])
    for service, value in values.items():
        family.add_metric([service], value)
    return family


def _checks(samples: Sequence[CheckSample]) -> Iterator[Metric]:
    labels = ["service", "check"]
    value = GaugeMetricFamily("weir_check_value", "What a check sees: a ratio or seconds.", labels=labels)
    threshold = GaugeMetricFamily("weir_check_threshold", "The limit in force of a check.", labels=labels)
    size = GaugeMetricFamily("weir_check_samples", "Canary answers that a check rests on.", labels=labels)
    odds = GaugeMetricFamily(
        "weir_check_odds", "A check's evidence against the canary, as N:1.", labels=labels
    )
    for sample in samples:
        which = [sample.service, sample.check]
        if sample.value is not None:
            value.add_metric(which, sample.value)
        if sample.threshold is not None:
            threshold.add_metric(which, sample.threshold)
        size.add_metric(which, sample.samples)
        if sample.odds is not None:
            odds.add_metric(which, sample.odds)
    yield from (value, threshold, size, odds)


def _refused(refused: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(
        "weir_refused_total", "Requests and connections turned away by the proxy itself.", labels=["reason"]
    )
    for reason, count in refused.items():
        family.add_metric([reason], count)
    return family


def _trips(trips: Mapping[tuple[str, str], int], would: Mapping[tuple[str, str], int]) -> Metric:
    """Return one counter for both, so that a query holds before and after checks are enforced."""
    family = CounterMetricFamily(
        "weir_trips_total",
        "Times a check took the canary out, or would have (enforced=false).",
        labels=["service", "check", "enforced"],
    )
    for enforced, counts in (("true", trips), ("false", would)):
        for which, count in counts.items():
            family.add_metric([*which, enforced], count)
    return family
