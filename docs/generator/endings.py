"""The page of the endings: how requests end, and what each is counted as. The code counts, on made outcomes.

`tests/wire/test_endings.py` plays every row with the real program and compares what that counts and logs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from docs.generator.markdown import code, table
from proxy.routing.failures import Failures
from proxy.telemetry.counts import Counts
from proxy.telemetry.exposition import Snapshot, families
from proxy.telemetry.outcome import Ending, Outcome, classify, refused, shown_status
from proxy.telemetry.tally import Tally

INTRODUCTION = """\
# How requests end

Each request ends in one way. It is counted once for its client, once for each backend that was asked, and has
one line in the access log. The table has all ways; a test plays each with the real program.
[What is tried again](retries.md) says when a request goes elsewhere.

- **Client**: the status in `weir_requests_total`, and the backend that was asked last. `499`: the client left
  before there was a status. *Cut*: the answer broke off when the client had got a part of it
  (`weir_cut_answers_total`).
- **Backends**: the result in `weir_attempts_total`, and the kind in `weir_upstream_errors_total`. A `failure`
  counts against the canary; `excluded` is no evidence.
- **Harm**: whom the canary harmed (`weir_harmed_total`, the blast radius, `caps: {harmed}`), and whom stable
  rescued (`weir_rescued_total`).
- **Log**: the ending in the access log, and what else its line has.

The requests are meant for the canary, unless the row names stable, in a service with the default `rescue` and
`failures`. What stable fails by itself harms clients as well, but no canary did it: that is
`weir_attempts_total{backend="stable",result="failure"}`, and `weir status` says that stable is failing when
it is nearly all.
"""

NOTES = """\
## Overdue

An answer of the canary is overdue when it is still awaited after the time that stable's p99 and `slower`
allow. With `slower: off` or `analysis: off` that is ten times stable's p99, and 1 s more at least. Nothing is
overdue before stable has given 100 answers. A client that leaves when its answer is overdue *gave up
waiting*: it is harmed, and the guard takes it for a failure. One that leaves in time, that has got a part of
its answer, or that was still sending its request is not harmed.

## Harmed once

A request harms once: when the canary fails it and stable fails the rescue as well, the canary has harmed, and
both have failed. What is cut off or refused because the canary was taken out harms its client, and is no
evidence against the canary. WebSockets and other tunnels that are closed then are not counted as harmed.
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to have the request answered."""

    ending: Ending
    status: int = 0
    """What the client was sent or, before a rescue, would have been."""
    backend: str = "canary"
    begun: bool = False
    """Whether the endpoint's answer had begun."""
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One way in which a request ends."""

    name: str
    """In one word."""
    what: str
    """What happens, for people."""
    attempts: tuple[Attempt, ...] = ()
    """None: it was for no service."""
    method: str = "GET"
    gave_up: bool = False
    overdue: bool = False
    """Whether the log says that the answer was overdue."""
    diverted: bool = False
    """Whether it was meant for the canary, which had no endpoint alive."""
    reason: str = ""
    """Why the proxy turned it away."""
    status: int = 0
    """What it was turned away with."""

    @property
    def why(self) -> str:
        """Why the log says that the last backend was asked."""
        if not self.attempts:
            return ""
        if len(self.attempts) > 1:
            return "rescued"
        return "diverted" if self.diverted else "weight" if self.attempts[0].backend == "stable" else "force"


def _rescue(first: Attempt, second: Attempt | None = None) -> tuple[Attempt, ...]:
    return first, second or Attempt("complete", 200, "stable", begun=True)


ROWS = (
    Row("ok", "The canary answers.", (Attempt("complete", 200, begun=True),)),
    Row("missing", "It answers 404, which is no failure.", (Attempt("complete", 404, begun=True),)),
    Row("fail", "It answers 500 to a POST.", (Attempt("complete", 500, begun=True),), "POST"),
    Row("connect", "It takes no connection, and stable answers.", _rescue(Attempt("connect", 502)), "POST"),
    Row("tls", "Its TLS is no good, and stable answers.", _rescue(Attempt("tls", 502)), "POST"),
    Row("alone", "It takes no connection, with `rescue: off`.", (Attempt("connect", 502),)),
    Row("reset", "It closes the connection without an answer to a POST.", (Attempt("reset", 502),), "POST"),
    Row("garbage", "It answers a POST with what is no HTTP.", (Attempt("garbage", 502),), "POST"),
    Row(
        "timeout",
        "It gives no answer to a POST within `timeouts.response`.",
        (Attempt("timeout", 504),),
        "POST",
        overdue=True,
    ),
    Row("truncated", "Its answer breaks off.", (Attempt("truncated", 200, begun=True),)),
    Row(
        "stall", "Its answer stops, for longer than `timeouts.body`.", (Attempt("timeout", 200, begun=True),)
    ),
    Row(
        "unavailable",
        "It answers 503 to a GET, and stable answers.",
        _rescue(Attempt("complete", 503, begun=True)),
    ),
    Row(
        "hangs",
        "It gives no answer to a GET in time, and stable answers.",
        _rescue(Attempt("timeout", 504)),
        overdue=True,
    ),
    Row(
        "stale",
        "Its kept connection ends as a GET is sent on it, and stable answers.",
        _rescue(Attempt("stale")),
    ),
    Row(
        "both",
        "It answers 503, and stable answers 500.",
        _rescue(Attempt("complete", 503, begun=True), Attempt("complete", 500, "stable", begun=True)),
    ),
    Row("leaves", "The client leaves before the answer is overdue.", (Attempt("client-left"),)),
    Row(
        "gives-up",
        "The client leaves when the answer is overdue.",
        (Attempt("client-left"),),
        gave_up=True,
        overdue=True,
    ),
    Row(
        "gives-up-rescue",
        "The answer is overdue, the canary fails, and the client leaves before stable answers.",
        _rescue(Attempt("timeout", 504), Attempt("client-left", 0, "stable")),
        gave_up=True,
        overdue=True,
    ),
    Row("leaves-within", "The client leaves within the answer.", (Attempt("client-left", 200, begun=True),)),
    Row(
        "slow-body",
        "The client stops sending its request.",
        (Attempt("client-left", 408),),
        "POST",
        reason="slow-body",
    ),
    Row(
        "too-large",
        "The request's body turns out too large.",
        (Attempt("refused", 413),),
        "POST",
        reason="body",
    ),
    Row(
        "diverted",
        "The canary has no endpoint alive, and stable answers.",
        (Attempt("complete", 200, "stable", begun=True),),
        diverted=True,
    ),
    Row(
        "no-endpoint",
        "Stable has no endpoint alive.",
        (Attempt("refused", 503, "stable"),),
    ),
    Row(
        "sibling",
        "Stable closes the connection without an answer to a GET, and another address of it answers.",
        _rescue(Attempt("reset", 502, "stable")),
    ),
    Row("stable-fails", "Stable takes no connection.", (Attempt("connect", 502, "stable"),)),
    Row(
        "halt-rescued",
        "The canary is taken out while a GET waits there, and stable answers.",
        _rescue(Attempt("halted")),
    ),
    Row(
        "halt-unsent",
        "It is taken out before a POST could be sent there, and stable answers.",
        _rescue(Attempt("halted", sent=False)),
        "POST",
    ),
    Row("halt-cut", "It is taken out within its answer.", (Attempt("halted", 200, begun=True),)),
    Row(
        "halt-tunnel",
        "It is taken out while a WebSocket is open there.",
        (Attempt("halted", 101, begun=True),),
    ),
    Row("tunnel", "A WebSocket ends.", (Attempt("complete", 101, begun=True),)),
    Row("no-service", "The request is for no service.", reason="no-service", status=404),
)
"""All of them."""

Series = tuple[str, tuple[str, ...]]
"""The name of a metric, and the values of its labels but the service, in the order of their names."""

SHOWN = frozenset(
    f"weir_{name}_total"
    for name in (
        "attempts",
        "cut_answers",
        "diverted",
        "harmed",
        "refused",
        "requests",
        "rescued",
        "upstream_errors",
    )
)
"""The counters that a request may raise."""


def counted(row: Row, service: str = "shop") -> dict[Series, int]:
    """Return the counters that a row raises, and by how much, as the code counts it."""
    tally, first = Tally("boot"), None
    for number, attempt in enumerate(row.attempts, 1):
        key = (service, 1, attempt.backend)
        last = number == len(row.attempts)
        result = classify(attempt.ending, attempt.status, Failures())
        outcome = Outcome(
            key,
            row.method,
            attempt.status,
            attempt.ending,
            result,
            False,
            0.1 if attempt.begun else None,
            0.1,
        )
        outcome.passed_on, outcome.rescue_of = not last, first
        outcome.gave_up = row.gave_up and last
        tally.add(outcome)
        first = key if attempt.sent else None
    if row.diverted:
        tally.divert((service, 1, "canary"), 0, drawn=False)
    turned_away = Counts()
    if row.reason:
        turned_away.record(refused(row.reason, row.method.encode(), row.status))
    totals = {(name, backend): counts for (name, _, backend), counts in tally.everything().items()}
    snapshot = Snapshot(totals, {}, {}, (), {}, "", {row.reason: turned_away.excluded} if row.reason else {})
    return raised(snapshot)


def raised(snapshot: Snapshot) -> dict[Series, int]:
    """Return the counters of a snapshot that aren't 0."""
    return {
        (
            sample.name,
            tuple(value for label, value in sorted(sample.labels.items()) if label != "service"),
        ): int(sample.value)
        for family in families(snapshot)
        for sample in family.samples
        if sample.name in SHOWN and sample.value
    }


def logged(row: Row) -> Mapping[str, str | int | bool]:
    """Return what the access log says of a row."""
    if not row.attempts:
        return {
            "status": row.status,
            "backend": "",
            "why": "",
            "ending": "refused",
            "reason": row.reason,
            "rescued": "",
            "overdue": False,
        }
    *before, last = row.attempts
    failed = before[0] if before else None
    word = "" if failed is None else failed.status if failed.ending == "complete" else failed.ending
    return {
        "status": shown_status(last.status),
        "backend": last.backend,
        "why": row.why,
        "ending": last.ending,
        "reason": row.reason,
        "rescued": f"{failed.backend} {word}" if failed else "",
        "overdue": row.overdue,
    }


def page() -> str:
    """Return the page."""
    rows = [_cells(row) for row in ROWS]
    return "\n\n".join(
        (INTRODUCTION, table(("What happens", "Client", "Backends", "Harm", "Log"), rows), NOTES)
    )


def _cells(row: Row) -> tuple[str, ...]:
    counters = counted(row)
    client = [f"{labels[1]} ({labels[0]})" for name, labels in counters if name == "weir_requests_total"]
    if any(name == "weir_cut_answers_total" for name, _ in counters):
        client.append("cut")
    return (
        row.what,
        ", ".join(client) or str(row.status),
        ", ".join(_backends(counters)) or "-",
        _harm(counters, row),
        _log(row),
    )


def _backends(counters: Mapping[Series, int]) -> Iterator[str]:
    kinds = {labels[0]: labels[1] for name, labels in counters if name == "weir_upstream_errors_total"}
    for name, labels in counters:
        if name == "weir_attempts_total":
            backend, result = labels
            yield f"{backend} {result}" + (f" `{kinds[backend]}`" if backend in kinds else "")
        if name == "weir_diverted_total":
            yield f"{labels[0]} diverted"


def _harm(counters: Mapping[Series, int], row: Row) -> str:
    names = {name for name, _ in counters}
    if "weir_harmed_total" in names:
        return "gave up waiting" if row.gave_up else "harmed"
    return "rescued" if "weir_rescued_total" in names else "-"


def _log(row: Row) -> str:
    line = logged(row)
    more = [code(f"{name}: {line[name]}") for name in ("reason", "rescued") if line[name]]
    more += [code("overdue: true")] if line["overdue"] else []
    return ", ".join([code(str(line["ending"])), *more])
