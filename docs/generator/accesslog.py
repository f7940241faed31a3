"""The page of the access log: the fields of its JSON lines, and the words in them."""

import json
from collections.abc import Mapping

from docs.generator.markdown import code, described, table
from proxy.telemetry.accesslog import Access, format_combined, format_common, format_json
from proxy.telemetry.outcome import ENDINGS

INTRODUCTION = """\
# Access log

`log: {access: json}` writes one line for each request to standard output, when the request is over;
`combined` and `common` write the formats that nginx and older tools know. Lines are written beside the
traffic: when their reader stands still, at most 20,000 wait in each worker, the others are dropped, and the
program log has a warning with their number.

Lines are plain ASCII. In JSON, bytes that are not UTF-8 show as a backslash, `x` and two hex digits; in the
other two formats quotes, backslashes and bytes below 32 or above 126 do, as in nginx.
"""

FIELDS: Mapping[str, str] = {
    "time": "When the request was over: ISO 8601, UTC, milliseconds.",
    "client": "The client's address: of the connection, or as a [trusted proxy](../guides/load-balancer.md) "
    "names it.",
    "method": "The method of the request.",
    "target": "Path and query as they were sent.",
    "version": "`HTTP/1.1` or `HTTP/1.0`; empty when no request could be read.",
    "host": "The `Host` of the request.",
    "status": "The status that the client got; `499`: it left before there was one.",
    "bytes": "Bytes of the body that were sent to the client.",
    "seconds": "From the head of the request to the end of the answer.",
    "upstream_seconds": "From the first byte sent to the endpoint, on an established connection, to the "
    "head of its "
    "answer; `null` when there was none. This is the latency that verdicts rest on.",
    "service": "The service that was asked; empty for a request that was refused.",
    "backend": "The backend that answered: `stable` or `canary`; empty for a request that was refused.",
    "endpoint": "The endpoint that answered, or failed last, as the file has it; empty when none was asked.",
    "address": "Its address: IP and port, or `unix:` and the path of its socket. A name may have several.",
    "why": "Why this backend: see [why](#why).",
    "ending": "How the request ended: see [ending](#ending).",
    "reason": "Why the proxy refused the request: see [refusal reasons](refusals.md); empty for all others.",
    "rescued": "The backend that failed the request before this one answered, and how: `canary 503`; empty "
    "for all "
    "others.",
    "overdue": "`true` when the answer was [overdue](endings.md#overdue), at this backend or at the one that "
    "failed it before.",
    "request_id": "The `X-Request-Id` that the endpoint got.",
    "referer": "The `Referer` of the request.",
    "user_agent": "The `User-Agent` of the request.",
}
"""What each field of a JSON line holds."""

WHYS: Mapping[str, str] = {
    "force": "The header of `force` named the backend.",
    "segment:NAME": "The segment of that name did.",
    "sticky": "The user's key did.",
    "weight": "The coin did, by the weight.",
    "rescued": "The canary failed the request, and stable was asked instead.",
    "diverted": "The backend that was meant is out, or has no endpoint alive.",
}
"""What `why` may be."""

ENDS: Mapping[str, str] = {
    "complete": "The whole answer was sent to the client. Its status decides whether it was a failure.",
    "client-left": "The client went away first. It counts for nobody, unless the answer was [overdue]"
    "(endings.md#overdue).",
    "connect": "No connection to the endpoint could be made within `timeouts.connect`.",
    "tls": "The endpoint was reached, but its certificate or its TLS is not what was asked for.",
    "timeout": "The endpoint was silent for `timeouts.response` or `timeouts.body`.",
    "reset": "The endpoint closed the connection before its answer began.",
    "garbage": "The endpoint's answer is not HTTP, or exceeds `limits`.",
    "truncated": "The endpoint's answer broke off within its body.",
    "refused": "The proxy answered itself: the request was at fault, or no endpoint was alive.",
    "halted": "The canary was taken out meanwhile, and the request was not waited for.",
    "stale": "The kept connection was closed when the request was written to it, and stable was asked "
    "instead.",
}
"""How a request may end."""

SAMPLE = Access(
    when=1767225600.25,
    client="203.0.113.7",
    method=b"GET",
    target=b"/cart?id=7",
    version="HTTP/1.1",
    status=200,
    bytes_out=512,
    referer=b"",
    user_agent=b"curl/8.5.0",
    host=b"shop.example",
    request_id=b"d87d0929-4b",
    service="checkout",
    backend="stable",
    endpoint="http://10.0.0.7:9001",
    address="10.0.0.7:9001",
    why="rescued",
    ending="complete",
    reason="",
    rescued="canary 503",
    overdue=False,
    seconds=0.0123,
    upstream_seconds=0.0041,
)


def page() -> str:
    """Return the page."""
    line = format_json(SAMPLE)
    names = list(json.loads(line))
    return "\n\n".join(
        (
            INTRODUCTION,
            "## Fields",
            table(("Field", "Holds"), [(code(each), described(FIELDS, each, "log field")) for each in names]),
            "## Examples",
            f"```text\n{line}\n\n{format_combined(SAMPLE)}\n\n{format_common(SAMPLE)}\n```",
            "## Why",
            table(("`why`", "Means"), [(code(each), text) for each, text in WHYS.items()]),
            "## Ending",
            table(("`ending`", "Means"), [(code(each), described(ENDS, each, "ending")) for each in ENDINGS]),
        )
    )
