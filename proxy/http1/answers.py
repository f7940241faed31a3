"""Answers of the proxy's own: short, for people and programs, and without a word of any endpoint."""

import json
import re
from email.utils import formatdate
from http import HTTPStatus

from proxy.http1.head import RequestHead

_QUALITY = re.compile(rb"(?:^|;)[ \t]*(?i:q)=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
_SECRETS = frozenset((b"authorization", b"cookie", b"proxy-authorization"))
"""What TRACE doesn't send back: a script could read there what it may not read elsewhere (RFC 9110 9.3.8)."""

Answer = tuple[bytes, bytes]
"""Head and body."""


def problem(
    status: int, detail: str, request_id: bytes, when: float, *, close: bool, as_json: bool = False
) -> Answer:
    """Return an answer that states what is wrong.

    Args:
        status: 400 to 599.
        detail: one short clause for a person.
        request_id: what the client can quote.
        when: Unix time in seconds, for Date.
        close: whether the connection ends here.
        as_json: a JSON object instead of plain text.
    """
    phrase = HTTPStatus(status).phrase
    if as_json:
        found = {"status": status, "title": phrase, "detail": detail, "request_id": request_id.decode()}
        return _answer(status, "application/json", f"{json.dumps(found)}\n".encode(), request_id, when, close)
    text = f"{status} {phrase}: {detail}\nrequest id: {request_id.decode()}\n"
    return _answer(status, "text/plain; charset=utf-8", text.encode(), request_id, when, close)


def last_hop(head: RequestHead, request_id: bytes, when: float, *, close: bool) -> Answer:
    """Return the answer to an OPTIONS or TRACE that goes no further (RFC 9110 section 7.6.2)."""
    if head.method != b"TRACE":
        return _answer(200, "text/plain", b"", request_id, when, close)
    first = b"%b %b HTTP/1.%d" % (head.method, head.target, head.minor)
    lines = [first, *(line for name, line in head.fields if name not in _SECRETS), b"", b""]
    return _answer(200, "message/http", b"\r\n".join(lines), request_id, when, close)


def _answer(status: int, kind: str, body: bytes, request_id: bytes, when: float, close: bool) -> Answer:
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nDate: {formatdate(when, usegmt=True)}\r\n"
        f"Content-Type: {kind}\r\nCache-Control: no-store\r\n"
        f"X-Request-Id: {request_id.decode()}\r\nContent-Length: {len(body)}\r\n"
        f"{'Connection: close' if close else 'Connection: keep-alive'}\r\n\r\n"
    )
    return head.encode("latin-1"), body


def prefers_json(head: RequestHead | None) -> bool:
    """Return whether Accept asks for JSON rather than for text (RFC 9110 section 12.5.1)."""
    if head is None:
        return False
    qualities: dict[bytes, float] = {}
    for part in b",".join(head.values(b"accept")).lower().split(b","):
        kind, _, parameters = part.partition(b";")
        quality = _QUALITY.search(parameters)
        qualities.setdefault(kind.strip(b" \t"), float(quality[1]) if quality else 1.0)
    json_, text = (
        next((qualities[kind] for kind in kinds if kind in qualities), 0.0)
        for kinds in ((b"application/json", b"application/*", b"*/*"), (b"text/plain", b"text/*", b"*/*"))
    )
    named = b"application/json" in qualities and b"text/plain" not in list(qualities)[:1]
    return json_ > text or (json_ == text > 0 and named)
