"""The page of what is tried again: a row for each situation; `tests/forwarding/test_retries.py` plays it."""

from dataclasses import dataclass
from typing import Literal

from docs.generator.markdown import table

INTRODUCTION = """\
# What is tried again

A request whose attempt fails may go to another place, unnoticed by its client. Two rules decide: what was
never sent may go anywhere that could answer it, and what was sent may go to stable when doing it twice does
no harm. It is put on the wire twice at most, and nothing that the client has seen a byte of is taken back.

"Repeatable" are GET, HEAD, OPTIONS, PUT and DELETE, with `rescue: {keyed: true}` also requests that carry
an `Idempotency-Key`; their bodies up to `rescue.max_body`. "Charged" is who the failure is held against: an
**address** may be ejected, and a **version** judged. A version isn't charged for what another of its
addresses did.
"""

NOTES = """\
All of it comes out of one budget for each service and worker, 50 at once and one more for five requests of
stable and 3 a second: a backend that is down can't double the load of the other one. When it is spent, and
with `rescue: off` in the rows that lead to stable, the client gets what the last row of its kind says: 502,
504 after a timeout, or the answer itself.

Addresses that take no connection within 250 ms are left behind as soon as another one does (RFC 8305), and
avoided for a moment: see [health and endpoints](../guides/health.md).
"""

Backend = Literal["canary", "stable", "either"]
Again = Literal[
    "another address of the backend",
    "the same address, on a new connection",
    "stable",
    "another address of stable",
    "nowhere",
]
Charged = Literal["the address", "the version", "nobody"]


@dataclass(frozen=True, slots=True)
class Situation:
    """What happened to an attempt, and what follows."""

    name: str
    """Identifies it; no part of the page."""
    what: str
    methods: str
    backend: Backend
    again: Again
    charged: Charged
    client: str
    """What the client gets."""


THERE, BROKEN = "the answer from there", "a connection that is cut"

SITUATIONS = (
    Situation(
        "refused",
        "No connection: refused, unreachable, or TLS failed; or another address was faster by 250 ms",
        "any",
        "either",
        "another address of the backend",
        "the address",
        THERE,
    ),
    Situation(
        "none-of-canary",
        "No address of the backend takes a connection",
        "any",
        "canary",
        "stable",
        "the version",
        THERE,
    ),
    Situation(
        "none-of-stable",
        "No address of the backend takes a connection",
        "any",
        "stable",
        "nowhere",
        "the version",
        "502, or 504 when it took `timeouts.connect`",
    ),
    Situation(
        "stale-stable",
        "A kept connection ended as the request was sent on it",
        "GET, HEAD, OPTIONS, TRACE, PUT, DELETE; without a body",
        "stable",
        "the same address, on a new connection",
        "nobody",
        THERE,
    ),
    Situation(
        "stale-canary",
        "A kept connection ended as the request was sent on it",
        "GET, HEAD, OPTIONS, PUT, DELETE; without a body",
        "canary",
        "stable",
        "nobody",
        THERE,
    ),
    Situation(
        "stale-body",
        "A kept connection ended as the request was sent on it",
        "repeatable with a body",
        "canary",
        "stable",
        "the version",
        THERE,
    ),
    Situation(
        "stale-post",
        "A kept connection ended as the request was sent on it",
        "not repeatable",
        "either",
        "nowhere",
        "the version",
        "502",
    ),
    Situation(
        "reset-canary",
        "The connection was reset before an answer",
        "repeatable",
        "canary",
        "stable",
        "the version",
        THERE,
    ),
    Situation(
        "reset-stable",
        "The connection was reset before an answer",
        "repeatable",
        "stable",
        "another address of stable",
        "the version",
        THERE,
    ),
    Situation(
        "silent",
        "No answer within `timeouts.response`",
        "repeatable",
        "canary",
        "stable",
        "the version",
        THERE,
    ),
    Situation(
        "garbage", "An answer that is no HTTP/1.1", "repeatable", "canary", "stable", "the version", THERE
    ),
    Situation(
        "bad-gateway", "An answer of 502, 503 or 504", "repeatable", "canary", "stable", "the version", THERE
    ),
    Situation(
        "error",
        "An answer of 500",
        "GET, HEAD, OPTIONS",
        "canary",
        "stable",
        "the version",
        THERE,
    ),
    Situation(
        "failed-post",
        "No answer, or a bad one, to a request that was sent",
        "not repeatable",
        "either",
        "nowhere",
        "the version",
        "502, 504, or the answer",
    ),
    Situation(
        "failed-stable",
        "No answer in time, or a bad one",
        "any",
        "stable",
        "nowhere",
        "the version",
        "502, 504, or the answer",
    ),
    Situation("broken", "The answer broke off", "any", "either", "nowhere", "the version", BROKEN),
    Situation(
        "halted-waiting",
        "The canary was taken out while a connection was awaited",
        "any",
        "canary",
        "stable",
        "nobody",
        THERE,
    ),
    Situation(
        "halted-sent",
        "The canary was taken out while an answer was awaited",
        "repeatable",
        "canary",
        "stable",
        "nobody",
        THERE,
    ),
)


def page() -> str:
    """Return the page."""
    heads = ("What happened", "Method", "Backend", "Tried again at", "Charged", "The client gets")
    rows = [
        (each.what, each.methods, each.backend, each.again, each.charged, each.client) for each in SITUATIONS
    ]
    return f"{INTRODUCTION}\n{table(heads, rows)}\n\n{NOTES}"
