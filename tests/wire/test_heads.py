"""Points 1, 3: lines end with CRLF and nothing else; names are tokens (RFC 9112 sections 2.2, 3 and 5)."""

from tests.wire.case import cases
from tests.wire.program import Wire
from tests.wire.upstream import OK

GET = b"GET /h HTTP/1.1\r\nHost: shop.example\r\n"
END = b"\r\n\r\n"

REFUSED = (
    ("p03-rfc9112-2.2-lf-behind-request-line", b"GET / HTTP/1.1\nHost: a" + END, 400),
    ("p03-rfc9112-2.2-lf-behind-field", b"GET / HTTP/1.1\r\nHost: a\nX-A: b" + END, 400),
    ("p03-rfc9112-2.2-lf-only", b"GET / HTTP/1.1\nHost: a\n\n", 400),
    ("p03-rfc9112-2.2-lf-for-the-end", GET + b"X-A: b\r\n\n", 400),
    ("p03-rfc9112-2.2-lf-lf-then-crlf", GET + b"X-A: b\n\nGET /x HTTP/1.1\r\nHost: a" + END, 400),
    ("p03-rfc9112-2.2-cr-behind-request-line", b"GET / HTTP/1.1\rHost: a" + END, 400),
    ("p03-rfc9112-2.2-cr-behind-field", GET + b"X-A: b\rX-B: c" + END, 400),
    ("p03-rfc9112-2.2-cr-before-crlf", GET + b"X-A: b\r" + END, 400),
    ("p03-rfc9112-2.2-cr-before-the-end", GET + b"X-A: b\r\n\r\r\n" + END, 400),
    ("p03-rfc9112-2.2-cr-in-name", GET + b"X\r-A: b" + END, 400),
    ("p03-rfc9112-2.2-cr-in-request-line", b"GET /a\rb HTTP/1.1\r\nHost: a" + END, 400),
    ("p03-rfc9110-5.5-nul-in-value", GET + b"X-A: b\0c" + END, 400),
    ("p03-rfc9110-5.5-nul-in-name", GET + b"X\0A: b" + END, 400),
    ("p03-rfc9110-5.5-nul-in-target", b"GET /\0 HTTP/1.1\r\nHost: a" + END, 400),
    ("p03-rfc9110-5.5-control-in-value", GET + b"X-A: b\x01" + END, 400),
    ("p03-rfc9110-5.5-escape-in-value", GET + b"X-A: \x1b[2J" + END, 400),
    ("p03-rfc9110-5.5-delete-in-value", GET + b"X-A: b\x7f" + END, 400),
    ("p03-rfc9110-5.5-backspace-in-value", GET + b"X-A: b\x08" + END, 400),
    ("p03-rfc9112-5.2-fold-space", GET + b"X-A: b\r\n c" + END, 400),
    ("p03-rfc9112-5.2-fold-tab", GET + b"X-A: b\r\n\tc" + END, 400),
    ("p03-rfc9112-5.2-fold-empty", GET + b"X-A: b\r\n \r\nX-B: c" + END, 400),
    ("p03-rfc9112-5.2-fold-hides-length", GET + b"X-A: b\r\n Content-Length: 5" + END + b"hello", 400),
    ("p03-rfc9112-2.2-blank-before-first-field", b"GET / HTTP/1.1\r\n Host: a" + END, 400),
    ("p03-rfc9112-2.2-blank-line-before-first-field", b"GET / HTTP/1.1\r\n \r\nHost: a" + END, 400),
    ("p03-rfc9112-5.1-space-before-colon", GET + b"X-A : b" + END, 400),
    ("p03-rfc9112-5.1-tab-before-colon", GET + b"X-A\t: b" + END, 400),
    ("p03-rfc9112-5.1-space-in-length-name", GET + b"Content-Length : 5" + END + b"hello", 400),
    ("p03-rfc9112-5.1-space-in-coding-name", GET + b"Transfer-Encoding : chunked" + END + b"0" + END, 400),
    ("p03-rfc9112-5-no-colon", GET + b"X-A" + END, 400),
    ("p03-rfc9112-5-no-name", GET + b": b" + END, 400),
    ("p03-rfc9112-5-no-name-no-value", GET + b":" + END, 400),
    ("p03-rfc9110-5.1-name-with-space", GET + b"X A: b" + END, 400),
    ("p03-rfc9110-5.1-name-with-parens", GET + b"X(A): b" + END, 400),
    ("p03-rfc9110-5.1-name-with-slash", GET + b"X/A: b" + END, 400),
    ("p03-rfc9110-5.1-name-with-at", GET + b"X@A: b" + END, 400),
    ("p03-rfc9110-5.1-name-with-quote", GET + b'X"A: b' + END, 400),
    ("p03-rfc9110-5.1-name-with-brackets", GET + b"X[A]: b" + END, 400),
    ("p03-rfc9110-5.1-name-beyond-ascii", GET + b"X-\xc3\xa4: b" + END, 400),
    ("p03-rfc9110-5.1-name-no-break-space", GET + b"Content-Length\xa0: 5" + END + b"hello", 400),
    ("p03-rfc9112-3-two-spaces-before-target", b"GET  / HTTP/1.1\r\nHost: a" + END, 400),
    ("p03-rfc9112-3-two-spaces-behind-target", b"GET /  HTTP/1.1\r\nHost: a" + END, 400),
    ("p03-rfc9112-3-tab-before-target", b"GET\t/ HTTP/1.1\r\nHost: a" + END, 400),
    ("p03-rfc9112-3-space-before-method", b" GET / HTTP/1.1\r\nHost: a" + END, 400),
    ("p03-rfc9112-3-space-behind-version", b"GET / HTTP/1.1 \r\nHost: a" + END, 400),
    ("p03-rfc9112-3-no-target", b"GET HTTP/1.1\r\nHost: a" + END, 400),
    ("p03-rfc9112-3-no-method", b"/ HTTP/1.1\r\nHost: a" + END, 400),
    ("p03-rfc9112-3-no-version", b"GET /\r\nHost: a" + END, 400),
    ("p03-rfc9112-3-only-a-method", b"GET\r\n\r\n", 400),
    ("p03-rfc9110-9.1-method-with-colon", b"GE:T / HTTP/1.1\r\nHost: a" + END, 400),
    ("p03-rfc9110-9.1-method-with-slash", b"GE/T / HTTP/1.1\r\nHost: a" + END, 400),
    ("p03-rfc9110-9.1-method-beyond-ascii", b"G\xc3\x8bT / HTTP/1.1\r\nHost: a" + END, 400),
    ("p03-rfc9112-3-tls-hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + END, 400),
    ("p03-rfc9112-3-random-bytes", bytes(range(0x80, 0x100)) + END, 400),
    ("p03-rfc9112-3-nothing-but-nul", b"\0" * 16 + END, 400),
)  # fmt: skip


@cases("sent, status", *REFUSED)
def test_what_is_not_a_head_is_refused(wire: Wire, sent: bytes, status: int) -> None:
    wire.refuses(sent, status)


@cases("sent, status", *REFUSED)
def test_however_it_is_cut_into_segments(wire: Wire, sent: bytes, status: int) -> None:
    wire.upstream.answers(OK)
    for client in wire.halves(sent):
        wire.turned_away(client, status)
    client = wire.client()
    client.drip(sent)
    wire.turned_away(client, status)
    wire.only_the_probe_passes()


@cases(
    "sent, expected",
    ("p01-rfc9112-5-no-blank-before-value", b"X-A:b", ("X-A", "b")),
    ("p01-rfc9110-5.5-blanks-around-value", b"X-A: \t b\t ", ("X-A", "b")),
    ("p01-rfc9110-5.5-empty-value", b"X-A:", ("X-A", "")),
    ("p01-rfc9110-5.5-only-blanks", b"X-A:  \t", ("X-A", "")),
    ("p01-rfc9110-5.5-tab-within", b"X-A: b\tc", ("X-A", "b\tc")),
    ("p01-rfc9110-5.5-colons-within", b"X-A:: b:c", ("X-A", ": b:c")),
    ("p01-rfc9110-5.5-beyond-ascii", b"X-A: \xff\x80\xc3\xa4", ("X-A", "\xff\x80\xc3\xa4")),
    ("p01-rfc9110-5.6.2-every-token-byte", b"!#$%&'*+-.^_`|~09azAZ: b", ("!#$%&'*+-.^_`|~09azAZ", "b")),
    ("p01-rfc9110-5.5-commas-and-quotes", b'X-A: "a, \\"b", c', ("X-A", '"a, \\"b", c')),
)
def test_an_odd_field_that_is_legal_passes(wire: Wire, sent: bytes, expected: tuple[str, str]) -> None:
    wire.upstream.answers(OK)
    assert wire.ask(GET + sent + END).status == 200
    assert expected in wire.passed().fields


@cases(
    "sent",
    ("p15-rfc9112-2.2-segments-head", GET + b"X-A: b\r\nAccept: */*" + END),
    ("p15-rfc9112-2.2-segments-empty-line-before", b"\r\n\r\nGET /h HTTP/1.1\r\nHost: shop.example" + END),
    ("p15-rfc9112-2.2-segments-pipelined", GET + b"\r\n" + b"GET /h HTTP/1.1\r\nHost: b" + END),
)
def test_a_good_head_in_any_two_segments_and_byte_by_byte(wire: Wire, sent: bytes) -> None:
    wire.upstream.answers(OK)
    count = sent.count(b"GET")
    for client in wire.halves(sent):
        assert [client.answer().body for _ in range(count)] == [b"ok"] * count
    client = wire.client()
    client.drip(sent)
    assert [client.answer().body for _ in range(count)] == [b"ok"] * count
    assert {request.target for request in wire.upstream.requests} == {"/h"}
    assert len(wire.upstream.requests) == count * len(sent)


@cases(
    "answer",
    ("p01-rfc9112-7-answer-with-extensions", b"5;a=b\r\nhello\r\n0;c\r\nX-Sum: 1\r\n\r\n"),
    ("p01-rfc9112-7-answer-in-small-chunks", b"1\r\nh\r\n0004\r\nello\r\n00\r\n\r\n"),
)
def test_the_chunks_of_an_answer_are_written_anew(wire: Wire, answer: bytes) -> None:
    wire.upstream.answers(b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\nTrailer: X-Sum\r\n\r\n" + answer)
    client = wire.client(GET + b"\r\n")
    raw = b""
    while not raw.endswith(b"\r\n0\r\n\r\n"):
        raw += client.receive()
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"\r\nTransfer-Encoding: chunked" in head
    assert b"Trailer" not in head
    assert b";" not in body
    assert b"X-Sum" not in body


@cases(
    "coding",
    ("p01-rfc9112-7-request-chunks-written-anew", b"tRANSFER-eNCODING:\tchunked \r\n"),
)
def test_the_framing_of_a_request_is_written_anew(wire: Wire, coding: bytes) -> None:
    wire.upstream.answers(OK)
    assert wire.ask(b"POST /h HTTP/1.1\r\nHost: a\r\n" + coding + b"\r\n005;x=y\r\nhello\r\n00;z\r\nX-T: 1\r\n\r\n").status == 200  # fmt: skip
    (link,) = wire.upstream.links
    head, _, body = link.raw.partition(b"\r\n\r\n")
    assert b"\r\nTransfer-Encoding: chunked" in head
    assert body == b"5\r\nhello\r\n0\r\n\r\n"
