"""The guard: a plain rule on a window, for requests that no coin was tossed for.

At a weight of 100 % and for pinned requests nothing can be compared fairly, and above 50 % bets grow slowly.
There a canary that fails far more than stable does, or did when it last had requests, is taken out. As any
rule on a window it has no bound on false alarms.
"""

from proxy.analysis.verdict import FAILING, HEALTHY, INCONCLUSIVE, Finding, State
from proxy.analysis.wording import answers, quantity
from proxy.telemetry.tally import Counts

NAME = "guard"
WINDOW = 30.0
"""Seconds looked back over."""
SAMPLE = 20
"""Answers of the canary below which it says nothing."""
SHARE = 0.10
"""Failures among them that are always borne."""
TIMES_STABLE = 3.0
LARGE = 5_000
"""Parts of 10,000: a weight above it is guarded although there is a coin."""


def in_force(canary: Counts, parts: int) -> bool:
    """Whether the guard has to stand in for the coin."""
    return parts > LARGE or _pinned(canary) >= SAMPLE


def find(canary: Counts, stable: float | None) -> Finding:
    """What the guard finds over its window. `stable` is stable's share of failures (0..1), None: unknown."""
    value, sample = share(canary)
    limit = min(max(SHARE, TIMES_STABLE * (stable or 0.0)), 1.0)
    state: State = INCONCLUSIVE
    if value is not None and sample >= SAMPLE:
        state = FAILING if value > limit else HEALTHY
    shown = "no data" if value is None else quantity(value, "ratio")
    sentence = f"{NAME}: {shown} failed of {answers(sample)} over {WINDOW:g} s"
    if state == INCONCLUSIVE:
        sentence += f"; it takes {SAMPLE} to judge"
    else:
        place = "above" if state == FAILING else "within"
        beside = "unknown" if stable is None else quantity(stable, "ratio")
        sentence += f", {place} the limit of {quantity(limit, 'ratio')} (stable: {beside})"
    return Finding(
        check=NAME,
        state=state,
        value=value,
        limit=limit,
        stable=stable,
        sample=sample,
        needed=SAMPLE,
        window=WINDOW,
        unit="ratio",
        sentence=sentence,
    )


def share(counts: Counts) -> tuple[float | None, int]:
    """The share of failures among all requests, drawn or not, and their number. One that was meant for a
    backend without a living endpoint is a failure of it.
    """
    lost = counts.diverted + counts.pins_diverted
    sample = counts.requests + lost
    return ((counts.failures + lost) / sample if sample else None), sample


def _pinned(canary: Counts) -> int:
    return canary.pinned.get("success", 0) + canary.pinned.get("failure", 0) + canary.pins_diverted
