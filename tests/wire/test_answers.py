"""Point 11: our own answers are short, say why, and give nothing away (RFC 9110 sections 12.5.1 and 15)."""

import json
import re

import pytest

from proxy.demo.processes import wait_until
from tests.wire.case import case, cases
from tests.wire.program import Wire
from tests.wire.reader import Answer
from tests.wire.upstream import OK

NOBODY = b"GET /nobody HTTP/1.1\r\nHost: shop.example\r\n"
OURS = (
    ("p11-own-answer-400", b"BAD\r\n\r\n", 400),
    ("p11-own-answer-414", b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", 414),
    ("p11-own-answer-417", b"GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 417),
    ("p11-own-answer-501", b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ("p11-own-answer-502", NOBODY + b"\r\n", (502, 503)),
    ("p11-own-answer-505", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
)


def is_ours(answer: Answer) -> None:
    """What every answer of our own has."""
    assert answer.one("cache-control") == "no-store"
    assert re.fullmatch("[!-~]{8,128}", answer.one("x-request-id"))
    assert answer.one("date")
    assert answer.one("content-length") == str(len(answer.body))
    assert len(answer.body) < 500
    assert answer.one("x-request-id").encode() in answer.body
    assert str(answer.status).encode() in answer.body
    for secret in (b"127.0.0.1", b"localhost", b":1\n"):
        assert secret not in answer.body


@cases("sent, statuses", *OURS)
def test_our_own_answers_look_alike(wire: Wire, sent: bytes, statuses: int | tuple[int, int]) -> None:
    answer = wire.ask(sent)
    assert answer.status in (statuses if isinstance(statuses, tuple) else (statuses,))
    assert answer.one("content-type") == "text/plain; charset=utf-8"
    is_ours(answer)


@cases(
    "accept, kind",
    ("p11-rfc9110-12.5.1-nothing", b"", "text/plain"),
    ("p11-rfc9110-12.5.1-anything", b"*/*", "text/plain"),
    ("p11-rfc9110-12.5.1-json", b"application/json", "application/json"),
    ("p11-rfc9110-12.5.1-json-case", b"Application/JSON", "application/json"),
    ("p11-rfc9110-12.5.1-json-first", b"application/json, text/plain;q=0.5, */*;q=0.1", "application/json"),
    ("p11-rfc9110-12.5.1-text-preferred", b"application/json;q=0.5, text/plain", "text/plain"),
    ("p11-rfc9110-12.5.1-json-refused", b"application/json;q=0, */*", "text/plain"),
    ("p11-rfc9110-12.5.1-browser", b"text/html,application/xhtml+xml,*/*;q=0.8", "text/plain"),
)
def test_json_for_those_who_prefer_it(wire: Wire, accept: bytes, kind: str) -> None:
    answer = wire.ask(NOBODY + (b"Accept: " + accept + b"\r\n" if accept else b"") + b"\r\n")
    assert answer.one("content-type").partition(";")[0] == kind
    is_ours(answer)
    if kind == "application/json":
        told = json.loads(answer.body)
        assert told["status"] == answer.status
        assert told["request_id"] == answer.one("x-request-id")


@case("p09-rfc9110-9.3.2-own-answer-to-head")
def test_our_answer_to_a_head_has_no_body(wire: Wire) -> None:
    wire.upstream.answers(OK)
    client = wire.client(NOBODY.replace(b"GET", b"HEAD") + b"\r\n")
    answer = client.answer("HEAD")
    assert (answer.status in (502, 503), answer.body) == (True, b"")
    assert int(answer.one("content-length")) > 0
    client.send(NOBODY.replace(b"/nobody", b"/") + b"\r\n")
    assert client.answer().body == b"ok"


@case("p11-own-answer-404")
def test_nobody_is_responsible(tight: Wire) -> None:
    tight.upstream.answers(OK)
    client = tight.client(b"GET / HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n")
    answer = client.answer()
    assert answer.status == 404
    is_ours(answer)
    client.send(b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n")
    assert client.answer().body == b"ok"


@case("p11-own-answer-404-with-a-body")
def test_the_body_of_a_request_for_nobody_is_not_a_request(tight: Wire) -> None:
    tight.upstream.answers(OK)
    smuggled = b"GET /evil HTTP/1.1\r\nHost: shop.example\r\n\r\n"
    sent = b"POST / HTTP/1.1\r\nHost: elsewhere.test\r\nContent-Length: %d\r\n\r\n" % len(smuggled)
    client = tight.client(sent + smuggled)
    assert client.answer().status == 404
    client.ended()
    assert tight.upstream.requests == []


@cases(
    "sent",
    ("p11-refused-is-counted-malformed", b"BAD\r\n\r\n"),
    ("p11-refused-is-counted-host", b"GET / HTTP/1.1\r\n\r\n"),
    (
        "p11-refused-is-counted-length",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    ("p11-refused-is-counted-line", b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n"),
    ("p11-refused-is-counted-fields", b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 300 + b"\r\n"),
    ("p11-refused-is-counted-version", b"GET / HTTP/3.0\r\nHost: a\r\n\r\n"),
)
def test_what_is_refused_is_counted_with_its_reason(
    wire: Wire, sent: bytes, request: pytest.FixtureRequest
) -> None:
    reason = request.node.callspec.id.rpartition("-")[2]
    before = wire.refused(reason)
    wire.ask(sent)
    wait_until(lambda: wire.refused(reason) == before + 1, f"a refusal for {reason} is counted", 5)
