"""Plain rules on a window: a value, a limit, a sample. They have no bound on false alarms."""

from proxy.analysis.check import QUANTILES, Check
from proxy.analysis.verdict import FAILING, HEALTHY, INCONCLUSIVE, Finding, State
from proxy.analysis.wording import sentence
from proxy.telemetry.tally import Counts


def measured(check: Check, canary: Counts, stable: Counts) -> Finding:
    """What one rule finds, given both sides' counts over its window."""
    value, sample = measure(check, canary)
    reference, _ = measure(check, stable)
    limit = check.limit(reference)
    state = _state(check, value, sample, limit)
    return Finding(
        check=check.name,
        state=state,
        value=value,
        limit=limit,
        stable=reference,
        sample=sample,
        needed=check.min_requests,
        window=check.window,
        unit=check.unit,
        sentence=sentence(check, state, value, limit, reference, sample),
    )


def _state(check: Check, value: float | None, sample: int, limit: float) -> State:
    """Inconclusive below the sample asked for, however bad it looks."""
    if value is None or sample < check.min_requests:
        return INCONCLUSIVE
    return FAILING if value > limit else HEALTHY


def measure(check: Check, counts: Counts) -> tuple[float | None, int]:
    """The value that a check looks at, None without data, and how many answers it rests on."""
    quantile = QUANTILES.get(check.metric)
    if quantile is not None:
        return counts.head.quantile(quantile), counts.head.count
    sample = counts.requests
    return (counts.failures / sample if sample else None), sample
