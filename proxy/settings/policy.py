"""The policy of the judge, and what counts as a failure, from a service's section of the file."""

from collections.abc import Iterable

from proxy.analysis.check import Check
from proxy.analysis.policy import Caps, Policy, Slower, StepUp
from proxy.config import schema
from proxy.routing.failures import UNANSWERED, Failures

UNJUDGED = Policy(comparing=False, step_up=None, guard=False)
"""The policy without a canary."""


def policy(service: schema.Service) -> Policy:
    """Return the policy that the service's canary is judged by, if it has one.

    `analysis: off` leaves guard, plain checks and caps, and requires nothing before the weight may rise.
    """
    analysis, plain, caps = service.analysis, checks(service), Caps(**dict(service.caps))
    sticky = service.sticky is not None
    if analysis is None:
        return Policy(
            comparing=False, step_up=None, guard=service.guard, checks=plain, caps=caps, sticky=sticky
        )
    return Policy(
        extra_errors=analysis.extra_errors,
        slower=Slower(analysis.slower.by, analysis.slower.at_least) if analysis.slower else None,
        warm_up=analysis.warm_up,
        false_rollbacks=analysis.false_rollbacks,
        error_limit=analysis.error_limit,
        step_up=_step_up(analysis.step_up),
        guard=service.guard,
        checks=plain,
        caps=caps,
        sticky=sticky,
    )


def failures(service: schema.Service) -> Failures:
    """Return what counts as a failure of its backends; the default where `analysis` is off."""
    if service.analysis is None:
        return Failures()
    words = frozenset(service.analysis.failures)
    endings = words & UNANSWERED
    statuses = (_statuses(word) for word in words - endings)
    return Failures(frozenset().union(*statuses), endings)


def _statuses(word: str) -> Iterable[int]:
    """Return all statuses of a class such as `5xx`, or the one status."""
    return range(int(word[0]) * 100, int(word[0]) * 100 + 100) if word.endswith("xx") else (int(word),)


def checks(service: schema.Service) -> tuple[Check, ...]:
    """Return the plain checks of the file. Those of one metric are named after their windows."""
    metrics = [check.metric for check in service.checks]
    return tuple(_check(check, alone=metrics.count(check.metric) == 1) for check in service.checks)


def _check(check: schema.Check, *, alone: bool) -> Check:
    name = check.metric if alone else f"{check.metric}-{check.window:g}s"
    return Check(check.metric, check.max, check.window, check.min_requests, name=name)


def _step_up(step_up: schema.StepUp | None) -> StepUp | None:
    return StepUp(step_up.extra_errors_below, step_up.confidence) if step_up else None
