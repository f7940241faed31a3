"""Points 5 and 6: fields pass as they are, those of one connection don't (RFC 9110 sections 5 and 7.6.1)."""

from tests.wire.case import case, cases
from tests.wire.program import Wire
from tests.wire.reader import Fields, Request
from tests.wire.upstream import OK

GET = b"GET /f HTTP/1.1\r\nHost: shop.example\r\n"
ADDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Real-IP")
ADDED += ("X-Request-Id", "Via")
"""What we add to a request, each once: the documented list."""


def end_to_end(passed: Request) -> Fields:
    """The fields that aren't ours; ours have to be there once each, and Host first."""
    assert passed.fields[0][0] == "Host"
    for name in ADDED:
        assert passed.one(name), f"{name} is missing: {passed.fields}"
    return passed.without("Host", *ADDED)


def lines(*each: bytes) -> bytes:
    return b"".join(line + b"\r\n" for line in each) + b"\r\n"


@cases(
    "sent, expected",
    ("p05-rfc9110-5.3-order", (b"B: 1", b"A: 2", b"C: 3"), [("B", "1"), ("A", "2"), ("C", "3")]),
    ("p05-rfc9110-5.3-repeated", (b"A: 1", b"B: 2", b"A: 3"), [("A", "1"), ("B", "2"), ("A", "3")]),
    ("p05-rfc9110-5.3-repeated-equal", (b"A: 1", b"A: 1"), [("A", "1"), ("A", "1")]),
    ("p05-rfc9110-5.1-case-of-names", (b"x-UPPER: 1", b"X-upper: 2"), [("x-UPPER", "1"), ("X-upper", "2")]),
    ("p05-rfc9110-5.3-cookies", (b"Cookie: a=1", b"Cookie: b=2"), [("Cookie", "a=1"), ("Cookie", "b=2")]),
    ("p05-rfc9110-12.5.3-accept-encoding", (b"Accept-Encoding: gzip, br;q=0.5",), [("Accept-Encoding", "gzip, br;q=0.5")]),
    ("p05-rfc9110-14.2-range", (b"Range: bytes=0-1, 3-", b'If-Range: "a"'), [("Range", "bytes=0-1, 3-"), ("If-Range", '"a"')]),
    ("p05-rfc9110-13.1-conditions", (b'If-None-Match: W/"a", "b"', b"If-Match: *"), [("If-None-Match", 'W/"a", "b"'), ("If-Match", "*")]),
    ("p05-rfc9110-11.6.2-authorization", (b"Authorization: Basic YTpi",), [("Authorization", "Basic YTpi")]),
    ("p05-rfc9110-8.4-content-encoding", (b"Content-Encoding: gzip", b"Content-Type: a/b"), [("Content-Encoding", "gzip"), ("Content-Type", "a/b")]),
    ("p05-w3c-trace-context", (b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", b"tracestate: a=b,c=d"), [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("tracestate", "a=b,c=d")]),
    ("p05-rfc9110-5-nothing-added", (), []),
    ("p06-rfc9110-7.6.1-connection", (b"Connection: keep-alive", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-keep-alive", (b"Keep-Alive: timeout=5", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-proxy-connection", (b"Proxy-Connection: keep-alive", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-10.1.4-te", (b"TE: trailers", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-10.1.4-te-nominated", (b"TE: trailers", b"Connection: TE", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-6.6.2-trailer", (b"Trailer: X-Sum", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.8-upgrade-alone", (b"Upgrade: websocket", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-nominated", (b"Connection: X-Hop", b"X-Hop: 1", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-nominated-before", (b"X-Hop: 1", b"Connection: X-Hop", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-nominated-case", (b"connection: x-HOP", b"X-Hop: 1", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-nominated-repeated", (b"Connection: X-Hop", b"X-Hop: 1", b"X-Hop: 2", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-nominated-list", (b"Connection: a , ,\tX-Hop,keep-alive", b"X-Hop: 1", b"A: 1", b"B: 2"), [("B", "2")]),
    ("p06-rfc9110-7.6.1-nominated-in-second-line", (b"Connection: keep-alive", b"Connection: X-Hop", b"X-Hop: 1", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-nominated-cookie", (b"Connection: Cookie", b"Cookie: a=b", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-nominated-missing", (b"Connection: X-None", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-nominated-long-list", (b"Connection: " + b",".join(b"X-%d" % n for n in range(500)) + b",X-Hop", b"X-Hop: 1", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-nominated-x-forwarded-for", (b"Connection: X-Forwarded-For, X-Forwarded-Proto", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-nominated-x-forwarded-host", (b"Connection: X-Forwarded-Host, X-Request-Id, Via", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-nominated-host", (b"Connection: Host, close", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-nominated-star", (b"Connection: *", b"A: 1"), [("A", "1")]),
)  # fmt: skip
def test_the_fields_of_a_request(
    wire: Wire, sent: tuple[bytes, ...], expected: list[tuple[str, str]]
) -> None:
    wire.upstream.answers(OK)
    assert wire.ask(GET + lines(*sent)).status == 200
    assert end_to_end(wire.passed()) == expected


@cases(
    "sent",
    ("p06-rfc9110-7.6.1-nominated-length", b"Connection: Content-Length\r\nContent-Length: 5\r\n\r\nhello"),
    (
        "p06-rfc9110-7.6.1-nominated-coding",
        b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ),
)
def test_a_nomination_never_strips_a_length(wire: Wire, sent: bytes) -> None:
    wire.upstream.answers(OK)
    assert wire.ask(b"POST /f HTTP/1.1\r\nHost: a\r\n" + sent).status == 200
    assert wire.passed().body == b"hello"


def answered(
    wire: Wire, head: bytes, body: bytes = b"ok", request: bytes = GET + b"\r\n"
) -> list[tuple[str, str]]:
    wire.upstream.answers(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b\r\n%b" % (len(body), head, body))
    answer = wire.ask(request)
    assert (answer.status, answer.body) == (200, body)
    return answer.without("Content-Length")


@cases(
    "sent, expected",
    ("p05-rfc6265-3-set-cookie", (b"Set-Cookie: a=1; Path=/", b"Set-Cookie: b=2, c"), [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2, c")]),
    ("p05-rfc6265-3-set-cookie-apart", (b"Set-Cookie: a=1", b"X: 1", b"set-cookie: a=1"), [("Set-Cookie", "a=1"), ("X", "1"), ("set-cookie", "a=1")]),
    ("p05-rfc9110-11.6.1-www-authenticate", (b"WWW-Authenticate: Basic realm=a", b'WWW-Authenticate: Digest realm="b, c"'), [("WWW-Authenticate", "Basic realm=a"), ("WWW-Authenticate", 'Digest realm="b, c"')]),
    ("p05-rfc9110-5.3-answer-order", (b"Vary: a", b"B: 1", b"A: 2", b"Vary: b"), [("Vary", "a"), ("B", "1"), ("A", "2"), ("Vary", "b")]),
    ("p05-rfc9110-5.1-answer-case", (b"eTaG: W/\"x\"",), [("eTaG", 'W/"x"')]),
    ("p05-rfc9110-5.5-answer-beyond-ascii", (b"X: \xff\x80",), [("X", "\xff\x80")]),
    ("p05-rfc9110-5.5-answer-empty-value", (b"X:",), [("X", "")]),
    ("p05-rfc9110-6.6.1-date-kept", (b"Date: Thu, 01 Jan 1970 00:00:00 GMT",), [("Date", "Thu, 01 Jan 1970 00:00:00 GMT")]),
    ("p05-rfc9110-10.2.4-server-kept", (b"Server: origin/1",), [("Server", "origin/1")]),
    ("p05-rfc9110-10.2.2-location-kept", (b"Location: http://127.0.0.1:1/x",), [("Location", "http://127.0.0.1:1/x")]),
    ("p05-rfc9110-5-answer-nothing-added", (), []),
    ("p06-rfc9110-7.6.1-answer-connection", (b"Connection: keep-alive", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-answer-connection-close", (b"Connection: close", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-answer-keep-alive", (b"Keep-Alive: timeout=5", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-answer-proxy-connection", (b"Proxy-Connection: close", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-answer-nominated", (b"Connection: X-Hop", b"x-hop: 1", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-answer-nominated-cookie", (b"Connection: Set-Cookie", b"Set-Cookie: a=b", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-answer-nominated-length", (b"Connection: Content-Length", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.8-answer-upgrade", (b"Upgrade: h2c", b"Connection: upgrade", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-6.6.2-answer-trailer", (b"Trailer: X-Sum", b"A: 1"), [("A", "1")]),
    ("p06-rfc9110-7.6.1-answer-te", (b"TE: trailers", b"A: 1"), [("A", "1")]),
)  # fmt: skip
def test_the_fields_of_an_answer(
    wire: Wire, sent: tuple[bytes, ...], expected: list[tuple[str, str]]
) -> None:
    assert answered(wire, b"".join(line + b"\r\n" for line in sent)) == expected


@case("p05-rfc9110-15-reason-as-sent")
def test_the_reason_passes(wire: Wire) -> None:
    wire.upstream.answers(b"HTTP/1.1 299 Quite  \xfcnusual\r\nContent-Length: 0\r\n\r\n")
    answer = wire.ask(GET + b"\r\n")
    assert (answer.status, answer.reason) == (299, "Quite  \xfcnusual")


@case("p05-rfc9112-4-no-reason")
def test_an_answer_without_a_reason_passes(wire: Wire) -> None:
    wire.upstream.answers(b"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n")
    assert wire.ask(GET + b"\r\n").status == 404


@case("p06-rfc9112-9.3-close-of-one-side-is-not-the-others")
def test_each_side_closes_for_itself(wire: Wire) -> None:
    wire.upstream.answers(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    client = wire.client(GET + b"\r\n")
    assert not client.answer().closes
    wire.upstream.answers(OK)
    client.send(GET + b"Connection: close\r\n\r\n")
    assert client.answer().closes
    assert client.ended() == "closed"
    assert all("close" not in ",".join(request.all("connection")) for request in wire.upstream.requests)


@cases(
    "version, connection, kept",
    ("p06-rfc9112-9.3-1.1", b"HTTP/1.1", b"", True),
    ("p06-rfc9112-9.3-1.1-close", b"HTTP/1.1", b"Connection: close\r\n", False),
    ("p06-rfc9112-9.3-1.1-close-in-list", b"HTTP/1.1", b"Connection: x, CLOSE\r\n", False),
    ("p06-rfc9112-9.3-1.1-close-wins", b"HTTP/1.1", b"Connection: keep-alive, close\r\n", False),
    ("p06-rfc9112-9.3-1.0", b"HTTP/1.0", b"", False),
    ("p06-rfc9112-9.3-1.0-keep-alive", b"HTTP/1.0", b"Connection: Keep-Alive\r\n", True),
    ("p06-rfc9112-9.3-1.0-close", b"HTTP/1.0", b"Connection: close\r\n", False),
)
def test_a_connection_is_kept_or_closed_as_the_client_says(
    wire: Wire, version: bytes, connection: bytes, kept: bool
) -> None:
    wire.upstream.answers(OK)
    client = wire.client(GET.replace(b"HTTP/1.1", version) + connection + b"\r\n")
    answer = client.answer()
    assert answer.body == b"ok"
    if kept:
        if version == b"HTTP/1.0":
            assert answer.one("connection").lower() == "keep-alive"
        client.send(GET + b"\r\n")
        assert client.answer().body == b"ok"
    else:
        assert client.ended() == "closed"
        assert answer.closes
