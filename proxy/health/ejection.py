"""What a worker holds against an address that fails: avoidance, ejection, its back-off and its trial.

    counting --too many failures in a row--> ejected --back-off--> due --the next request--> trial
       |                                        ^                   ^                          |
       |                                        +-- failed: twice --|--------------------------+
       |                                            the back-off    |                          |
       +--no connection--> avoided ---------a moment----------------+                          |
                              ^---------------- no connection again: twice the moment ---------+

No request is sent to an address that is ejected. An avoided one could not be connected to, a moment ago: it
is tried when no other is left, because an instance that restarts is back soon, and a connection that is
refused costs nothing. When as many trials in a row have failed as failures eject, it is ejected.

An address that does its work has no record at all, and one whose trial is answered loses its own. While it
is avoided, ejected or on trial, what becomes of other requests is no evidence: they were sent before, or for
want of a better address.
"""

from dataclasses import dataclass, replace
from typing import Literal, Protocol

from proxy.routing.failures import Ejection
from proxy.telemetry.outcome import COMPLETE, EXCLUDED, FAILURE, Outcome

EjectionState = Literal["counting", "avoided", "ejected", "due", "trial"]
AttemptResult = Literal["failed", "unreached", "answered", "nothing"]
"""What an attempt shows of its address. An answer is one that it gave itself, if only a 500. `unreached`: no
connection could be made, and nothing was sent."""

SHORTEST = 0.1
"""Seconds for which an address is avoided, the first time."""
LONGEST = 3.0
"""Seconds for which an address is avoided, at most, where nothing is ejected."""

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
    """What is held against an address. Times are seconds by the clock of the data plane."""

    state: EjectionState
    row: int
    """Failures in a row, of attempts that count."""
    pause: float = 0.0
    """The back-off of its present ejection, or how long it is avoided."""
    until: float = 0.0
    """When that is over."""
    trial: Attempt | None = None
    """The one request that it is tried with."""
    out: bool = False
    """Whether it has been ejected since it last answered."""


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
    """Return what is held against an address after an attempt; None for nothing.

    `rule` is that of the attempt's service, None where nothing is ejected.
    """
    if record is not None and record.state != "counting":
        return _tried(record, result, rule, now) if record.trial is attempt else record
    if result == "nothing" or (rule is None and result != "unreached"):
        return record
    if result == "answered":
        return None
    return _after_failure(record or _NOTHING_YET, result, rule, now)


def _tried(
    record: EjectionRecord, result: AttemptResult, rule: Ejection | None, now: float
) -> EjectionRecord | None:
    if result == "nothing":
        return replace(record, state="due", trial=None)
    if result == "answered" or (rule is None and result != "unreached"):
        return None
    return _after_failure(record, result, rule, now)


def _after_failure(
    record: EjectionRecord, result: AttemptResult, rule: Ejection | None, now: float
) -> EjectionRecord:
    row = record.row + 1
    if rule is not None and (record.out or row >= rule.failures):
        pause = min(2 * record.pause, rule.longest) if record.out else rule.backoff
        return EjectionRecord("ejected", row, pause, now + pause, out=True)
    if result == "failed":
        return EjectionRecord("counting", row)
    pause = min(max(2 * record.pause, SHORTEST), LONGEST)
    return EjectionRecord("avoided", row, pause, now + pause)


_NOTHING_YET = EjectionRecord("counting", 0)


def begun(record: EjectionRecord, attempt: Attempt) -> EjectionRecord:
    """Return what is held against it when this request is sent there: the first that is due is its trial."""
    return replace(record, state="trial", trial=attempt) if record.state == "due" else record


def waited(record: EjectionRecord, now: float) -> EjectionRecord | None:
    """Return what is held against it at this time.

    A trial that is answered at length, or becomes a tunnel, is passed as soon as its answer has begun.
    """
    if record.state in ("avoided", "ejected") and now >= record.until:
        return replace(record, state="due")
    trial = record.trial
    if trial is not None and trial.response in UNDER_WAY and trial.status not in BAD_GATEWAY:
        return None
    return record
