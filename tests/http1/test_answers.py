"""Answers of our own: words for people and programs, and nothing that is nobody's business."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1 import answers
from proxy.http1.head import RequestHead
from proxy.http1.parser import read_request, read_response


def request(*lines: bytes, first: bytes = b"GET /a?b HTTP/1.1") -> RequestHead:
    return read_request(b"\r\n".join((first, b"Host: shop", *lines, b"", b"")))


def fields_of(block: bytes) -> list[tuple[str, str]]:
    head = read_response(block)
    return [tuple(line.decode().split(": ", 1)) for _, line in head.fields]


# What is wrong.


@pytest.mark.parametrize("close", [True, False])
def test_an_answer_of_our_own(close: bool) -> None:
    head, body = answers.problem(503, "no endpoint", b"w1-2a", 0.0, close=close)
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert fields_of(head) == [
        ("Date", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("X-Request-Id", "w1-2a"),
        ("Content-Length", str(len(body))),
        ("Connection", "close" if close else "keep-alive"),
    ]
    assert body == b"503 Service Unavailable: no endpoint\nrequest id: w1-2a\n"


@pytest.mark.parametrize("close", [True, False])
def test_the_same_for_a_program(close: bool) -> None:
    head, body = answers.problem(503, 'no "endpoint"', b"w1-2a", 0.0, close=close, as_json=True)
    assert fields_of(head) == [
        ("Date", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("Content-Type", "application/json"),
        ("Cache-Control", "no-store"),
        ("X-Request-Id", "w1-2a"),
        ("Content-Length", str(len(body))),
        ("Connection", "close" if close else "keep-alive"),
    ]
    assert json.loads(body) == {
        "status": 503,
        "title": "Service Unavailable",
        "detail": 'no "endpoint"',
        "request_id": "w1-2a",
    }
    assert body.endswith(b"}\n")


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("status", [400, 404, 408, 413, 414, 417, 431, 501, 502, 503, 504, 505])
def test_every_status_that_we_answer_with_has_its_words(status: int, as_json: bool) -> None:
    head, body = answers.problem(status, "why", b"1", 1e9, close=True, as_json=as_json)
    read = read_response(head)
    assert (read.status, bool(read.reason)) == (status, True)
    assert read.steering[b"content-length"] == b"%d" % len(body)
    assert read.reason in body


# Requests that go no further.


@pytest.mark.parametrize("close", [True, False])
def test_options_at_its_last_hop_is_answered_without_a_body(close: bool) -> None:
    head, body = answers.last_hop(request(first=b"OPTIONS * HTTP/1.1"), b"w1-1", 0.0, close=close)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    fields = dict(fields_of(head))
    assert (fields["Content-Length"], fields["X-Request-Id"], body) == ("0", "w1-1", b"")
    assert fields["Connection"] == ("close" if close else "keep-alive")


@pytest.mark.parametrize("minor", [b"0", b"1"])
def test_trace_at_its_last_hop_shows_what_came_without_secrets(minor: bytes) -> None:
    lines = [
        b"X-b:  2 ",
        b"AUTHORIZATION: Basic c2VjcmV0",
        b"Cookie: id=secret",
        b"cookie: more=secret",
        b"Proxy-Authorization: Basic c2VjcmV0",
        b"Max-Forwards: 0",
        b"X-b: 3",
        b"X-Cookie: no secret",
    ]
    head, body = answers.last_hop(
        request(*lines, first=b"TRACE /a%2f?x HTTP/1." + minor), b"w1-1", 0.0, close=False
    )
    fields = dict(fields_of(head))
    assert (fields["Content-Type"], fields["Content-Length"]) == ("message/http", str(len(body)))
    assert body == (
        b"TRACE /a%2f?x HTTP/1." + minor + b"\r\nHost: shop\r\nX-b:  2 \r\nMax-Forwards: 0\r\n"
        b"X-b: 3\r\nX-Cookie: no secret\r\n\r\n"
    )


# JSON or text.


@pytest.mark.parametrize(
    ("accept", "json_"),
    [
        ([], False),
        ([b""], False),
        ([b"*/*"], False),
        ([b"text/plain"], False),
        ([b"text/html"], False),
        ([b"text/*"], False),
        ([b"application/json"], True),
        ([b"Application/JSON"], True),
        ([b"application/*"], True),
        ([b"application/jsonx"], False),
        ([b"application/problem+json"], False),
        ([b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], False),
        ([b"application/json, text/plain, */*"], True),
        ([b"text/plain, application/json"], False),
        ([b"application/json, text/plain"], True),
        ([b"application/json, */*"], True),
        ([b"application/json;q=0.9, text/plain"], False),
        ([b"application/json;q=0.9, text/plain;q=0.8"], True),
        ([b"application/json;q=0.9, text/*;q=0.95"], False),
        ([b"application/json;q=0.9, text/*;q=0.95, text/plain;q=0.1"], True),
        ([b"text/plain;q=0.5, */*"], True),
        ([b"text/plain;q=0, */*;q=0.001"], True),
        ([b"application/json;q=0, */*"], False),
        ([b"application/json;q=0"], False),
        ([b"application/json ; charset=utf-8 ; Q=0.2, text/plain;q=0.199"], True),
        ([b"application/json;q=0.2, text/plain ;\tq=0.3"], False),
        ([b"application/json;q=1.000, text/plain;q=0.999"], True),
        ([b"text/plain;q=0.5", b"application/json;q=0.6"], True),
        ([b"application/json;seq=0.1, text/plain;q=0.5"], True),
        ([b"application/json;a=b;q=0.1, text/plain;q=0.5"], False),
        ([b"application/json;q=0.1", b"application/json;q=1", b"text/plain;q=0.5"], False),
        ([b",,application/json,"], True),
    ],
    ids=str,
)
def test_json_for_those_who_would_rather_have_it(accept: list[bytes], json_: bool) -> None:
    assert answers.prefers_json(request(*[b"Accept: " + one for one in accept])) is json_


def test_text_for_those_of_whom_nothing_is_known() -> None:
    assert answers.prefers_json(None) is False


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_the_larger_quality_decides(json_: int, text: int) -> None:
    accept = b"Accept: application/json;q=%.3f, text/plain;q=%.3f" % (json_ / 1000, text / 1000)
    expected = json_ > text or (json_ == text > 0)
    assert answers.prefers_json(request(accept)) is expected


@given(st.binary(max_size=60).map(lambda raw: bytes(byte for byte in raw if byte > 31 and byte != 127)))
def test_nothing_in_accept_is_an_error(accept: bytes) -> None:
    assert answers.prefers_json(request(b"Accept: " + accept)) in (True, False)
