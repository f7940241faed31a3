"""Points 12, 13: what is pooled is clean, what went stale never surfaces (RFC 9112 sections 9.3, 9.3.1)."""

from collections.abc import Callable
from typing import Any

from tests.wire.case import case, cases
from tests.wire.program import Wire
from tests.wire.upstream import OK, Link

GET = b"GET /p HTTP/1.1\r\nHost: shop.example\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\n\r\nhello"
H = b"HTTP/1.1 200 OK\r\n"


def served(wire: Wire, sent: bytes = GET) -> Link:
    """A connection that has carried one request, and is idle now."""
    client = wire.client(sent)
    link = wire.upstream.accept()
    link.request()
    link.send(OK)
    assert client.answer().body == b"ok"
    return link


def answers_anew(wire: Wire, sent: bytes = GET) -> None:
    """The next request comes on another connection."""
    client = wire.client(sent)
    link = wire.upstream.accept()
    link.request()
    link.send(OK.replace(b"ok", b"me"))
    assert client.answer().body == b"me"


@cases(
    "answer",
    ("p12-rfc9112-9.3-sized", OK),
    ("p12-rfc9112-9.3-empty", H + b"Content-Length: 0\r\n\r\n"),
    ("p12-rfc9112-9.3-chunked", H + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    (
        "p12-rfc9112-9.3-chunked-with-trailers",
        H + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: 1\r\n\r\n",
    ),
    ("p12-rfc9112-9.3-204", b"HTTP/1.1 204 No Content\r\n\r\n"),
    ("p12-rfc9112-9.3-304", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
    ("p12-rfc9112-9.3-103", b"HTTP/1.1 103 Early\r\n\r\n" + OK),
    (
        "p12-rfc9112-9.3-1.0-keep-alive",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    ),
    ("p12-rfc9112-9.3-500", b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno"),
)
def test_a_clean_connection_is_used_again(wire: Wire, answer: bytes) -> None:
    wire.upstream.answers(answer)
    client = wire.client(GET)
    client.answer()
    client.send(POST)
    client.answer()
    wire.ask(GET)
    assert len(wire.upstream.links) == 1
    assert len(wire.upstream.requests) == 3


@cases(
    "answer",
    ("p12-rfc9112-9.6-close", H + b"Connection: close\r\nContent-Length: 2\r\n\r\nok"),
    ("p12-rfc9112-9.6-close-in-list", H + b"Connection: x, Close\r\nContent-Length: 2\r\n\r\nok"),
    ("p12-rfc9112-9.3-1.0", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("p12-rfc9112-9.2-surplus", OK + b"x"),
)
def test_another_is_not(wire: Wire, answer: bytes) -> None:
    client = wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    link.send(answer)
    assert client.answer().body == b"ok"
    link.gone()
    answers_anew(wire)


@case("p12-rfc9112-9.3-answered-early")
def test_a_connection_whose_request_is_not_complete_is_not(wire: Wire) -> None:
    client = wire.client(POST[:-2])
    link = wire.upstream.accept()
    link.head()
    link.send(OK)
    answer = client.answer()
    assert (answer.body, answer.closes) == (b"ok", True)
    client.send(POST[-2:] + GET)
    assert client.ended() == "closed"
    link.gone()
    answers_anew(wire)


UNASKED = OK.replace(b"ok", b"no")
IDLE = (
    ("p12-rfc9112-9.2-unsolicited-answer", lambda link: link.send(UNASKED)),
    (
        "p12-rfc9112-9.5-unsolicited-408",
        lambda link: link.send(b"HTTP/1.1 408 T\r\nConnection: close\r\n\r\n"),
    ),
    ("p12-rfc9112-9.2-unsolicited-byte", lambda link: link.send(b"H")),
    ("p12-rfc9112-9.2-unsolicited-line", lambda link: link.send(b"\r\n")),
    ("p12-rfc9112-9.3-closed", Link.finish),
    ("p12-rfc9112-9.3-reset", Link.reset),
    ("p12-rfc9112-9.2-unsolicited-answer-and-close", lambda link: (link.send(UNASKED), link.finish())),
)


@cases("event", *IDLE)
def test_whatever_happens_on_an_idle_connection_removes_it(wire: Wire, event: Callable[..., Any]) -> None:
    link = served(wire)
    event(link)
    if event is not Link.reset:
        link.gone()
    answers_anew(wire)


@cases("event", *((name + "-just-before-post", event) for name, event in IDLE))
def test_even_when_it_happens_just_before_the_next_request(wire: Wire, event: Callable[..., Any]) -> None:
    client = wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    link.send(OK)
    assert client.answer().body == b"ok"
    event(link)
    client.send(POST)  # at once: the proxy may hear of both in one turn of its loop
    fresh = wire.upstream.accept()
    assert fresh.request().body == b"hello"
    fresh.send(OK.replace(b"ok", b"me"))
    assert client.answer().body == b"me"


@cases(
    "fault",
    ("p13-rfc9112-9.3.1-closed-as-it-was-sent", Link.finish),
    ("p13-rfc9112-9.3.1-reset-as-it-was-sent", Link.reset),
)
def test_a_get_that_met_a_stale_connection_is_sent_once_more(wire: Wire, fault: Callable[..., Any]) -> None:
    stale = served(wire)
    client = wire.client(GET)
    stale.request()
    fault(stale)
    fresh = wire.upstream.accept()
    fresh.request()
    fresh.send(OK)
    answer = client.answer()
    assert (answer.status, answer.body) == (200, b"ok")
    stale.close()


@case("p13-rfc9112-9.3.1-bounded")
def test_it_is_sent_once_more_and_no_more(wire: Wire) -> None:
    stale = served(wire)
    client = wire.client(GET)
    stale.request()
    stale.finish()
    fresh = wire.upstream.accept()
    fresh.request()
    fresh.finish()
    assert client.answer().status == 502
    assert len(wire.upstream.links) == 2


@cases(
    "method",
    ("p13-rfc9110-9.2.2-put", b"PUT"),
    ("p13-rfc9110-9.2.2-delete", b"DELETE"),
    ("p13-rfc9110-9.2.2-head", b"HEAD"),
    ("p13-rfc9110-9.2.2-options", b"OPTIONS"),
)
def test_idempotent_methods_are_sent_once_more(wire: Wire, method: bytes) -> None:
    stale = served(wire)
    client = wire.client(GET.replace(b"GET", method))
    stale.request()
    stale.finish()
    fresh = wire.upstream.accept()
    assert fresh.request().method.encode() == method
    fresh.send(OK if method != b"HEAD" else OK[:-2])
    assert client.answer(method.decode()).status == 200


@cases(
    "sent",
    ("p13-rfc9110-9.2.2-post", POST),
    ("p13-rfc9110-9.2.2-post-without-a-body", GET.replace(b"GET", b"POST")),
    ("p13-rfc9110-9.2.2-patch", POST.replace(b"POST", b"PATCH")),
    ("p13-rfc9110-9.2.2-unknown-method", GET.replace(b"GET", b"FOO")),
)
def test_what_may_not_happen_twice_is_never_sent_twice(wire: Wire, sent: bytes) -> None:
    stale = served(wire)
    client = wire.client(sent)
    stale.request()
    wire.upstream.answers(OK)
    stale.finish()
    assert client.answer().status == 502
    assert len(wire.upstream.links) == 1
    wire.serves_on()


@cases(
    "part",
    ("p13-rfc9112-9.3.1-after-a-byte", b"H"),
    ("p13-rfc9112-9.3.1-after-part-of-a-head", H),
    ("p13-rfc9112-9.3.1-after-an-interim-answer", b"HTTP/1.1 103 Early\r\n\r\n"),
)
def test_not_once_more_when_an_answer_had_begun(wire: Wire, part: bytes) -> None:
    stale = served(wire)
    client = wire.client(GET)
    stale.request()
    wire.upstream.answers(OK)
    stale.send(part)
    stale.taken()
    stale.finish()
    assert client.answer().status == 502
    assert len(wire.upstream.links) == 1


@case("p13-rfc9112-9.3.1-not-on-a-fresh-connection")
def test_a_fresh_connection_that_closes_is_an_upstream_that_fails(wire: Wire) -> None:
    client = wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    wire.upstream.answers(OK)
    link.finish()
    assert client.answer().status == 502
    assert len(wire.upstream.links) == 1


@case("p13-rfc9110-9.2.2-put-with-a-body")
def test_a_body_is_sent_whole_or_not_at_all(wire: Wire) -> None:
    stale = served(wire)
    client = wire.client(POST.replace(b"POST", b"PUT"))
    stale.request()
    wire.upstream.answers(OK)
    stale.finish()
    answer = client.answer()
    assert answer.status in (200, 502)
    sent_again = wire.upstream.requests[2:]
    assert [request.body for request in sent_again] == [b"hello"] * (answer.status == 200)


@case("p13-rfc9112-9.3.1-all-of-them-stale")
def test_a_pool_full_of_stale_connections_surfaces_nowhere(wire: Wire) -> None:
    clients = [wire.client(GET) for _ in range(10)]
    links = [wire.upstream.accept() for _ in clients]
    for link in links:
        link.request()
        link.send(OK)
    for client in clients:
        client.answer()
    for link in links:
        link.finish()
    wire.upstream.answers(OK)
    for client in clients:
        client.send(POST)
    assert [client.answer().body for client in clients] == [b"ok"] * 10
