"""The ejection of an endpoint that fails, its back-off and its trial: what a worker holds against it.

    counting --too many failures in a row--> ejected --back-off--> due --the next request--> trial
                                                ^                                             |
                                                +---------- failed: twice the back-off -------+

An endpoint that does its work has no record at all, and one whose trial is answered loses its own. While it
is ejected or on trial, what becomes of other requests is no evidence: they were sent before, or for want of a
better endpoint.
"""

from dataclasses import dataclass, replace
from typing import Literal, Protocol

from proxy.routing.failures import Ejection
from proxy.telemetry.outcome import COMPLETE, EXCLUDED, FAILURE, Outcome

EjectionState = Literal["counting", "ejected", "due", "trial"]
AttemptResult = Literal["failed", "answered", "nothing"]
"""What an attempt shows of its endpoint. An answer is one that it gave itself, if only a 500."""

BAD_GATEWAY = frozenset((502, 503, 504))
"""Answers of an endpoint behind which no server could give one."""
UNDER_WAY = ("open", "tunnel")
"""An exchange's response that has begun."""


class Attempt(Protocol):
    """A request on its way to an endpoint."""

    @property
    def response(self) -> str:
        """What has come of the answer: `awaited`, `open`, `tunnel`, ..."""

    @property
    def status(self) -> int:
        """Of the answer, once it has begun."""


@dataclass(frozen=True, slots=True)
class EjectionRecord:
    """What is held against an endpoint. Times are seconds by the clock of the data plane."""

    state: EjectionState
    row: int
    """Failures in a row, of attempts that count."""
    pause: float = 0.0
    """The back-off of its present ejection."""
    until: float = 0.0
    """When that is over."""
    trial: Attempt | None = None
    """The one request that it is tried with."""


def attempt_result(outcome: Outcome) -> AttemptResult:
    """Return what an outcome shows of the endpoint; nothing, where the service excludes it."""
    if outcome.result == EXCLUDED:
        return "nothing"
    unserved = outcome.ending != COMPLETE or outcome.status in BAD_GATEWAY
    return "failed" if outcome.result == FAILURE and unserved else "answered"


def after_attempt(
    record: EjectionRecord | None,
    attempt: Attempt,
    result: AttemptResult,
    rule: Ejection | None,
    now: float,
) -> EjectionRecord | None:
    """Return what is held against an endpoint after an attempt; None for nothing.

    `rule` is that of the attempt's service, None where nothing is ejected.
    """
    if record is not None and record.state != "counting":
        return _tried(record, result, rule, now) if record.trial is attempt else record
    if rule is None or result == "nothing":
        return record
    if result == "answered":
        return None
    row = record.row + 1 if record else 1
    return EjectionRecord("counting", row) if row < rule.failures else _ejected(row, rule.backoff, now)


def _tried(
    record: EjectionRecord, result: AttemptResult, rule: Ejection | None, now: float
) -> EjectionRecord | None:
    if result == "nothing":
        return replace(record, state="due", trial=None)
    if result == "answered" or rule is None:
        return None
    return _ejected(record.row + 1, min(2 * record.pause, rule.longest), now)


def _ejected(row: int, pause: float, now: float) -> EjectionRecord:
    return EjectionRecord("ejected", row, pause, now + pause)


def begun(record: EjectionRecord, attempt: Attempt) -> EjectionRecord:
    """Return what is held against it when this request is sent there: the first that is due is its trial."""
    return replace(record, state="trial", trial=attempt) if record.state == "due" else record


def waited(record: EjectionRecord, now: float) -> EjectionRecord | None:
    """Return what is held against it at this time.

    A trial that is answered at length, or becomes a tunnel, is passed as soon as its answer has begun.
    """
    if record.state == "ejected" and now >= record.until:
        return replace(record, state="due")
    trial = record.trial
    if trial is not None and trial.response in UNDER_WAY and trial.status not in BAD_GATEWAY:
        return None
    return record
