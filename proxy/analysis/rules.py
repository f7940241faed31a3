"""Plain rules on windows, and their findings. They use no statistics, and bound no false alarms."""

from collections.abc import Mapping, Sequence

from proxy.analysis.check import QUANTILES, Check
from proxy.analysis.verdict import FAILING, HEALTHY, INCONCLUSIVE, Finding, VerdictState
from proxy.analysis.wording import sentence
from proxy.telemetry.counts import Counts

ByWindow = Mapping[float, Counts]
"""Counts over the last so many seconds, by those seconds; a window without data may be absent."""

_NOTHING = Counts()


def findings(checks: Sequence[Check], canary: ByWindow, stable: ByWindow) -> tuple[Finding, ...]:
    """Return what each check finds."""
    return tuple(
        _find(check, canary.get(check.window, _NOTHING), stable.get(check.window, _NOTHING))
        for check in checks
    )


def _find(check: Check, canary: Counts, stable: Counts) -> Finding:
    """Return what one check finds."""
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


def _state(check: Check, value: float | None, sample: int, limit: float) -> VerdictState:
    """Return the state of a check: inconclusive below the sample asked for, however bad it looks."""
    if value is None or sample < check.min_requests:
        return INCONCLUSIVE
    return FAILING if value > limit else HEALTHY


def measure(check: Check, counts: Counts) -> tuple[float | None, int]:
    """Return the value that a check looks at, None without data, and how many answers it rests on."""
    quantile = QUANTILES.get(check.metric)
    if quantile is not None:
        return counts.head.quantile(quantile), counts.head.count
    sample = counts.requests
    return (counts.failures / sample if sample else None), sample
