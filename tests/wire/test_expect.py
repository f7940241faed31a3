"""Point 10: Expect: 100-continue (RFC 9110 section 10.1.1)."""

from tests.wire.case import case, cases
from tests.wire.program import Wire
from tests.wire.upstream import OK

HEAD = b"POST /e HTTP/1.1\r\nHost: shop.example\r\nExpect: 100-continue\r\n"
SIZED = HEAD + b"Content-Length: 5\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@cases(
    "head, body",
    ("p10-rfc9110-10.1.1-waits-sized", SIZED, b"hello"),
    ("p10-rfc9110-10.1.1-waits-chunked", CHUNKED, b"5\r\nhello\r\n0\r\n\r\n"),
    ("p10-rfc9110-10.1.1-waits-case", SIZED.replace(b"100-continue", b"100-Continue"), b"hello"),
)
def test_a_client_that_waits_gets_the_upstreams_word(wire: Wire, head: bytes, body: bytes) -> None:
    client = wire.client(head)
    link = wire.upstream.accept()
    assert link.head().one("expect").lower() == "100-continue", "the head goes on at once"
    link.send(CONTINUE)
    assert client.read(len(CONTINUE)) == CONTINUE
    client.send(body)
    assert link.request().body == b"hello"
    link.send(OK)
    assert client.answer().body == b"ok"


@cases(
    "segments",
    ("p10-rfc9110-10.1.1-does-not-wait", (SIZED + b"hello",)),
    ("p10-rfc9110-10.1.1-does-not-wait-long", (SIZED, b"hello")),
    ("p10-rfc9110-10.1.1-does-not-wait-chunked", (CHUNKED, b"5\r\nhel", b"lo\r\n0\r\n\r\n")),
)
def test_a_client_that_does_not_wait_is_served(wire: Wire, segments: tuple[bytes, ...]) -> None:
    wire.upstream.answers(OK)
    answer = wire.client(*segments).answer()
    assert (answer.status, answer.body) == (200, b"ok")
    assert wire.passed().body == b"hello"


@case("p10-rfc9110-10.1.1-100-with-the-answer")
def test_a_100_may_come_together_with_the_answer(wire: Wire) -> None:
    wire.upstream.answers(CONTINUE + OK)
    answer = wire.client(SIZED + b"hello").answer()
    assert ([each.status for each in answer.interim], answer.body) == ([100], b"ok")


@cases(
    "early",
    ("p10-rfc9110-10.1.1-refused-417", b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"),
    ("p10-rfc9110-10.1.1-refused-413", b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"),
    ("p10-rfc9110-10.1.1-refused-401-chunked", b"HTTP/1.1 401 U\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"),
    ("p10-rfc9110-10.1.1-answered-200", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"),
)  # fmt: skip
def test_an_early_answer_without_a_100_is_the_last_of_both_connections(wire: Wire, early: bytes) -> None:
    client = wire.client(SIZED)
    link = wire.upstream.accept()
    link.head()
    link.send(early)
    answer = client.answer()
    assert (answer.body, answer.interim, answer.closes) == (b"no", [], True)
    assert client.ended() == "closed"
    link.gone()  # its request is not complete: another request on it would be read as the body
    wire.never_whole()


@case("p10-rfc9110-10.1.1-from-1.0")
def test_an_expectation_of_http_1_0_is_ignored(wire: Wire) -> None:
    wire.upstream.answers(OK)
    client = wire.client(SIZED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"hello")
    answer = client.answer()
    assert (answer.status, answer.interim) == (200, [])
    assert wire.passed().all("expect") == []


@cases(
    "value",
    ("p10-rfc9110-10.1.1-unknown", b"cow"),
    ("p10-rfc9110-10.1.1-list-with-unknown", b"100-continue, cow"),
    ("p10-rfc9110-10.1.1-prefix", b"100-continuex"),
    ("p10-rfc9110-10.1.1-200-ok", b"200-ok"),
)
def test_another_expectation_fails(wire: Wire, value: bytes) -> None:
    wire.upstream.answers(OK)
    sent = b"POST /e HTTP/1.1\r\nHost: a\r\nExpect: %b\r\nContent-Length: 5\r\n\r\n" % value
    assert wire.ask(sent).status == 417
    wire.only_the_probe_passes()


@case("p10-rfc9110-10.1.1-nobody-there")
def test_no_100_before_the_upstream_is_reached(wire: Wire) -> None:
    answer = wire.ask(SIZED.replace(b"/e", b"/nobody"))
    assert answer.status in (502, 503)
    assert answer.interim == []


@case("p10-rfc9110-10.1.1-reset-instead-of-100")
def test_an_upstream_that_resets_is_a_bad_gateway(wire: Wire) -> None:
    client = wire.client(SIZED)
    link = wire.upstream.accept()
    link.head()
    link.reset()
    assert client.answer().status == 502
    wire.serves_on()
