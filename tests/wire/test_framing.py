"""Point 2: one unambiguous length (RFC 9112 sections 6 and 7)."""

import pytest

from tests.wire.case import cases
from tests.wire.program import Wire
from tests.wire.upstream import OK

POST = b"POST /f HTTP/1.1\r\nHost: shop.example\r\n"
TE = b"Transfer-Encoding: "
CHUNKED = POST + TE + b"chunked\r\n\r\n"
BODY = b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

REFUSED = (
    ("p02-rfc9112-6.3-cl-and-te", POST + b"Content-Length: 5\r\n" + TE + b"chunked" + BODY, 400),
    ("p02-rfc9112-6.3-te-and-cl", POST + TE + b"chunked\r\nContent-Length: 5" + BODY, 400),
    ("p02-rfc9112-6.3-cl-0-and-te", POST + b"Content-Length: 0\r\n" + TE + b"chunked" + BODY, 400),
    ("p02-rfc9112-6.3-cl-and-unknown-te", POST + b"Content-Length: 5\r\n" + TE + b"gzip\r\n\r\nhello", (400, 501)),
    ("p02-rfc9112-6.3-two-cl", POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400),
    ("p02-rfc9112-6.3-two-equal-cl", POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
    ("p02-rfc9112-6.3-two-cl-apart", POST + b"Content-Length: 5\r\nA: b\r\ncontent-length: 0\r\n\r\nhello", 400),
    ("p02-rfc9112-6.3-cl-list", POST + b"Content-Length: 5, 5\r\n\r\nhello", 400),
    ("p02-rfc9110-8.6-cl-plus", POST + b"Content-Length: +5\r\n\r\nhello", 400),
    ("p02-rfc9110-8.6-cl-minus", POST + b"Content-Length: -5\r\n\r\nhello", 400),
    ("p02-rfc9110-8.6-cl-minus-zero", POST + b"Content-Length: -0\r\n\r\n", 400),
    ("p02-rfc9110-8.6-cl-hex", POST + b"Content-Length: 0x5\r\n\r\nhello", 400),
    ("p02-rfc9110-8.6-cl-hex-digit", POST + b"Content-Length: a\r\n\r\nhello", 400),
    ("p02-rfc9110-8.6-cl-space-within", POST + b"Content-Length: 1 0\r\n\r\nhello", 400),
    ("p02-rfc9110-8.6-cl-underscore", POST + b"Content-Length: 1_0\r\n\r\nhello", 400),
    ("p02-rfc9110-8.6-cl-empty", POST + b"Content-Length:\r\n\r\nhello", 400),
    ("p02-rfc9110-8.6-cl-fraction", POST + b"Content-Length: 5.0\r\n\r\nhello", 400),
    ("p02-rfc9110-8.6-cl-semicolon", POST + b"Content-Length: 5;\r\n\r\nhello", 400),
    ("p02-rfc9110-8.6-cl-arabic-digit", POST + b"Content-Length: \xd9\xa5\r\n\r\nhello", 400),
    ("p02-rfc9110-8.6-cl-superscript", POST + b"Content-Length: \xb2\r\n\r\nhello", 400),
    ("p02-rfc9110-8.6-cl-vertical-tab", POST + b"Content-Length: \x0b5\r\n\r\nhello", 400),
    ("p02-rfc9110-8.6-cl-no-break-space", POST + b"Content-Length: 5\xa0\r\n\r\nhello", 400),
    ("p02-rfc9110-8.6-cl-overflow", POST + b"Content-Length: 18446744073709551621\r\n\r\nhello", 400),
    ("p02-rfc9110-8.6-cl-endless", POST + b"Content-Length: " + b"9" * 400 + b"\r\n\r\nhello", 400),
    ("p02-rfc9112-6.1-te-gzip", POST + TE + b"gzip\r\n\r\nhello", 501),
    ("p02-rfc9112-6.1-te-identity", POST + TE + b"identity\r\n\r\nhello", 501),
    ("p02-rfc9112-6.1-te-unknown", POST + TE + b"cow\r\n\r\nhello", 501),
    ("p02-rfc9112-6.1-te-gzip-chunked", POST + TE + b"gzip, chunked" + BODY, (400, 501)),
    ("p02-rfc9112-6.1-te-chunked-gzip", POST + TE + b"chunked, gzip" + BODY, (400, 501)),
    ("p02-rfc9112-6.1-te-chunked-identity", POST + TE + b"chunked, identity" + BODY, (400, 501)),
    ("p02-rfc9112-6.1-te-chunked-twice", POST + TE + b"chunked, chunked" + BODY, 400),
    ("p02-rfc9112-6.1-te-two-fields", POST + TE + b"chunked\r\n" + TE + b"chunked" + BODY, 400),
    ("p02-rfc9112-6.1-te-other-field", POST + TE + b"chunked\r\n" + TE + b"identity" + BODY, (400, 501)),
    ("p02-rfc9112-6.1-te-comma-before", POST + TE + b",chunked" + BODY, 400),
    ("p02-rfc9112-6.1-te-comma-behind", POST + TE + b"chunked," + BODY, 400),
    ("p02-rfc9112-6.1-te-parameter", POST + TE + b"chunked;q=1" + BODY, (400, 501)),
    ("p02-rfc9112-6.1-te-quoted", POST + TE + b'"chunked"' + BODY, (400, 501)),
    ("p02-rfc9112-6.1-te-prefix", POST + TE + b"xchunked" + BODY, (400, 501)),
    ("p02-rfc9112-6.1-te-suffix", POST + TE + b"chunkedx" + BODY, (400, 501)),
    ("p02-rfc9112-6.1-te-empty", POST + TE + BODY, (400, 501)),
    ("p02-rfc9112-6.1-te-vertical-tab", POST + TE + b"\x0bchunked" + BODY, (400, 501)),
    ("p02-rfc9112-6.1-te-form-feed", POST + TE + b"chunked\x0c" + BODY, (400, 501)),
    ("p02-rfc9112-6.1-te-no-break-space", POST + TE + b"\xa0chunked" + BODY, (400, 501)),
    ("p02-rfc9112-6.1-te-long-s", POST + TE + "chun\u212aed".encode() + BODY, (400, 501)),
    ("p02-rfc9112-6.1-te-in-1.0", POST.replace(b"1.1", b"1.0") + TE + b"chunked" + BODY, 400),
    ("p02-rfc9112-6.1-te-in-1.0-kept", POST.replace(b"1.1", b"1.0") + b"Connection: keep-alive\r\n" + TE + b"chunked" + BODY, 400),
    ("p02-rfc9112-6.1-te-on-get", b"GET / HTTP/1.1\r\nHost: a\r\n" + TE + b"gzip\r\n\r\n", 501),
)  # fmt: skip


@cases("sent, statuses", *REFUSED)
def test_a_length_with_two_readings_is_refused(
    wire: Wire, sent: bytes, statuses: int | tuple[int, int]
) -> None:
    wire.refuses(sent, statuses)


@cases("sent, statuses", *REFUSED)
def test_however_it_is_cut_into_segments(wire: Wire, sent: bytes, statuses: int | tuple[int, int]) -> None:
    wire.upstream.answers(OK)
    head = sent.index(b"\r\n\r\n") + 4
    for client in wire.halves(sent, range(1, head)):
        wire.turned_away(client, statuses)
    client = wire.client()
    client.drip(sent[:head])
    wire.turned_away(client, statuses)
    wire.only_the_probe_passes()


@cases(
    "body",
    ("p02-rfc9112-7.1-size-missing", b"\r\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-size-not-hex", b"g\r\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-size-0x", b"0x5\r\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-size-plus", b"+5\r\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-size-minus", b"-5\r\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-size-underscore", b"1_0\r\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-size-space-before", b" 5\r\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-size-no-break-space", b"5\xa0\r\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-size-vertical-tab", b"5\x0b\r\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-size-two", b"5 5\r\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-size-overflow-64", b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-size-overflow-32", b"fffffffffffffffffffb\r\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-size-lf", b"5\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-size-cr", b"5\rhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-extension-lf", b"5;a\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-extension-cr", b"5;a\rb\r\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-extension-nul", b"5;a\0\r\nhello\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-data-longer", b"5\r\nhello!\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-data-shorter", b"5\r\nhell\r\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-data-end-lf", b"5\r\nhello\n0\r\n\r\n"),
    ("p02-rfc9112-7.1-data-end-cr", b"5\r\nhello\r0\r\n\r\n"),
    ("p02-rfc9112-7.1-data-end-missing", b"5\r\nhello0\r\n\r\n"),
    ("p02-rfc9112-7.1-last-lf", b"5\r\nhello\r\n0\n\r\n"),
    ("p02-rfc9112-7.1-last-end-lf", b"5\r\nhello\r\n0\r\n\n"),
    ("p02-rfc9112-7.1.2-trailer-no-colon", b"5\r\nhello\r\n0\r\nX-A\r\n\r\n"),
    ("p02-rfc9112-7.1.2-trailer-space", b"5\r\nhello\r\n0\r\nX-A : b\r\n\r\n"),
    ("p02-rfc9112-7.1.2-trailer-fold", b"5\r\nhello\r\n0\r\nX-A: b\r\n c\r\n\r\n"),
    ("p02-rfc9112-7.1.2-trailer-lf", b"5\r\nhello\r\n0\r\nX-A: b\n\r\n"),
    ("p02-rfc9112-7.1.2-trailer-nul", b"5\r\nhello\r\n0\r\nX-A: \0\r\n\r\n"),
)
def test_a_broken_chunk_ends_both_connections(wire: Wire, body: bytes) -> None:
    wire.breaks_off(400, CHUNKED + body)


@cases(
    "sent, body",
    ("p02-rfc9112-6.3-no-length", POST + b"\r\n", b""),
    ("p02-rfc9112-6.3-cl", POST + b"Content-Length: 5\r\n\r\nhello", b"hello"),
    ("p02-rfc9112-6.3-cl-on-get", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    ("p02-rfc9112-6.3-chunked-on-get", b"GET / HTTP/1.1\r\nHost: a\r\n" + TE + b"chunked" + BODY, b"hello"),
    ("p02-rfc9112-6.3-cl-on-delete", b"DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", b"x"),
    ("p02-rfc9110-8.6-cl-zero", POST + b"Content-Length: 0\r\n\r\n", b""),
    ("p02-rfc9110-8.6-cl-leading-zeros", POST + b"Content-Length: 005\r\n\r\nhello", b"hello"),
    ("p02-rfc9110-5.6.3-cl-blanks-around", POST + b"Content-Length: \t 5 \t\r\n\r\nhello", b"hello"),
    ("p02-rfc9112-7-te-case", POST + TE + b"cHuNKed" + BODY, b"hello"),
    ("p02-rfc9112-7-te-blanks-around", POST + TE + b" \tchunked \t" + BODY, b"hello"),
    ("p02-rfc9112-7.1-chunks", CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"hello"),
    ("p02-rfc9112-7.1-empty", CHUNKED + b"0\r\n\r\n", b""),
    ("p02-rfc9112-7.1-hex-case", CHUNKED + b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", b"0123456789" * 2),
    ("p02-rfc9112-7.1-leading-zeros", CHUNKED + b"0005\r\nhello\r\n000\r\n\r\n", b"hello"),
    ("p02-rfc9112-7.1.1-extensions", CHUNKED + b'5;a=b;c="d e"\r\nhello\r\n0;last\r\n\r\n', b"hello"),
    ("p02-rfc9112-7.1.1-extension-with-size", CHUNKED + b"5;2\r\nhello\r\n0;5\r\n\r\n", b"hello"),
    ("p02-rfc9112-7.1-crlf-in-data", CHUNKED + b"9\r\n\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", b"\r\n0\r\n\r\n\r\n"),
    ("p02-rfc9112-7.1.2-trailers", CHUNKED + b"5\r\nhello\r\n0\r\nX-Sum: 1\r\nHost: evil\r\n\r\n", b"hello"),
    ("p02-rfc9112-2.2-body-like-a-request", POST + b"Content-Length: 28\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"),
)  # fmt: skip
def test_a_clear_length_passes_and_the_next_request_behind_it(wire: Wire, sent: bytes, body: bytes) -> None:
    wire.upstream.answers(OK)
    client = wire.client(sent + b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
    assert [client.answer().status, client.answer().status] == [200, 200]
    first, second = wire.upstream.requests
    assert first.body == body
    assert (second.target, second.body) == ("/next", b"")
    assert not first.all("x-sum")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(POST + b"Content-Length: 5\r\n\r\nhello", id="p15-rfc9112-6.3-segments-cl"),
        pytest.param(
            CHUNKED + b"5;a=b\r\nhello\r\n0\r\nX-A: b\r\n\r\n", id="p15-rfc9112-7.1-segments-chunked"
        ),
    ],
)
def test_a_body_in_any_two_segments_and_byte_by_byte(wire: Wire, sent: bytes) -> None:
    wire.upstream.answers(OK)
    for client in wire.halves(sent):
        assert client.answer().body == b"ok"
    client = wire.client()
    client.drip(sent)
    assert client.answer().body == b"ok"
    assert {request.body for request in wire.upstream.requests} == {b"hello"}
    assert len(wire.upstream.requests) == len(sent)
