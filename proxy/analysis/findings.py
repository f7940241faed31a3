"""What the bets and the caps find, as values for programs and as sentences for people."""

from collections.abc import Sequence

from proxy.analysis.comparison import ERRORS
from proxy.analysis.policy import Policy
from proxy.analysis.seen import Seen
from proxy.analysis.thresholds import NEEDED
from proxy.analysis.thresholds import QUANTILES as SHARES
from proxy.analysis.verdict import FAILING, HEALTHY, Assurance, Finding, State
from proxy.analysis.wording import answers, odds, quantity
from proxy.telemetry.outcome import QUANTILES, Thresholds
from proxy.telemetry.tally import Counts


def of_bet(
    check: str, state: State, seen: Seen, capital: float, policy: Policy, known: Thresholds, canary: Counts
) -> Finding:
    """What one bet found. `known` are stable's thresholds, `canary` the canary's last answers."""
    if check in QUANTILES:
        return _of_latency(QUANTILES.index(check), state, seen, capital, policy, known, canary)
    slack = policy.extra_errors if check == ERRORS else policy.error_limit or 0.0
    stable = seen.reference if check == ERRORS else None
    said = f"{check} {_share(seen.value)} of {answers(seen.canary)}"
    if check == ERRORS:
        said += f" (stable: {_share(seen.reference)} of {seen.stable:,})"
        claim = f"it is more than {_percent(slack)} worse"
    else:
        claim = f"it is above {_percent(slack)}"
    return Finding(
        check=check,
        state=state,
        value=seen.value,
        limit=slack + (stable or 0.0),
        stable=stable,
        sample=seen.canary,
        needed=None,
        window=None,
        unit="ratio",
        sentence=f"{said}; odds that {claim}: {odds(capital)}",
        odds=capital,
    )


def _of_latency(
    place: int,
    state: State,
    seen: Seen,
    capital: float,
    policy: Policy,
    known: Thresholds,
    canary: Counts,
) -> Finding:
    assert policy.slower is not None, "latency is compared"
    threshold = known[place] if place < len(known) else None
    limit = policy.slower.limit(threshold) if threshold is not None else None
    check = QUANTILES[place]
    if threshold is None or limit is None:
        said = f"{check}: no threshold yet, it takes {NEEDED[place]} answers of stable"
    else:
        beside = f"{_share(seen.reference)} of {seen.stable:,} over {quantity(threshold, 'seconds')}"
        said = f"{check} {_share(seen.value)} of {answers(seen.canary)} over {quantity(limit, 'seconds')}"
        said += f" (stable: {beside}); odds that it is slower: {odds(capital)}"
    return Finding(
        check=check,
        state=state,
        value=canary.head.quantile(SHARES[place]),
        limit=limit,
        stable=threshold,
        sample=seen.canary,
        needed=None,
        window=None,
        unit="seconds",
        sentence=said,
        odds=capital,
    )


def of_cap(check: str, value: int, cap: int) -> Finding:
    """How much of a cap is used up."""
    state: State = FAILING if value >= cap else HEALTHY
    reached = "reached" if state == FAILING else "within"
    return Finding(
        check=check,
        state=state,
        value=value,
        limit=cap,
        stable=None,
        sample=value,
        needed=None,
        window=None,
        unit="count",
        sentence=f"{check}: {value:,}, {reached} the cap of {cap:,}",
    )


def summary(
    state: State, found: Sequence[Finding], against: float, policy: Policy, assurance: Assurance | None
) -> str:
    """The verdict in a sentence."""
    if state == FAILING:
        return f"failing: {found[0].sentence}"
    said = (
        f"odds against the canary {odds(against)} of {policy.bar:g}:1" if policy.comparing else "no bets made"
    )
    if state == HEALTHY:
        return f"healthy: {said}" + (f", for it {odds(assurance.odds)}" if assurance else "")
    return f"inconclusive: {said}{_missing(assurance)}"


def _missing(assurance: Assurance | None) -> str:
    if assurance is None:
        return ""
    said = f", for it {odds(assurance.odds)} of {assurance.bar:g}:1"
    if assurance.requests is None:
        return f"{said}; at the rates seen it won't be shown good enough"
    if not assurance.requests:
        return said
    said += f"; about {assurance.requests:,} more canary requests"
    return said if assurance.seconds is None else f"{said}, in about {_time(assurance.seconds)}"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _share(value: float | None) -> str:
    return "no data" if value is None else quantity(value, "ratio")


def _percent(value: float) -> str:
    return f"{value * 100:g} %"
