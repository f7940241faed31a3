"""Points 8, 9: bodies are opaque, and some messages have none (RFC 9110 6.4 and 15, RFC 9112 section 6)."""

import gzip
from collections.abc import Callable
from typing import Any

from tests.wire.case import case, cases
from tests.wire.program import Wire
from tests.wire.reader import Answer
from tests.wire.upstream import OK

GET = b"GET /b HTTP/1.1\r\nHost: shop.example\r\n\r\n"
OLD = b"GET /b HTTP/1.0\r\nHost: shop.example\r\n\r\n"
HEAD = GET.replace(b"GET", b"HEAD")
EVERY = bytes(range(256)) * 3
ZIPPED = gzip.compress(b"hello" * 100)


def sized(body: bytes, fields: bytes = b"") -> bytes:
    return fields + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def chunked(body: bytes, fields: bytes = b"") -> bytes:
    return fields + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


@cases(
    "framed, body",
    ("p08-rfc9110-6.4-request-sized", sized, EVERY),
    ("p08-rfc9110-6.4-request-chunked", chunked, EVERY),
    ("p08-rfc9110-8.4-request-zipped", sized, ZIPPED),
    ("p08-rfc9110-8.4-request-zipped-in-chunks", chunked, ZIPPED),
    ("p08-rfc9110-6.4-request-of-1-mib", sized, bytes(1 << 20)),
    ("p08-rfc9110-6.4-request-of-1-mib-chunk", chunked, b"\r\n" * (1 << 19)),
)
def test_the_body_of_a_request_is_opaque(wire: Wire, framed: Callable[..., Any], body: bytes) -> None:
    wire.upstream.answers(OK)
    head = b"POST /b HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n"
    assert wire.ask(head + framed(body)).status == 200
    assert wire.passed().body == body
    assert wire.passed().one("content-encoding") == "gzip"


@cases(
    "framed, body",
    ("p08-rfc9110-6.4-answer-sized", sized, EVERY),
    ("p08-rfc9110-6.4-answer-chunked", chunked, EVERY),
    ("p08-rfc9110-8.4-answer-zipped", sized, ZIPPED),
    ("p08-rfc9110-8.4-answer-zipped-in-chunks", chunked, ZIPPED),
    ("p08-rfc9110-6.4-answer-of-1-mib", sized, bytes(1 << 20)),
    ("p08-rfc9110-6.4-answer-of-1-mib-chunk", chunked, b"\r\n" * (1 << 19)),
)
def test_the_body_of_an_answer_is_opaque(wire: Wire, framed: Callable[..., Any], body: bytes) -> None:
    wire.upstream.answers(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + framed(body))
    answer = wire.ask(GET)
    assert (answer.body, answer.one("content-encoding")) == (body, "gzip")


@case("p08-rfc9112-6.3-answer-until-close")
def test_a_body_that_ends_with_its_connection_is_opaque(wire: Wire) -> None:
    client = wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    link.send(b"HTTP/1.1 200 OK\r\n\r\n" + EVERY)
    link.finish()
    answer = client.answer()
    assert answer.body == EVERY
    assert answer.one("transfer-encoding") == "chunked", "only chunks tell a whole body from a cut one"


def length_of(answer: Answer) -> str | None:
    return answer.one("content-length")


BODILESS = (
    ("p09-rfc9110-9.3.2-head-sized", HEAD, b"200 OK\r\nContent-Length: 5", b"", "5"),
    ("p09-rfc9110-9.3.2-head-sized-0", HEAD, b"200 OK\r\nContent-Length: 0", b"", "0"),
    ("p09-rfc9110-9.3.2-head-sized-huge", HEAD, b"200 OK\r\nContent-Length: 12345678901", b"", "12345678901"),
    ("p09-rfc9110-9.3.2-head-chunked", HEAD, b"200 OK\r\nTransfer-Encoding: chunked", b"", None),
    ("p09-rfc9110-9.3.2-head-without-length", HEAD, b"200 OK\r\nX: 1", b"", None),
    ("p09-rfc9110-9.3.2-head-404", HEAD, b"404 Not Found\r\nContent-Length: 9", b"", "9"),
    ("p09-rfc9110-9.3.2-head-with-a-body", HEAD, b"200 OK\r\nContent-Length: 5", b"hello", "5"),
    ("p09-rfc9110-9.3.2-head-with-an-answer", HEAD, b"200 OK\r\nContent-Length: %d" % len(OK), OK, str(len(OK))),
    ("p09-rfc9110-15.3.5-204", GET, b"204 No Content", b"", None),
    ("p09-rfc9110-15.3.5-204-length-0", GET, b"204 No Content\r\nContent-Length: 0", b"", None),
    ("p09-rfc9110-15.3.5-204-length-5", GET, b"204 No Content\r\nContent-Length: 5", b"hello", None),
    ("p09-rfc9110-15.3.5-204-chunked", GET, b"204 No Content\r\nTransfer-Encoding: chunked", b"0\r\n\r\n", None),
    ("p09-rfc9110-15.4.5-304", GET, b"304 Not Modified\r\nETag: \"a\"", b"", None),
    ("p09-rfc9110-15.4.5-304-keeps-length", GET, b"304 Not Modified\r\nContent-Length: 5", b"", "5"),
    ("p09-rfc9110-15.4.5-304-with-a-body", GET, b"304 Not Modified\r\nContent-Length: 5", b"hello", "5"),
    ("p09-rfc9110-15.4.5-304-chunked", GET, b"304 Not Modified\r\nTransfer-Encoding: chunked", b"", None),
)  # fmt: skip


@cases("sent, head, surplus, length", *BODILESS)
def test_a_bodiless_answer_has_no_body_and_the_next_one_is_its_own(
    wire: Wire, sent: bytes, head: bytes, surplus: bytes, length: str | None
) -> None:
    wire.upstream.answers(b"HTTP/1.1 " + head + b"\r\n\r\n" + surplus, OK)
    client = wire.client(sent)
    answer = client.answer(sent.partition(b" ")[0].decode())
    assert (answer.body, length_of(answer)) == (b"", length)
    # Whatever the upstream sent behind the head is nobody's; without such bytes its connection is as good as new.
    wire.upstream.answers(OK)
    client.send(GET)
    answer = client.answer()
    assert (answer.status, answer.body) == (200, b"ok")
    assert len(wire.upstream.links) == (2 if surplus else 1)


@cases(
    "sent, answer, body, framing",
    ("p09-rfc9112-7-chunked-for-1.1", GET, b"1.1 200 OK\r\n" + chunked(b"hello"), b"hello", "chunked"),
    ("p09-rfc9112-6.1-chunked-for-1.0", OLD, b"1.1 200 OK\r\n" + chunked(b"hello"), b"hello", "close"),
    ("p09-rfc9112-6.3-sized-for-1.0", OLD, b"1.1 200 OK\r\n" + sized(b"hello"), b"hello", "sized"),
    ("p09-rfc9112-6.3-sized-from-1.0", GET, b"1.0 200 OK\r\n" + sized(b"hello"), b"hello", "sized"),
    ("p09-rfc9112-6.3-empty", GET, b"1.1 200 OK\r\n" + sized(b""), b"", "sized"),
    ("p09-rfc9112-7-empty-chunked", GET, b"1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"", "chunked"),
    ("p09-rfc9110-15.3.6-205", GET, b"1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", b"", "sized"),
    ("p09-rfc9112-7.1.2-trailers-dropped", GET, b"1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", b"hello", "chunked"),
)  # fmt: skip
def test_a_body_is_framed_for_the_version_of_its_client(
    wire: Wire, sent: bytes, answer: bytes, body: bytes, framing: str
) -> None:
    wire.upstream.answers(b"HTTP/" + answer)
    client = wire.client(sent)
    got = client.answer()
    assert got.body == body
    assert (got.one("transfer-encoding") == "chunked") == (framing == "chunked")
    assert (length_of(got) is not None) == (framing == "sized")
    if sent == OLD:
        assert client.ended() == "closed"


@cases(
    "interim",
    ("p09-rfc8297-2-103", b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nLink: </b>\r\n\r\n"),
    ("p09-rfc9110-15.2-102", b"HTTP/1.1 102 Processing\r\n\r\n"),
    ("p09-rfc9110-15.2-unknown-1xx", b"HTTP/1.1 199 Whatever\r\nX-A: b\r\n\r\n"),
    (
        "p09-rfc9110-15.2-several",
        b"HTTP/1.1 103 A\r\nX: 1\r\n\r\nHTTP/1.1 103 B\r\n\r\nHTTP/1.1 102 C\r\n\r\n",
    ),
)
def test_interim_answers_pass_as_they_come(wire: Wire, interim: bytes) -> None:
    client = wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    link.send(interim)
    assert client.read(len(interim)) == interim, "at once, before there is an answer"
    link.send(OK)
    answer = client.answer()
    assert (answer.status, answer.interim) == (200, [])


@case("p09-rfc9110-7.6.1-103-hop-by-hop")
def test_an_interim_answer_loses_its_hop_by_hop_fields(wire: Wire) -> None:
    wire.upstream.answers(
        b"HTTP/1.1 103 Early\r\nConnection: X-H\r\nX-H: 1\r\nKeep-Alive: a\r\nLink: </a>\r\n\r\n" + OK
    )
    (interim,) = wire.ask(GET).interim
    assert interim.fields == [("Link", "</a>")]


@case("p09-rfc9110-15.2-never-for-1.0")
def test_http_1_0_gets_no_interim_answer(wire: Wire) -> None:
    wire.upstream.answers(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX: 1\r\n\r\n" + OK)
    client = wire.client(OLD)
    answer = client.answer()
    assert (answer.status, answer.interim, answer.body) == (200, [], b"ok")
    assert client.ended() == "closed"


@case("p09-rfc9112-6.3-drip")
def test_an_answer_may_come_byte_by_byte(wire: Wire) -> None:
    for framed in (sized, chunked):
        client = wire.client(GET)
        link = wire.upstream.accept()
        link.request()
        link.drip(b"HTTP/1.1 103 Early\r\nX: 1\r\n\r\nHTTP/1.1 200 OK\r\n" + framed(b"hello"))
        assert client.answer().body == b"hello"
        link.finish()
        link.gone()
