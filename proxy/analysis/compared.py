"""What each check by bets found, as a finding."""

from collections.abc import Iterator, Mapping

from proxy.analysis import wording
from proxy.analysis.comparison import LEANING
from proxy.analysis.events import ERROR_LIMIT, ERRORS, Events
from proxy.analysis.pace import SAMPLES, SHARES, Pace
from proxy.analysis.policy import Policy
from proxy.analysis.verdict import FAILING, HEALTHY, INCONCLUSIVE, Finding, State
from proxy.telemetry.histogram import Histogram
from proxy.telemetry.outcome import QUANTILES


def findings(
    policy: Policy,
    seen: Mapping[str, Events],
    capitals: Mapping[str, float],
    pace: Pace | None,
    head: Histogram,
) -> Iterator[Finding]:
    """One of each check. `seen` is all it saw since the evidence began, `capitals` what it contributes to the
    odds against the canary, `head` the times of the canary's latest answers.

    Where all of them together reach the bar, it is the one with the most that fails.
    """
    most = max(capitals, key=capitals.__getitem__)
    failing = most if sum(capitals.values()) >= policy.bar else ""
    for name, capital in capitals.items():
        state = FAILING if name == failing else _state(seen[name], capital)
        if name in QUANTILES and pace is not None:
            yield _latency(name, state, seen[name], capital, policy, pace, head)
        elif name == ERROR_LIMIT:
            yield _limit(state, seen[name], capital, policy)
        else:
            yield _errors(state, seen[name], capital, policy)


def _state(seen: Events, capital: float) -> State:
    """Of a check that doesn't fail: good once it has seen something and little of it is bad."""
    return HEALTHY if seen.canary and capital < LEANING else INCONCLUSIVE


def _errors(state: State, seen: Events, capital: float, policy: Policy) -> Finding:
    stable = seen.stable_share
    limit = None if stable is None else min(stable + policy.extra_errors, 1.0)
    words = wording.errors(seen, capital, policy.bar)
    return Finding(
        ERRORS, state, seen.canary_share, limit, stable, seen.canary, None, None, "ratio", words, capital
    )


def _limit(state: State, seen: Events, capital: float, policy: Policy) -> Finding:
    limit = policy.error_limit or 0.0
    words = wording.limited(seen, limit, capital, policy.bar)
    return Finding(
        ERROR_LIMIT, state, seen.canary_share, limit, seen.stable_share, seen.canary, None, None, "ratio",
        words, capital,
    )  # fmt: skip  # one line reads as the list it is


def _latency(
    name: str, state: State, seen: Events, capital: float, policy: Policy, pace: Pace, head: Histogram
) -> Finding:
    number = QUANTILES.index(name)
    if number >= len(pace.stable):
        words, canary, stable = wording.no_threshold(name, pace.answers, SAMPLES[number]), None, None
    else:
        canary, stable = pace.canary[number], pace.stable[number]
        words = wording.slower(name, seen, (canary, stable), pace.slower, capital, policy.bar)
    value = head.quantile(SHARES[number])
    return Finding(name, state, value, canary, stable, seen.canary, None, None, "seconds", words, capital)
