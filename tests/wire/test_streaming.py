"""Point 16: bytes go on as they come, at the pace of whoever takes them (RFC 9112 section 9.3.2)."""

import threading

from tests.wire.case import case, cases
from tests.wire.kernel import fill, pour
from tests.wire.program import Wire
from tests.wire.upstream import OK, Link

GET = b"GET /s HTTP/1.1\r\nHost: shop.example\r\n\r\n"
POST = b"POST /s HTTP/1.1\r\nHost: shop.example\r\n"
H = b"HTTP/1.1 200 OK\r\n"
MIB = 1 << 20
BOUNDED = 16 * MIB  # more than the kernel's buffers on all four sockets and our own; far less than is offered
OFFERED = 64 * MIB


@cases(
    "head, event, got",
    ("p16-rfc9112-7-events-in-chunks", H + b"Transfer-Encoding: chunked\r\n\r\n", b"6\r\ndata:\n\r\n", b"6\r\ndata:\n\r\n"),
    ("p16-rfc9112-6.3-events-until-close", H + b"\r\n", b"data:\n", b"6\r\ndata:\n\r\n"),
    ("p16-rfc9112-6.2-events-sized", H + b"Content-Length: 100\r\n\r\n", b"data:\n", b"data:\n"),
)  # fmt: skip
def test_each_part_of_an_answer_goes_on_at_once(wire: Wire, head: bytes, event: bytes, got: bytes) -> None:
    client = wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    link.send(head)
    assert client.head().status == 200, "the head goes on before there is a body"
    while not client.rest.endswith(b"\r\n\r\n"):
        client.rest += client.sock.recv(1000)
    client.rest = b""
    for _ in range(5):
        link.send(event)
        assert client.read(len(got)) == got


@cases(
    "head, part, got",
    ("p16-rfc9112-6.2-upload-sized", b"Content-Length: 25\r\n\r\n", b"hello", b"hello"),
    (
        "p16-rfc9112-7-upload-chunked",
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"5\r\nhello\r\n",
        b"5\r\nhello\r\n",
    ),
)
def test_each_part_of_an_upload_goes_on_at_once(wire: Wire, head: bytes, part: bytes, got: bytes) -> None:
    client = wire.client(POST + head)
    link = wire.upstream.accept()
    link.head()
    link.read(link.raw.index(b"\r\n\r\n") + 4)
    for _ in range(5):
        client.send(part)
        assert link.read(len(got)) == got


@case("p16-answer-back-pressure")
def test_a_slow_reader_holds_its_upstream_back(wire: Wire) -> None:
    client = wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    link.send(H + b"Content-Length: %d\r\n\r\n" % OFFERED)
    sent = fill(link.sock, OFFERED)
    assert sent < BOUNDED, "the proxy takes what its client doesn't"
    feeder = threading.Thread(target=pour, args=(link.sock, OFFERED - sent))
    feeder.start()
    assert len(client.answer().body) == OFFERED
    feeder.join()


@case("p16-upload-back-pressure")
def test_a_slow_upstream_holds_its_client_back(wire: Wire) -> None:
    client = wire.client(POST + b"Content-Length: %d\r\n\r\n" % OFFERED)
    link = wire.upstream.accept()
    link.head()
    sent = fill(client.sock, OFFERED)
    assert sent < BOUNDED, "the proxy takes what its upstream doesn't"
    feeder = threading.Thread(target=pour, args=(client.sock, OFFERED - sent))
    feeder.start()
    swallow(link, OFFERED)
    feeder.join()
    link.send(OK)
    assert client.answer().body == b"ok"


def swallow(link: Link, size: int) -> None:
    """Reads a body of this size and keeps none of it."""
    head = link.raw.index(b"\r\n\r\n") + 4
    left = size - (len(link.raw) - head)
    while left:
        left -= len(link.sock.recv(MIB))
    link.raw = b""


@cases(
    "sent",
    ("p16-rfc9112-9.3.2-pipelined", GET * 5),
    ("p16-rfc9112-9.3.2-pipelined-with-bodies", (POST + b"Content-Length: 5\r\n\r\nhello") * 5),
    ("p16-rfc9112-9.3.2-pipelined-with-chunks", (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n") * 5),
    ("p16-rfc9112-2.2-empty-lines-between", (GET + b"\r\n\r\n") * 5),
)  # fmt: skip
def test_pipelined_requests_go_one_at_a_time_and_in_order(wire: Wire, sent: bytes) -> None:
    client = wire.client(sent)
    link = wire.upstream.accept()
    for number in range(5):
        link.request()
        assert not link.raw[link.raw.rindex(b"HTTP/1.1") :].count(b" /s "), (
            "a second request before the answer"
        )
        link.send(H + b"Content-Length: 1\r\n\r\n%d" % number)
        assert client.answer().body == b"%d" % number
    assert len(wire.upstream.requests) == 5


@case("p16-rfc9112-9.3.2-pipelined-behind-close")
def test_nothing_is_served_behind_a_request_that_closes(wire: Wire) -> None:
    wire.upstream.answers(OK)
    client = wire.client(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + GET)
    assert client.answer().closes
    assert client.ended() == "closed"
    assert len(wire.upstream.requests) == 1


@case("p16-rfc9112-9.3.2-pipelined-behind-a-bad-one")
def test_nothing_is_served_behind_a_request_that_is_bad(wire: Wire) -> None:
    wire.upstream.answers(OK)
    client = wire.client(GET + b"BAD\r\n\r\n" + GET)
    assert client.answer().body == b"ok"
    wire.turned_away(client, 400)
    assert len(wire.upstream.requests) == 1


@case("p16-rfc9112-9.3.2-flood")
def test_a_flood_of_pipelined_requests_is_bounded(wire: Wire) -> None:
    client = wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    assert fill(client.sock, OFFERED, GET * 20_000) < BOUNDED, (
        "requests that can't be served yet are taken without end"
    )
    client.reset()
    link.gone()
    wire.serves_on()


@cases(
    "answer, body",
    ("p16-rfc9112-9.3-early-sized", H + b"Content-Length: 2\r\n\r\nok", b"ok"),
    ("p16-rfc9112-9.3-early-chunked", H + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", b"ok"),
    ("p16-rfc9112-9.3-early-refusal", b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno", b"no"),
)  # fmt: skip
def test_an_answer_before_the_end_of_the_upload_goes_on_at_once(
    wire: Wire, answer: bytes, body: bytes
) -> None:
    client = wire.client(POST + b"Content-Length: 1000000\r\n\r\nhello")
    link = wire.upstream.accept()
    link.head()
    link.send(answer)
    got = client.answer()
    assert (got.body, got.closes) == (body, True)
    link.gone()
    wire.never_whole()
    wire.serves_on()


@case("p16-rfc9112-9.3-early-answer-runs-beside-the-upload")
def test_an_answer_may_run_beside_the_upload(wire: Wire) -> None:
    client = wire.client(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    link = wire.upstream.accept()
    link.head()
    link.read(link.raw.index(b"\r\n\r\n") + 4)
    link.send(H + b"Transfer-Encoding: chunked\r\n\r\n")
    assert client.head().status == 200
    for _ in range(3):  # an echo: each part is answered before the next one is sent
        client.send(b"2\r\nhi\r\n")
        assert link.read(7) == b"2\r\nhi\r\n"
        link.send(b"2\r\nho\r\n")
        while not client.rest.endswith(b"2\r\nho\r\n"):
            client.rest += client.sock.recv(100)
    client.send(b"0\r\n\r\n")
    assert link.read(5) == b"0\r\n\r\n"
    link.send(b"0\r\n\r\n")
    assert client.answer().body == b"hohoho"


@case("p16-rfc9112-9.3.2-pipelined-1000")
def test_a_thousand_pipelined_requests_are_answered_in_order(wire: Wire) -> None:
    def counting(link: Link) -> None:
        while True:
            target = link.request().target.encode()
            link.send(H + b"Content-Length: %d\r\n\r\n%b" % (len(target), target))

    wire.upstream.serve(counting)
    sent = b"".join(GET.replace(b"/s", b"/%d" % number) for number in range(1000))
    client = wire.client(sent)
    assert [client.answer().body for _ in range(1000)] == [b"/%d" % number for number in range(1000)]


@case("p16-interim-answers-back-pressure")
def test_interim_answers_are_held_back_too(wire: Wire) -> None:
    wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    hint = b"HTTP/1.1 103 Early\r\nX: " + b"x" * 8000 + b"\r\n\r\n"
    assert fill(link.sock, OFFERED, hint * 100) < BOUNDED


@cases(
    "head, version",
    ("p16-large-answer-sized-then-close", b"Content-Length: %d\r\n" % (8 * MIB), b"1.1"),
    ("p16-large-answer-until-close", b"", b"1.1"),
    ("p16-large-answer-until-close-for-1.0", b"", b"1.0"),
)
def test_a_large_answer_is_whole_though_its_upstream_has_gone(
    wire: Wire, head: bytes, version: bytes
) -> None:
    body = bytes(range(256)) * (8 * MIB // 256)
    client = wire.client(GET.replace(b"HTTP/1.1", b"HTTP/" + version))
    link = wire.upstream.accept()
    link.request()

    def give() -> None:
        link.send(H + head + b"\r\n" + body)
        link.finish()

    giving = threading.Thread(target=give)
    giving.start()
    while giving.is_alive():  # the upstream ends when all is sent, and the proxy still has some of it
        client.rest += client.sock.recv(1 << 16)
    assert client.answer().body == body
    if version == b"1.0":
        assert client.ended() == "closed"


@case("p16-rfc9112-9.3-early-answer-to-a-large-upload")
def test_a_client_that_reads_after_its_upload_gets_the_early_answer(wire: Wire) -> None:
    size = 8 * MIB
    client = wire.client(POST + b"Content-Length: %d\r\n\r\n" % size)
    link = wire.upstream.accept()
    link.head()
    link.send(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
    link.finish()
    client.send(bytes(size))
    answer = client.answer()
    assert (answer.status, answer.body, answer.closes) == (413, b"no", True)


@case("p11-rfc9110-15.6.3-reset-within-an-upload")
def test_a_client_that_reads_after_its_upload_learns_of_the_reset(wire: Wire) -> None:
    size = 8 * MIB
    client = wire.client(POST + b"Content-Length: %d\r\n\r\n" % size)
    link = wire.upstream.accept()
    link.head()
    link.reset()
    client.send(bytes(size))
    assert client.answer().status == 502
