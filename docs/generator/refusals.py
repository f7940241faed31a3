"""The page of the reasons for which the proxy refuses a request itself."""

from collections.abc import Mapping

from docs.generator.markdown import Undescribed, code, table
from proxy.telemetry.outcome import REASONS

INTRODUCTION = """\
# Refusal reasons

What the proxy turns away itself is counted in `weir_refused_total{reason}`, and the access log has the
reason in `reason`. The client gets a status and a sentence, or both as JSON if it sends
`Accept: application/json`. An answer of an endpoint that is wrong in one of these ways is no refusal: the
client gets 502, and the backend is charged with the failure `garbage`.
"""

TEXTS: Mapping[str, tuple[str, str, str]] = {
    "body": ("413", "The body is larger than `limits.body`.", "Raise the limit, or send less."),
    "coding": (
        "400, 501",
        "A transfer coding other than `chunked`, or any in HTTP/1.0.",
        "Mend the client; `gzip` belongs into `Content-Encoding`.",
    ),
    "connections": (
        "503",
        "The worker has as many clients as `limits.connections` allows.",
        "Raise the limit on open files (`ulimit -n`), or add workers.",
    ),
    "expectation": ("417", "`Expect` asks for something else than `100-continue`.", "Mend the client."),
    "fields": (
        "431",
        "More fields than `limits.fields`, or more trailers.",
        "Look for cookies that pile up.",
    ),
    "handshake": (
        "none",
        "A TLS handshake failed, or took longer than `timeouts.header`; only the counter knows of it.",
        "Look at the client's protocol version and trust; port scans cause it, too.",
    ),
    "head": (
        "431",
        "The head, or the trailers, are larger than `limits.head`.",
        "Look for cookies that pile up.",
    ),
    "hops": ("400", "`Max-Forwards` of an OPTIONS or TRACE is not one number.", "Mend the client."),
    "host": ("400", "`Host` is missing, or is not one valid host.", "Mend the client."),
    "last-hop": (
        "200",
        "No fault: an OPTIONS or TRACE whose `Max-Forwards` is 0 is answered here.",
        "Nothing.",
    ),
    "length": (
        "400",
        "It is ambiguous where the body ends: both `Content-Length` and `Transfer-Encoding`, lengths that "
        "differ, or a "
        "body with TRACE.",
        "Mend the client. It may be an attempt at request smuggling.",
    ),
    "line": (
        "414, 431",
        "The first line, a chunk line or a trailer is longer than `limits.line`.",
        "Shorten the URL.",
    ),
    "malformed": (
        "400",
        "The bytes are not HTTP/1.x as RFC 9112 has it.",
        "Look for TLS sent to a port without it.",
    ),
    "method": ("501", "The method is CONNECT; no tunnels are opened.", "Use another proxy for that."),
    "no-service": (
        "404",
        "No service matches host and path.",
        "Add a service without `match`, or see [how a service is "
        "chosen](../guides/weights.md#which-service-answers).",
    ),
    "proxy-protocol": (
        "400",
        "A connection began with a header of the PROXY protocol where none is expected (400), or without one "
        "where it is, or from a peer that `proxy_protocol` doesn't name (closed without an answer).",
        "Make the load balancer and `proxy_protocol` of the listener agree; the log has the reason.",
    ),
    "slow-body": (
        "408",
        "The body stopped coming for `timeouts.body`.",
        "Raise the timeout where uploads may pause.",
    ),
    "slow-head": (
        "408",
        "The head was not there within `timeouts.header`.",
        "Nothing; scanners and idle tabs do this.",
    ),
    "target": (
        "400",
        "The request target is neither a path nor an absolute `http` URL, or has a fragment or a raw byte "
        "above 127.",
        "Mend the client: such bytes are percent-encoded.",
    ),
    "version": (
        "505",
        "The version is neither HTTP/1.0 nor HTTP/1.1.",
        "Look for HTTP/2 without TLS: it is not spoken here.",
    ),
}
"""Status, what is wrong, and what to do."""

ALSO = ("last-hop",)
"""Reasons that the code uses beside those it lists."""


def page() -> str:
    """Return the page."""
    rows = []
    for reason in sorted((*REASONS, *ALSO)):
        if reason not in TEXTS:
            raise Undescribed(f"refusal reason {reason!r} has no description: write one into docs/generator")
        status, wrong, remedy = TEXTS[reason]
        rows.append((code(reason), status, wrong, remedy))
    return f"{INTRODUCTION}\n{table(('Reason', 'Status', 'What is wrong', 'What to do'), rows)}"
