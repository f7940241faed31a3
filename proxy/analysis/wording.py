"""A finding in words: what was seen, over how long, against which limit, on how many answers."""

from proxy.analysis.check import Check, Unit
from proxy.analysis.events import Events
from proxy.analysis.verdict import FAILING, INCONCLUSIVE, Assurance, State


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
    answers = "canary answer" if sample == 1 else "canary answers"
    return f"{seen} {place} its limit of {_limit(check, limit)} (stable: {beside}; {sample} {answers})"


def _limit(check: Check, limit: float) -> str:
    """The limit in force, and where it comes from when it isn't the check's own."""
    shown = quantity(limit, check.unit)
    return f"{shown}, {check.times_stable:g} x stable's" if limit > check.max else shown


def quantity(value: float, unit: Unit) -> str:
    """A value with its unit as a person reads it: 27.3 %, 412 ms, 1.25 s."""
    if unit == "ratio":
        return f"{value * 100:.1f} %"
    if unit == "count":
        return f"{value:.0f}"
    if value >= 1:
        return f"{value:.2f} s"
    return f"{value * 1000:.0f} ms" if value >= 0.01 else f"{value * 1000:.1f} ms"


def odds(value: float) -> str:
    """Odds as a person reads them: 0.4:1, 12:1, 3,400:1."""
    if value >= 1e6:
        return "more than 1,000,000:1"
    return f"{value:,.0f}:1" if value >= 10 else f"{value:.1f}:1"


def answers(count: int, whose: str = "canary") -> str:
    """For example: 1 canary answer, 1,180 canary answers."""
    return f"{count:,} {whose} answer{'' if count == 1 else 's'}"


def _share(value: float | None) -> str:
    return "no data" if value is None else quantity(value, "ratio")


def errors(seen: Events, slack: float, capital: float, bar: float) -> str:
    """For example: errors 4.8 % of 62 canary answers (stable: 0.4 % of 1,180), more than 0.1 % worse by odds
    of 140:1 of 100:1.
    """
    stable = f"{_share(seen.stable_share)} of {seen.stable:,}" if seen.stable else "no data"
    return (
        f"errors {_share(seen.canary_share)} of {answers(seen.canary)} (stable: {stable}), "
        f"more than {quantity(slack, 'ratio')} worse by odds of {odds(capital)} of {odds(bar)}"
    )


def limited(seen: Events, limit: float, capital: float, bar: float) -> str:
    """For example: error-limit: 7.0 % of 62 canary answers failed, above 5.0 % by odds of 12:1 of 100:1."""
    held = " (it counts once errors are worse than stable's by 10:1)" if not capital else ""
    return (
        f"error-limit: {_share(seen.canary_share)} of {answers(seen.canary)} failed, "
        f"above {quantity(limit, 'ratio')} by odds of {odds(capital)} of {odds(bar)}{held}"
    )


def slower(name: str, seen: Events, limits: tuple[float, float], capital: float, bar: float) -> str:
    """For example: p99: 7.8 % of 400 canary answers were slower than 25 ms (stable: 1.0 % of 7,600 than
    20 ms), slower by odds of 12:1 of 100:1. `limits` are the canary's and stable's in seconds.
    """
    canary, stable = (quantity(limit, "seconds") for limit in limits)
    return (
        f"{name}: {_share(seen.canary_share)} of {answers(seen.canary)} were slower than {canary} "
        f"(stable: {_share(seen.stable_share)} of {seen.stable:,} than {stable}), "
        f"slower by odds of {odds(capital)} of {odds(bar)}"
    )


def no_threshold(name: str, answered: int, needed: int) -> str:
    """For example: p99: no threshold yet: 31 of 100 stable answers."""
    return f"{name}: no threshold yet: {answered} of {answers(needed, 'stable')}"


def guarded(
    state: State, value: float | None, limit: float, stable: float | None, sample: int, needed: int
) -> str:
    """For example: guard: 40.0 % of 25 canary answers over 30 s failed, above 10.0 % (stable: 0.4 %)."""
    if state == INCONCLUSIVE:
        return f"guard: {sample} of the {answers(needed)} over 30 s needed to judge it"
    place = "above" if state == FAILING else "within"
    return (
        f"guard: {_share(value)} of {answers(sample)} over 30 s failed, "
        f"{place} {quantity(limit, 'ratio')} (stable: {_share(stable)})"
    )


def capped(name: str, value: int, cap: int) -> str:
    """For example: harmed: 50 bad answers reached clients; the cap is 50."""
    what = "bad answers reached clients" if name == "harmed" else "users met the canary"
    return f"{name}: {value:,} {what}; the cap is {cap:,}"


def assured(assurance: Assurance, margin: float) -> str:
    """For example: less than 1.0 % worse by odds of 3.1:1 of 20:1; about 130 more canary requests (40 s)."""
    shown = f"less than {quantity(margin, 'ratio')} worse by odds of {odds(assurance.odds)}"
    shown += f" of {odds(assurance.bar)}"
    if assurance.requests is None:
        return f"{shown}; at the rates seen it can't be shown"
    if not assurance.requests:
        return shown
    time = "" if assurance.seconds is None else f" (about {duration(assurance.seconds)})"
    return f"{shown}; about {answers(assurance.requests, 'more canary')} to go{time}"


def duration(seconds: float) -> str:
    """A time to wait as a person reads it: 40 s, 12 min, 3.5 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
