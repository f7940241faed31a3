"""Point 11: a fault of the upstream never turns into a wrong answer (RFC 9112 section 8, RFC 9110 15.6)."""

from collections.abc import Callable
from typing import Any

from tests.wire.case import case, cases
from tests.wire.program import Wire
from tests.wire.upstream import OK, Link

GET = b"GET /x HTTP/1.1\r\nHost: shop.example\r\n\r\n"
OLD = b"GET /x HTTP/1.0\r\nHost: shop.example\r\n\r\n"
H = b"HTTP/1.1 200 OK\r\n"
SIZED = H + b"Content-Length: 5\r\n\r\n"
CHUNKED = H + b"Transfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = H + b"\r\n"

GARBAGE = (
    ("p11-rfc9112-4-not-http", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    ("p11-rfc9112-4-binary", b"\x15\x03\x03\x00\x02\x02\x50\r\n\r\n"),
    ("p11-rfc9112-4-empty-lines-only", b"\r\n\r\n"),
    ("p11-rfc9112-4-http-0.9", b"<html>hello</html>\r\n\r\n"),
    ("p11-rfc9112-2.3-http-2.0", b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9112-2.3-http-1.2", b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9112-2.3-icy", b"ICY 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9112-4-no-status", b"HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9110-15-status-000", b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9110-15-status-1000", b"HTTP/1.1 1000 OK\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9110-15-status-099", b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9110-15-status-20", b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9110-15-status-2000", b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9110-15-status-letters", b"HTTP/1.1 2O0 OK\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9112-4-control-in-reason", b"HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9112-2.2-lf-behind-status-line", b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9112-2.2-lf-behind-field", b"HTTP/1.1 200 OK\r\nX: 1\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9112-2.2-lf-only", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
    ("p11-rfc9112-2.2-cr-in-field", b"HTTP/1.1 200 OK\r\nX: 1\r2\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9110-5.5-nul-in-field", b"HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9112-5.2-fold", b"HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9112-5.1-space-before-colon", b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"),
    ("p11-rfc9112-5-no-colon", b"HTTP/1.1 200 OK\r\nX\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9110-5.1-bad-name", b"HTTP/1.1 200 OK\r\nX[]: 1\r\nContent-Length: 0\r\n\r\n"),
    ("p11-rfc9112-6.3-two-lengths", H + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
    ("p11-rfc9112-6.3-length-and-coding", H + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("p11-rfc9110-8.6-length-plus", H + b"Content-Length: +5\r\n\r\nhello"),
    ("p11-rfc9110-8.6-length-minus", H + b"Content-Length: -5\r\n\r\nhello"),
    ("p11-rfc9110-8.6-length-empty", H + b"Content-Length:\r\n\r\n"),
    ("p11-rfc9110-8.6-length-list", H + b"Content-Length: 5, 5\r\n\r\nhello"),
    ("p11-rfc9112-6.1-coding-gzip", H + b"Transfer-Encoding: gzip\r\n\r\nhello"),
    ("p11-rfc9112-6.1-coding-gzip-chunked", H + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ("p11-rfc9112-6.1-coding-twice", H + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("p11-rfc9112-6.1-coding-in-1.0", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("p11-rfc9110-15.2.2-unasked-101", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"),
    ("p11-rfc9110-15.2-broken-interim", b"HTTP/1.1 103 Early\r\nX : 1\r\n\r\n" + OK),
    ("p11-rfc9112-6.3-lengths-on-304", b"HTTP/1.1 304 N\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
)  # fmt: skip


@cases("answer", *GARBAGE)
def test_garbage_instead_of_a_head_is_a_bad_gateway(wire: Wire, answer: bytes) -> None:
    client = wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    link.send(answer)
    got = client.answer()
    assert got.status == 502
    assert got.interim == []
    link.gone()
    # The client did nothing wrong, and its next request has nothing to do with it.
    if not got.closes:
        wire.upstream.answers(OK)
        client.send(GET)
        assert client.answer().body == b"ok"
    wire.serves_on()


@cases(
    "fault",
    ("p11-rfc9110-15.6.3-closed", Link.finish),
    ("p11-rfc9110-15.6.3-reset", Link.reset),
)
def test_an_answer_cut_anywhere_is_never_whole(wire: Wire, fault: Callable[..., Any]) -> None:
    for answer in (SIZED + b"hello", CHUNKED + b"5\r\nhello\r\n0\r\nX: 1\r\n\r\n"):
        head = answer.index(b"\r\n\r\n") + 4
        for at in range(len(answer)):
            client = wire.client(GET)
            link = wire.upstream.accept()
            link.request()
            link.send(answer[:at])
            link.taken()
            fault(link)
            if at < head:
                assert client.answer().status == 502
            else:
                assert b"hello".startswith(client.cut()[0])
            client.close()
            link.close()
    wire.serves_on()


@cases(
    "sent, part, body",
    ("p11-rfc9112-8-chunk-size", GET, b"2\r\nhe\r\nxyz\r\n", b"he"),
    ("p11-rfc9112-8-chunk-size-first", GET, b"-1\r\n", b""),
    ("p11-rfc9112-8-chunk-data-longer", GET, b"2\r\nhello\r\n0\r\n\r\n", b"he"),
    ("p11-rfc9112-8-chunk-line-lf", GET, b"2\nhe\r\n0\r\n\r\n", b""),
    ("p11-rfc9112-8-chunk-overflow", GET, b"fffffffffffffffff\r\nhe", b""),
    ("p11-rfc9112-8-trailer", GET, b"2\r\nhe\r\n0\r\nX : 1\r\n\r\n", b"he"),
    ("p11-rfc9112-8-trailers-endless", GET, b"2\r\nhe\r\n0\r\n" + b"X: 1\r\n" * 20_000, b"he"),
    ("p11-rfc9112-8-chunk-size-for-1.0", OLD, b"2\r\nhe\r\nxyz\r\n", b"he"),
    ("p11-rfc9112-8-chunk-data-for-1.0", OLD, b"2\r\nheXX\r\n0\r\n\r\n", b"he"),
)
def test_broken_chunks_cut_the_answer(wire: Wire, sent: bytes, part: bytes, body: bytes) -> None:
    client = wire.client(sent)
    link = wire.upstream.accept()
    link.request()
    link.send(CHUNKED)
    assert client.head().status == 200
    link.send(part)
    assert body.startswith(client.cut()[0])
    link.gone()
    wire.serves_on()


@case("p11-rfc9112-8-chunk-size-with-the-head")
def test_broken_chunks_before_anything_was_passed_are_a_bad_gateway(wire: Wire) -> None:
    wire.upstream.answers(CHUNKED + b"xyz\r\n")
    assert wire.ask(GET).status == 502


@cases(
    "sent, ends",
    ("p11-rfc9112-8-until-close-reset", GET, ("closed", "reset")),
    ("p11-rfc9112-8-until-close-reset-for-1.0", OLD, ("reset",)),
)
def test_a_reset_within_an_answer_until_close_does_not_read_as_its_end(
    wire: Wire, sent: bytes, ends: tuple[str, ...]
) -> None:
    client = wire.client(sent)
    link = wire.upstream.accept()
    link.request()
    link.send(UNTIL_CLOSE + b"hel")
    assert client.head().status == 200
    link.reset()
    body, end = client.cut()
    assert b"hel".startswith(body)
    assert end in ends
    wire.serves_on()


@case("p11-rfc9112-8-sized-cut-for-1.0")
def test_a_cut_answer_of_known_length_ends_short(wire: Wire) -> None:
    client = wire.client(OLD)
    link = wire.upstream.accept()
    link.request()
    link.send(SIZED + b"hel")
    link.taken()
    link.finish()
    client.cut()


@cases(
    "first, surplus",
    ("p11-rfc9112-9.2-two-answers", OK, OK.replace(b"ok", b"no")),
    ("p11-rfc9112-9.2-surplus-bytes", OK, b"garbage"),
    ("p11-rfc9112-9.2-surplus-line", OK, b"\r\n"),
    ("p11-rfc9112-9.2-surplus-interim", OK, b"HTTP/1.1 100 Continue\r\n\r\n"),
    ("p11-rfc9112-9.2-behind-chunks", CHUNKED + b"2\r\nok\r\n0\r\n\r\n", OK.replace(b"ok", b"no")),
    ("p11-rfc9112-9.2-zero-length-with-body", H + b"Content-Length: 0\r\n\r\n", b"no"),
)
def test_what_follows_an_answer_reaches_nobody(wire: Wire, first: bytes, surplus: bytes) -> None:
    client = wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    link.send(first + surplus)
    assert client.answer().body in (b"ok", b"")
    link.gone()
    wire.upstream.answers(OK)
    client.send(GET)
    assert client.answer().body == b"ok"
    assert len(wire.upstream.links) == 2


@case("p11-rfc9110-15.6.4-refused")
def test_nobody_there(wire: Wire) -> None:
    wire.upstream.answers(OK)
    client = wire.client(GET.replace(b"/x", b"/nobody") + GET)
    assert client.answer().status in (502, 503)
    assert client.answer().body == b"ok"


@case("p11-rfc9112-8-half-close-before-the-answer")
def test_an_upstream_may_not_end_its_direction_before_it_answers(wire: Wire) -> None:
    client = wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    link.finish()
    assert client.answer().status == 502
    link.gone()


@case("p11-rfc9112-8-fault-in-a-pipeline")
def test_a_cut_answer_ends_the_pipeline(wire: Wire) -> None:
    client = wire.client(GET * 3)
    link = wire.upstream.accept()
    link.request()
    link.send(SIZED + b"hel")
    assert client.head().status == 200
    link.reset()
    client.cut()
    assert len(wire.upstream.links) == 1
    wire.serves_on()
