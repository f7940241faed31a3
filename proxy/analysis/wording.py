"""A finding in words: what was seen, over how long, against which limit, on how many answers."""

from proxy.analysis.check import Check, Unit
from proxy.analysis.verdict import FAILING, INCONCLUSIVE, State


def sentence(
    check: Check, state: State, value: float | None, limit: float, stable: float | None, sample: int
) -> str:
    """For example: error-rate 27.3 % over 30 s is above its limit of 10.0 % (stable: 0.4 %; 55 canary
    answers).
    """
    shown = "no data" if value is None else quantity(value, check.unit)
    seen = f"{check.metric} {shown} over {check.window:g} s"
    if state == INCONCLUSIVE:
        return f"{seen}: {sample} of the {check.min_requests} canary answers needed to judge it"
    place = "is above" if state == FAILING else "is within"
    beside = "no data" if stable is None else quantity(stable, check.unit)
    return f"{seen} {place} its limit of {_limit(check, limit)} (stable: {beside}; {answers(sample)})"


def _limit(check: Check, limit: float) -> str:
    """The limit in force, and where it comes from when it isn't the check's own."""
    shown = quantity(limit, check.unit)
    return f"{shown}, {check.times_stable:g} x stable's" if limit > check.max else shown


def answers(count: int) -> str:
    """For example: 1 canary answer; 1,204 canary answers."""
    return "1 canary answer" if count == 1 else f"{count:,} canary answers"


def odds(value: float) -> str:
    """Odds as N:1, as a person reads them: 0.3:1, 12:1, 1,204:1."""
    if value >= 1e6:
        return "over a million:1"
    return f"{value:,.0f}:1" if value >= 10 else f"{value:.2g}:1"


def quantity(value: float, unit: Unit) -> str:
    """A value with its unit as a person reads it: 27.3 %, 412 ms, 1.25 s."""
    if unit == "ratio":
        return f"{value * 100:.1f} %"
    if unit == "count":
        return f"{value:.0f}"
    if value >= 1:
        return f"{value:.2f} s"
    return f"{value * 1000:.0f} ms" if value >= 0.01 else f"{value * 1000:.1f} ms"
