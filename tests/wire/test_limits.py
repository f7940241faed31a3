"""Point 15: limits hold over TCP segments (RFC 9110 sections 15.5.14 and 15.5.15, RFC 6585 section 5)."""

import resource
import sys
from pathlib import Path

import pytest

from proxy.demo.processes import wait_until
from tests.wire.case import case, cases
from tests.wire.program import Wire
from tests.wire.upstream import OK

KIB = 1024
HOST = b"Host: shop.example\r\n"
GET = b"GET /m HTTP/1.1\r\n" + HOST
POST = b"POST /m HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
FIELD = b"X-%04d: " + b"v" * 1000 + b"\r\n"


def fields(count: int) -> bytes:
    return b"".join(b"X-%d: 1\r\n" % number for number in range(count))


def large(kib: int) -> bytes:
    return b"".join(FIELD % number for number in range(kib))


@cases(
    "sent",
    ("p15-line-8k", b"GET /" + b"a" * 8 * KIB + b" HTTP/1.1\r\n" + HOST + b"\r\n"),
    ("p15-line-16k-nearly", b"GET /" + b"a" * (16 * KIB - 100) + b" HTTP/1.1\r\n" + HOST + b"\r\n"),
    ("p15-field-8k", GET + b"X: " + b"v" * 8 * KIB + b"\r\n\r\n"),
    ("p15-field-60k", GET + b"X: " + b"v" * 60 * KIB + b"\r\n\r\n"),
    ("p15-cookie-8k-four", GET + (b"Cookie: " + b"c" * 8 * KIB + b"\r\n") * 4 + b"\r\n"),
    ("p15-head-60k", GET + large(59) + b"\r\n"),
    ("p15-fields-199", GET + fields(198) + b"\r\n"),
)
def test_what_is_large_and_within_the_limits_passes(wire: Wire, sent: bytes) -> None:
    wire.upstream.answers(OK)
    assert wire.ask(sent).status == 200
    middle = len(sent) // 2
    assert wire.client(sent[:middle], sent[middle:]).answer().status == 200


TOO_LARGE = (
    ("p15-rfc9110-15.5.15-line", b"GET /" + b"a" * 17 * KIB + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    ("p15-rfc9110-15.5.15-line-without-end", b"GET /" + b"a" * 40 * KIB, 414),
    ("p15-rfc9110-15.5.15-method-without-end", b"G" * 40 * KIB, (400, 414)),
    ("p15-rfc6585-5-head", GET + large(66) + b"\r\n", 431),
    ("p15-rfc6585-5-head-without-end", GET + large(66), 431),
    ("p15-rfc6585-5-field", GET + b"X: " + b"v" * 70 * KIB + b"\r\n\r\n", 431),
    ("p15-rfc6585-5-field-without-end", GET + b"X: " + b"v" * 70 * KIB, 431),
    ("p15-rfc6585-5-fields", GET + fields(201) + b"\r\n", 431),
    ("p15-rfc6585-5-fields-1000", GET + fields(1000) + b"\r\n", 431),
)


@cases("sent, statuses", *TOO_LARGE)
def test_what_is_larger_is_refused(wire: Wire, sent: bytes, statuses: int | tuple[int, int]) -> None:
    wire.refuses(sent, statuses)


@cases("sent, statuses", *((name + "-in-segments", sent, statuses) for name, sent, statuses in TOO_LARGE))
def test_in_many_segments_too(wire: Wire, sent: bytes, statuses: int | tuple[int, int]) -> None:
    wire.upstream.answers(OK)
    client = wire.client(*(sent[at : at + 997] for at in range(0, len(sent), 997)))
    wire.turned_away(client, statuses)
    wire.only_the_probe_passes()


@cases(
    "part",
    ("p15-chunk-line", b"5;" + b"e" * 17 * KIB + b"\r\nhello\r\n0\r\n\r\n"),
    ("p15-chunk-line-without-end", b"5;" + b"e" * 40 * KIB),
    ("p15-chunk-size-of-zeros", b"0" * 40 * KIB + b"5\r\nhello\r\n0\r\n\r\n"),
    ("p15-trailer", b"5\r\nhello\r\n0\r\nX: " + b"v" * 70 * KIB + b"\r\n\r\n"),
    ("p15-trailers-large", b"5\r\nhello\r\n0\r\n" + large(70) + b"\r\n"),
    ("p15-trailers-many", b"5\r\nhello\r\n0\r\n" + fields(300) + b"\r\n"),
    ("p15-trailers-without-end", b"5\r\nhello\r\n0\r\n" + fields(20_000)),
)
def test_chunk_lines_and_trailers_are_limited_alike(wire: Wire, part: bytes) -> None:
    sent = CHUNKED + part
    wire.breaks_off((400, 413, 431), sent)
    wire.breaks_off((400, 413, 431), *(sent[at : at + 997] for at in range(0, len(sent), 997)))


@cases(
    "answer",
    ("p15-answer-line", b"HTTP/1.1 200 " + b"O" * 17 * KIB + b"\r\nContent-Length: 0\r\n\r\n"),
    ("p15-answer-line-without-end", b"HTTP/1.1 200 " + b"O" * 40 * KIB),
    ("p15-answer-head", b"HTTP/1.1 200 OK\r\n" + large(66) + b"Content-Length: 0\r\n\r\n"),
    ("p15-answer-head-without-end", b"HTTP/1.1 200 OK\r\n" + large(66)),
    ("p15-answer-fields", b"HTTP/1.1 200 OK\r\n" + fields(201) + b"Content-Length: 0\r\n\r\n"),
    ("p15-answer-interim-head", b"HTTP/1.1 103 Early\r\n" + large(66) + b"\r\n" + OK),
)
def test_the_head_of_an_answer_is_limited_alike(wire: Wire, answer: bytes) -> None:
    for segments in ((answer,), tuple(answer[at : at + 997] for at in range(0, len(answer), 997))):
        client = wire.client(GET + b"\r\n")
        link = wire.upstream.accept()
        link.request()
        link.send(*segments)
        assert client.answer().status == 502
        link.gone()
    wire.serves_on()


@case("p15-answer-head-60k")
def test_a_large_head_of_an_answer_passes(wire: Wire) -> None:
    wire.upstream.answers(b"HTTP/1.1 200 OK\r\n" + large(59) + b"Content-Length: 0\r\n\r\n")
    assert len(wire.ask(GET + b"\r\n").fields) == 60


@cases(
    "sent, statuses",
    ("p15-configured-line", b"GET /" + b"a" * 1500 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    ("p15-configured-head", GET + large(5) + b"\r\n", 431),
    ("p15-configured-fields", GET + fields(21) + b"\r\n", 431),
    ("p15-rfc9110-15.5.14-body-sized", POST + b"Content-Length: 1025\r\n\r\n", 413),
    ("p15-rfc9110-15.5.14-body-huge", POST + b"Content-Length: 99999999999\r\n\r\n", 413),
    (
        "p15-rfc9110-15.5.14-body-expected",
        POST + b"Expect: 100-continue\r\nContent-Length: 1025\r\n\r\n",
        413,
    ),
)
def test_the_limits_can_be_configured(tight: Wire, sent: bytes, statuses: int) -> None:
    assert tight.refuses(sent, statuses).interim == []


@cases(
    "body",
    ("p15-rfc9110-15.5.14-body-one-chunk", b"401\r\n" + b"x" * 1025 + b"\r\n0\r\n\r\n"),
    ("p15-rfc9110-15.5.14-body-announced-chunk", b"ffffff\r\n" + b"x" * 1025),
    ("p15-rfc9110-15.5.14-body-many-chunks", (b"64\r\n" + b"x" * 100 + b"\r\n") * 11 + b"0\r\n\r\n"),
)
def test_a_chunked_body_is_limited_as_it_comes(tight: Wire, body: bytes) -> None:
    tight.breaks_off(413, CHUNKED + body)


@cases(
    "sent",
    ("p15-rfc9110-15.5.14-body-sized-within", POST + b"Content-Length: 1024\r\n\r\n" + b"x" * 1024),
    (
        "p15-rfc9110-15.5.14-body-chunked-within",
        CHUNKED + (b"40\r\n" + b"x" * 64 + b"\r\n") * 16 + b"0\r\n\r\n",
    ),
)
def test_a_body_within_the_limit_passes(tight: Wire, sent: bytes) -> None:
    tight.upstream.answers(OK)
    assert tight.ask(sent).status == 200
    assert tight.passed().body == b"x" * 1024


@case("p15-rfc9110-15.6.4-connections")
def test_more_connections_than_the_limit_are_told_so(tight: Wire) -> None:
    tight.upstream.answers(OK)
    clients = [tight.client(GET + b"\r\n") for _ in range(8)]
    assert [client.answer().status for client in clients] == [200] * 8
    one_more = tight.client(GET + b"\r\n")
    assert tight.turned_away(one_more, 503).one("x-request-id")
    one_more.close()
    clients.pop().close()
    wait_until(lambda: has_room(tight), "there is room again", 5)
    wait_until(lambda: tight.refused("connections") > 0, "it is counted", 5)


def has_room(wire: Wire) -> bool:
    client = wire.client(GET + b"\r\n")
    status = client.answer().status
    client.close()
    return status == 200


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells of other processes on Linux alone")
@case("p15-descriptors")
def test_the_workers_may_have_as_many_descriptors_as_the_system_allows(wire: Wire) -> None:
    (worker,) = wire.running.workers()
    (line,) = (
        line for line in Path(f"/proc/{worker}/limits").read_text().splitlines() if "open files" in line
    )
    soft, hard = line.split()[3:5]
    assert soft == hard == str(resource.getrlimit(resource.RLIMIT_NOFILE)[1])
