"""Point 7: what the upstream is told of a client that nobody has to believe (RFC 9110 section 7.6)."""

import re

from tests.wire.case import case, cases
from tests.wire.program import Wire
from tests.wire.reader import Request
from tests.wire.upstream import OK

GET = b"GET /f HTTP/1.1\r\nHost: shop.example:8080\r\n"


def told(wire: Wire, *sent: bytes, head: bytes = GET) -> Request:
    """What reaches the upstream when a client sends these lines."""
    wire.upstream.answers(OK)
    assert wire.ask(head + b"".join(line + b"\r\n" for line in sent) + b"\r\n").status == 200
    return wire.passed()


@cases(
    "sent, name, value",
    ("p07-xff-from-the-socket", (), "X-Forwarded-For", "127.0.0.1"),
    ("p07-xff-of-a-client-is-dropped", (b"X-Forwarded-For: 203.0.113.9",), "X-Forwarded-For", "127.0.0.1"),
    ("p07-xff-twice-is-dropped", (b"X-Forwarded-For: 1.2.3.4", b"x-forwarded-for: ::1"), "X-Forwarded-For", "127.0.0.1"),
    ("p07-xfp-from-the-socket", (), "X-Forwarded-Proto", "http"),
    ("p07-xfp-of-a-client-is-dropped", (b"X-Forwarded-Proto: https",), "X-Forwarded-Proto", "http"),
    ("p07-xfh-is-the-host", (), "X-Forwarded-Host", "shop.example:8080"),
    ("p07-xfh-of-a-client-is-dropped", (b"X-Forwarded-Host: evil.example",), "X-Forwarded-Host", "shop.example:8080"),
    ("p07-rfc7239-of-a-client-is-dropped", (b"Forwarded: for=203.0.113.9",), "Forwarded", None),
    ("p07-rfc9110-7.6.3-via", (), "Via", "1.1 weir"),
    ("p07-rfc9110-7.6.2-max-forwards-on-get", (b"Max-Forwards: 0",), "Max-Forwards", "0"),
    ("p07-rfc9110-7.6.2-max-forwards-on-get-any", (b"Max-Forwards: cow",), "Max-Forwards", "cow"),
)  # fmt: skip
def test_a_strangers_word_is_not_passed_on(
    wire: Wire, sent: tuple[bytes, ...], name: str, value: str | None
) -> None:
    assert told(wire, *sent).one(name) == value


@case("p07-rfc9110-7.6.3-via-is-appended")
def test_via_comes_behind_the_others(wire: Wire) -> None:
    assert told(wire, b"Via: 1.0 fred", b"Via: 1.1 p.example").all("via") == [
        "1.0 fred",
        "1.1 p.example",
        "1.1 weir",
    ]


@case("p07-rfc9110-7.6.3-via-of-1.0")
def test_via_says_the_version_received(wire: Wire) -> None:
    assert told(wire, head=GET.replace(b"1.1", b"1.0")).one("via") == "1.0 weir"


@case("p07-rfc9110-7.6.3-no-via-on-answers")
def test_answers_get_no_via(wire: Wire) -> None:
    wire.upstream.answers(b"HTTP/1.1 200 OK\r\nVia: 1.1 behind\r\nContent-Length: 0\r\n\r\n")
    assert wire.ask(GET + b"\r\n").all("via") == ["1.1 behind"]


@case("p07-rfc9112-3.2.2-xfh-of-absolute")
def test_the_host_is_the_authority_of_an_absolute_target(wire: Wire) -> None:
    passed = told(wire, head=b"GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n")
    assert passed.one("x-forwarded-host") == "a.example"


@case("p07-rfc9110-7.2-no-xfh-without-host")
def test_no_host_is_made_up(wire: Wire) -> None:
    assert not told(wire, head=b"GET / HTTP/1.0\r\n").one("x-forwarded-host")


@case("p07-request-id-is-made")
def test_each_request_gets_an_id_of_its_own(wire: Wire) -> None:
    wire.upstream.answers(OK)
    client = wire.client(GET + b"X-Request-Id: mine\r\n\r\n" + GET + b"\r\n")
    assert [client.answer().status, client.answer().status] == [200, 200]
    first, second = (request.one("x-request-id") for request in wire.upstream.requests)
    assert first != second
    assert "mine" not in (first, second)
    assert all(re.fullmatch(r"[!-~]{8,128}", one) for one in (first, second))


OPTIONS = b"OPTIONS * HTTP/1.1\r\nHost: a\r\n"
TRACE = b"TRACE /t?u HTTP/1.1\r\nHost: a\r\n"


@cases(
    "head, sent, left",
    ("p07-rfc9110-7.6.2-options-1", OPTIONS, b"Max-Forwards: 1", "0"),
    ("p07-rfc9110-7.6.2-options-10", OPTIONS, b"max-forwards: 10", "9"),
    ("p07-rfc9110-7.6.2-trace-7", TRACE, b"Max-Forwards: 7", "6"),
    ("p07-rfc9110-7.6.2-leading-zero", OPTIONS, b"Max-Forwards: 010", "9"),
)
def test_max_forwards_is_counted_down_in_its_place(wire: Wire, head: bytes, sent: bytes, left: str) -> None:
    passed = told(wire, b"A: 1", sent, b"B: 2", head=head)
    assert passed.one("max-forwards") == left
    names = [name.lower() for name, _ in passed.fields]
    assert names.index("a") < names.index("max-forwards") < names.index("b")


@cases(
    "sent",
    ("p07-rfc9110-7.6.2-not-a-number", b"cow"),
    ("p07-rfc9110-7.6.2-negative", b"-1"),
    ("p07-rfc9110-7.6.2-empty", b""),
    ("p07-rfc9110-7.6.2-fraction", b"1.5"),
    ("p07-rfc9110-7.6.2-list", b"1, 1"),
    ("p07-rfc9110-7.6.2-two-lines", b"1\r\nMax-Forwards: 1"),
)
def test_max_forwards_that_is_no_number_is_refused(wire: Wire, sent: bytes) -> None:
    wire.upstream.answers(OK)
    assert wire.ask(OPTIONS + b"Max-Forwards: " + sent + b"\r\n\r\n").status == 400
    assert wire.ask(TRACE + b"Max-Forwards: " + sent + b"\r\n\r\n").status == 400
    wire.only_the_probe_passes()


@case("p07-rfc9110-7.6.2-options-0")
def test_the_last_options_is_answered_here(wire: Wire) -> None:
    wire.upstream.answers(OK)
    client = wire.client(OPTIONS + b"Max-Forwards: 0\r\n\r\n")
    assert client.answer("OPTIONS").status in (200, 204)
    wire.only_the_probe_passes()


@case("p07-rfc9110-9.3.8-trace-0")
def test_the_last_trace_is_answered_here_without_secrets(wire: Wire) -> None:
    wire.upstream.answers(OK)
    secrets = b"Cookie: a=secret\r\nAuthorization: Basic secret\r\nProxy-Authorization: Basic secret\r\n"
    answer = wire.ask(TRACE + secrets + b"X-A: b\r\nMax-Forwards: 0\r\n\r\n", "TRACE")
    assert answer.status == 200
    assert answer.one("content-type").partition(";")[0] == "message/http"
    assert answer.body.startswith(b"TRACE /t?u HTTP/1.1\r\nHost: a\r\n")
    assert b"X-A: b\r\n" in answer.body
    assert b"secret" not in answer.body
    wire.only_the_probe_passes()
