"""The outcome of one exchange, recorded once it has ended.

An exchange ends in exactly one way, its Ending. Ending and status together show whether the backend did its
work (success), did not (failure), or was never put to the test (excluded). Excluded outcomes are shown, but
no check counts them: a client that hangs up is no evidence about the canary.
"""

from dataclasses import dataclass
from typing import Literal

from proxy.routing.failures import Failures

Key = tuple[str, int, str]
"""Service, revision, backend: what outcomes are counted under."""
BackendKey = tuple[str, str]
"""Service and backend: what sums over all revisions are of."""

QUANTILES = ("p50", "p90", "p99")
"""Quantiles of the time to the response head by which requests are slow or timely."""
Thresholds = tuple[float, ...]
"""Seconds, rising: above it is slow for p50, p90 and p99, in this order. Those that are known: 0 to 3."""

Ending = Literal[
    "complete",
    "client-left",
    "connect",
    "tls",
    "timeout",
    "reset",
    "garbage",
    "truncated",
    "refused",
    "halted",
    "stale",
]
Result = Literal["success", "failure", "excluded"]

SUCCESS: Result = "success"
FAILURE: Result = "failure"
EXCLUDED: Result = "excluded"
RESULTS: tuple[Result, ...] = (SUCCESS, FAILURE, EXCLUDED)

COMPLETE: Ending = "complete"
"""The whole answer was passed on."""
CLIENT_LEFT: Ending = "client-left"
"""The client went away first."""
CONNECT: Ending = "connect"
"""No connection to the endpoint could be had."""
TLS: Ending = "tls"
"""The endpoint was reached, and is not the one we trust or does not speak TLS as we do."""
TIMEOUT: Ending = "timeout"
"""The endpoint was silent for too long, before its answer or within it."""
RESET: Ending = "reset"
"""The endpoint closed or reset the connection before its answer began."""
GARBAGE: Ending = "garbage"
"""What the endpoint sent is not HTTP."""
TRUNCATED: Ending = "truncated"
"""The endpoint's answer broke off within its body."""
REFUSED: Ending = "refused"
"""We answered ourselves and asked no endpoint: none was alive, or the request was at fault."""
HALTED: Ending = "halted"
"""The backend was taken out meanwhile, and the rest of its answer was not waited for."""
STALE: Ending = "stale"
"""The pooled connection was over when the request was written to it: perhaps the endpoint never heard it, so
that this is no evidence about it, and another backend was asked."""

ENDINGS: tuple[Ending, ...] = (
    COMPLETE, CLIENT_LEFT, CONNECT, TLS, TIMEOUT, RESET, GARBAGE, TRUNCATED, REFUSED, HALTED, STALE,
)  # fmt: skip  # one line reads as the list it is

FAULTS: tuple[Ending, ...] = (CONNECT, TLS, TIMEOUT, RESET, GARBAGE, TRUNCATED, REFUSED)
"""The endings of failures without a whole answer; of those that are refused, such for want of an endpoint."""

SWITCHED = 101
"""The status of an exchange that became a tunnel."""
NO_ENDPOINT = 503
"""The status of a refusal that is the backend's fault: no endpoint of it was alive."""

CLIENT_CLOSED = 499
"""What logs and metrics show where no status was sent. nginx's number for a client that closed the connection
before an answer, which is the only common way to get there and what dashboards already know."""

OTHER_METHOD = "_OTHER"
METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"),
)
"""Methods that are counted by their name. Others share `_OTHER`, or a client could make as many series as it
likes."""

_LABELS = {method.encode(): method for method in METHODS}


@dataclass(slots=True)
class Outcome:
    """One ended exchange. Never edited; not frozen only because that triples the cost of making one."""

    key: Key
    """What it is counted under: the revision is that under which the request was routed, not today's."""
    method: str
    """From `method_label`."""
    status: int
    """The status sent to the client; 0 when none was."""
    ending: Ending
    result: Result
    drawn: bool
    """The coin chose the backend; False when a segment or a header did."""
    head_seconds: float | None
    """First request byte sent on an established connection until the response head; None without a head."""
    total_seconds: float
    """Request head read until the exchange ended."""
    route: bytes = b""
    """The path that was asked for, without query; may be empty where the result is no failure."""
    user: int = 0
    """Identifies the user where a service keeps users: 64 bits, evenly spread; 0: it keeps none."""
    exposed: bool = False
    """Whether the user is one to count among those who met the backend."""
    thresholds: Thresholds = ()
    """Those in force for the backend when the request was sent, of a drawn one."""
    overdue: bool = False
    """It was counted as slow while its answer was still awaited."""
    taken_over: bool = False
    """Neither coin nor pin brought it here: it was meant for another backend."""
    passed_on: bool = False
    """It failed here, and the request was sent to another backend: no client is harmed yet."""
    rescue_of: Key | None = None
    """The attempt that it takes the place of; None: it is the first."""
    gave_up: bool = False
    """The client went away when its answer was overdue, or had been where the request was sent first."""


REASONS = (
    "body",
    "coding",
    "connections",
    "expectation",
    "fields",
    "handshake",
    "head",
    "hops",
    "host",
    "length",
    "line",
    "malformed",
    "method",
    "no-service",
    "proxy-protocol",
    "slow-body",
    "slow-head",
    "target",
    "version",
)
"""Why requests are refused: what is at fault in a message (`proxy.http1.errors`), or reasons of ours."""

UNROUTED = ""
"""Stands for the service in outcomes of requests that were refused; their reason stands for the backend."""


def refused(reason: str, method: bytes, status: int) -> Outcome:
    """Return the outcome that counts a refusal by its reason, whatever else counts the request."""
    return Outcome(
        key=(UNROUTED, 0, reason),
        method=method_label(method),
        status=status,
        ending=REFUSED,
        result=EXCLUDED,
        drawn=False,
        head_seconds=None,
        total_seconds=0.0,
    )


LAST_STATUS = 599
"""Of the five classes. One above it counts as 500 (RFC 9110 section 15)."""


def classify(ending: Ending, status: int, failures: Failures) -> Result:
    """Return the result that an ending is for the backend.

    An ending that the service does not hold against its backends is excluded. A refusal for want of an
    endpoint is a failure whatever the service holds.

    Args:
        ending: How the exchange ended.
        status: What the client was sent, 0 when nothing.
        failures: What the service holds against its backends.
    """
    if ending == COMPLETE:
        return FAILURE if (status if status <= LAST_STATUS else 500) in failures.statuses else SUCCESS
    if ending == REFUSED:
        return FAILURE if status == NO_ENDPOINT else EXCLUDED
    return FAILURE if ending in failures.endings else EXCLUDED


def method_label(method: bytes) -> str:
    """Return the label under which a method is counted. Methods are case-sensitive: `get` is `_OTHER`."""
    return _LABELS.get(method, OTHER_METHOD)


def shown_status(status: int) -> int:
    """Return the status as logs and metrics show it: 0, nothing sent, becomes 499."""
    return status or CLIENT_CLOSED
