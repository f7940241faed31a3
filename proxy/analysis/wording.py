"""A finding in words: what was seen, over how long, against which limit, on how many answers."""

from proxy.analysis.check import Check, Unit
from proxy.analysis.observations import Observations
from proxy.analysis.verdict import ERROR_LIMIT, ERRORS, FAILING, HARMED, INCONCLUSIVE, Assurance, VerdictState
from proxy.counted import counted

EVEN = 1.05
"""Odds below this read as 1:1: they speak for neither side."""


def sentence(
    check: Check, state: VerdictState, value: float | None, limit: float, stable: float | None, sample: int
) -> str:
    """Return the finding of a plain rule.

    For example: error-rate 27.3 % over 30 s is above its limit of 10.0 % (stable: 0.4 %; 55 canary answers).
    """
    shown = "" if value is None else f" {quantity(value, check.unit)}"
    seen = f"{check.metric}{shown} over {check.window:g} s"
    if state == INCONCLUSIVE:
        return f"{seen}: {sample:,} of the {answers(check.min_requests)} needed to judge it"
    place = "is above" if state == FAILING else "is within"
    beside = "no data" if stable is None else quantity(stable, check.unit)
    return f"{seen} {place} its limit of {_limit(check, limit)} (stable: {beside}; {answers(sample)})"


def _limit(check: Check, limit: float) -> str:
    """Return the limit in force, and where it comes from when it isn't the check's own."""
    shown = quantity(limit, check.unit)
    return f"{shown}, {check.times_stable:g} x stable's" if limit > check.max else shown


def quantity(value: float, unit: Unit) -> str:
    """Return a value with its unit as a person reads it: 27.3 %, 412 ms, 1.25 s."""
    if unit == "ratio":
        return f"{value * 100:.1f} %"
    if unit == "count":
        return f"{value:.0f}"
    if value >= 1:
        return f"{value:.2f} s"
    return f"{value * 1000:.0f} ms" if value >= 0.01 else f"{value * 1000:.1f} ms"


def odds(value: float) -> str:
    """Return odds as a person reads them: 1.4:1, 12:1, 3,400:1. Less than even is for the other side."""
    if value < 1:
        return "less than 1:1"
    if value >= 1e6:
        return "more than 1,000,000:1"
    return f"{value:,.0f}:1" if value >= 10 else f"{value:.1f}:1".replace(".0:", ":")


def evidence(claim: str, value: float, bar: float, then: str = "out") -> str:
    """Return the evidence for a claim: evidence that it is worse: 241:1, out at 100:1. Even odds are none."""
    if value < EVEN:
        return f"no evidence that {claim}"
    return f"evidence that {claim}: {odds(value)}, {then} at {odds(bar)}"


def answers(count: int, whose: str = "canary") -> str:
    """Return, for example: 1 canary answer, 1,180 canary answers."""
    return counted(count, f"{whose} answer")


def _share(value: float | None) -> str:
    return "no data" if value is None else quantity(value, "ratio")


def _nothing(name: str, kind: str = "canary") -> str:
    """Return that there is nothing to compare.

    There may be pinned answers all the same: they are none that could have gone to stable.
    """
    return f"{name}: no {kind} answers to compare yet"


def _of_stable(seen: Observations) -> str:
    """Return, for example: stable 0.4 % of 1,180."""
    return (
        f"stable {_share(seen.stable_share)} of {seen.stable:,}" if seen.stable else "no stable answers yet"
    )


def errors(seen: Observations, capital: float, bar: float) -> str:
    """Return the finding of the bet on errors.

    For example: errors 4.8 % of 62 canary answers, stable 0.4 % of 1,180; evidence that it is worse: 140:1,
    out at 100:1.
    """
    if not seen.canary:
        return _nothing(ERRORS)
    said = evidence("it is worse", capital, bar)
    return f"errors {_share(seen.canary_share)} of {answers(seen.canary)}, {_of_stable(seen)}; {said}"


def limited(seen: Observations, limit: float, capital: float, bar: float) -> str:
    """Return the finding of the bet on the absolute limit.

    For example: error-limit: 7.0 % of 62 canary answers failed; evidence that more than 5.0 % do: 12:1, out
    at 100:1.
    """
    if not seen.canary:
        return _nothing(ERROR_LIMIT)
    allowed = quantity(limit, "ratio")
    said = evidence(f"more than {allowed} do", capital, bar)
    if not capital:
        said = f"the limit of {allowed} counts once the evidence that it is worse than stable is 10:1"
    return f"error-limit: {_share(seen.canary_share)} of {answers(seen.canary)} failed; {said}"


def slower(
    name: str,
    value: float | None,
    limits: tuple[float, float],
    seen: Observations,
    capital: float,
    bar: float,
) -> str:
    """Return the finding of a bet on a latency: first the times, then what the bet rests on.

    For example: p99 55 ms, stable 20 ms (limit 25 ms); 7.8 % of 400 canary answers took longer than the
    limit in force, 1.0 % of 7,600 stable answers longer than stable's p99; evidence that it is slower: 12:1,
    out at 100:1.

    Args:
        name: the quantile.
        value: that of the canary's latest answers in seconds; None: none came lately.
        limits: the canary's and stable's in seconds, of now. An answer was measured by those in force when
            its request was sent.
        seen: the answers within and above them since the evidence began.
        capital: the evidence, as N:1.
        bar: the odds at which it is out.
    """
    if not seen.canary:
        return _nothing(name, "good canary")  # how long a failure took is no evidence
    limit, stable = (quantity(limit, "seconds") for limit in limits)
    lately = f"{name} {quantity(value, 'seconds')}" if value is not None else f"{name} unknown for 30 s"
    late = f"{_share(seen.canary_share)} of {answers(seen.canary)} took longer than the limit in force"
    said = evidence("it is slower", capital, bar)
    return f"{lately}, stable {stable} (limit {limit}); {late}, {_late(name, seen)}; {said}"


def _late(name: str, seen: Observations) -> str:
    if not seen.stable:
        return "no stable answers yet to compare"
    return f"{_share(seen.stable_share)} of {answers(seen.stable, 'stable')} longer than stable's {name}"


def no_threshold(name: str, answered: int, needed: int) -> str:
    """Return, for example: p99: no threshold yet: 31 of 100 stable answers."""
    return f"{name}: no threshold yet: {answered} of {answers(needed, 'stable')}"


def guarded(
    state: VerdictState, value: float | None, limit: float, stable: float | None, sample: int, needed: int
) -> str:
    """Return the finding of the guard.

    For example: guard: 40.0 % of 25 canary answers over 30 s failed, above 10.0 % (stable: 0.4 %).
    """
    if state == INCONCLUSIVE:
        return f"guard: {sample} of the {answers(needed)} over 30 s needed to judge it"
    place = "above" if state == FAILING else "within"
    return (
        f"guard: {_share(value)} of {answers(sample)} over 30 s failed, "
        f"{place} {quantity(limit, 'ratio')} (stable: {_share(stable)})"
    )


def capped(name: str, value: int, cap: int, *, resumed: bool) -> str:
    """Return the finding of a cap.

    For example: harmed: 50 clients got a bad answer or gave up waiting since the release began; the cap is
    50.
    """
    what = counted(value, "client" if name == HARMED else "user")
    what += " got a bad answer or gave up waiting" if name == HARMED else " met the canary"
    since = "it was resumed" if resumed else "the release began"
    return f"{name}: {what} since {since}; the cap is {cap:,}"


def of_users(exposed: int | None) -> str:
    """Return whose requests met a canary, behind their number: ` of about 12 users`; "" without sticky users.

    Where no request had the sticky key, the users are unknown, and not none.
    """
    if exposed is None:
        return ""
    return f" of about {counted(exposed, 'user')}" if exposed else " of unknown users"


def assured(assurance: Assurance, margin: float) -> str:
    """Return how far it is shown that the canary is good enough.

    For example: evidence that it is less than 1.0 % worse: 3.1:1, good enough at 20:1; about 130 more
    requests (40 s).
    """
    claim = f"it is less than {quantity(margin, 'ratio')} worse"
    shown = evidence(claim, assurance.odds, assurance.bar, "good enough")
    return shown if assurance.requests == 0 else f"{shown}; {to_go(assurance.requests, assurance.seconds)}"


def to_go(requests: int | None, seconds: float | None) -> str:
    """Return what a larger weight waits for: about 130 more requests (40 s).

    `requests` and `seconds` are those of an `Assurance`.
    """
    if requests is None:
        return "at the rates seen it can't be shown"
    if not requests:
        return "shown"
    time = "" if seconds is None else f" ({duration(seconds)})"
    return f"about {counted(requests, 'more request')}{time}"


def cold(seconds: float) -> str:
    """Return that a canary is cold, for so long at most."""
    return f"the canary is warming up, for {duration(seconds)} at most, and may be slower than it will be"


def duration(seconds: float) -> str:
    """Return a time to wait as a person reads it: 40 s, 12 min, 3.5 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
