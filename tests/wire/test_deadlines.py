"""Point 14: nobody waits for ever; the slow who move are waited for (RFC 9110 sections 15.5.9 and 15.6.5).

No case says how long it took: a deadline that doesn't hold is a case that hears nothing.
"""

import socket
import threading
import time
from collections.abc import Callable

from tests.wire.case import case, cases
from tests.wire.program import Wire
from tests.wire.upstream import OK, Gone

GET = b"GET /d HTTP/1.1\r\nHost: shop.example\r\n\r\n"
OLD = b"GET /d HTTP/1.0\r\n\r\n"
POST = b"POST /d HTTP/1.1\r\nHost: shop.example\r\n"
H = b"HTTP/1.1 200 OK\r\n"
CHUNKED = H + b"Transfer-Encoding: chunked\r\n\r\n"
PACE = 0.1  # seconds between two bytes of those who are slow; far below each deadline of `hasty`
LONG = 12  # bytes at that pace take longer than each deadline


def slowly(send: Callable[[bytes], None], data: bytes, times: int) -> None:
    for _ in range(times):
        send(data)
        time.sleep(PACE)


@cases(
    "part",
    ("p14-header-one-byte", b"G"),
    ("p14-header-within-the-request-line", b"GET / HT"),
    ("p14-header-within-the-fields", b"GET / HTTP/1.1\r\nHost: a\r\nX-A"),
    ("p14-header-all-but-the-last-byte", GET[:-1]),
)
def test_part_of_a_head_is_timed_out(hasty: Wire, part: bytes) -> None:
    client = hasty.client(part)
    hasty.turned_away(client, 408)
    hasty.serves_on()


@case("p14-header-is-the-whole-head")
def test_a_head_that_drips_is_timed_out_all_the_same(hasty: Wire) -> None:
    hasty.upstream.answers(OK)
    client = hasty.client(b"GET / HTTP/1.1\r\nHost: a\r\n")
    slowly(client.send, b"X: 1\r\n", LONG)
    client.send(b"\r\n")
    hasty.turned_away(client, 408)
    hasty.serves_on()


@case("p14-header-of-the-second-request")
def test_part_of_a_second_head_is_timed_out(hasty: Wire) -> None:
    hasty.upstream.answers(OK)
    client = hasty.client(GET + GET[:-1])
    assert client.answer().body == b"ok"
    hasty.turned_away(client, 408)


@cases(
    "sent",
    ("p14-idle-nothing-sent", b""),
    ("p14-idle-empty-line", b"\r\n"),
)
def test_a_connection_that_asks_nothing_is_closed_without_a_word(hasty: Wire, sent: bytes) -> None:
    assert hasty.client(sent).ended() == "closed"


@case("p14-rfc9112-2.2-idle-empty-lines-for-ever")
def test_empty_lines_are_no_request(hasty: Wire) -> None:
    hasty.upstream.answers(OK)
    client = hasty.client(b"\r\n")
    slowly(client.send, b"\r\n", LONG)
    client.send(GET)
    assert client.ended() in ("closed", "reset")


@case("p14-rfc9112-9.5-idle-kept")
def test_a_kept_connection_is_closed_without_a_word(hasty: Wire) -> None:
    hasty.upstream.answers(OK)
    client = hasty.client(GET)
    assert client.answer().body == b"ok"
    assert client.ended() == "closed"


@case("p14-connect")
def test_an_upstream_that_accepts_nobody(hasty: Wire, deaf: socket.socket) -> None:
    answer = hasty.ask(GET.replace(b"/d", b"/deaf"))
    assert answer.status in (502, 503, 504)
    hasty.serves_on()


@cases(
    "part",
    ("p14-rfc9110-15.6.5-response-silence", b""),
    ("p14-rfc9110-15.6.5-response-part-of-a-head", H + b"X: 1\r\n"),
    ("p14-rfc9110-15.6.5-response-after-an-interim-answer", b"HTTP/1.1 103 Early\r\n\r\n"),
)
def test_an_upstream_that_does_not_answer_is_timed_out(hasty: Wire, part: bytes) -> None:
    client = hasty.client(GET)
    link = hasty.upstream.accept()
    link.request()
    link.send(part)
    assert client.answer().status == 504
    link.gone()
    hasty.serves_on()


@case("p14-response-is-the-whole-head")
def test_an_answers_head_that_drips_is_timed_out(hasty: Wire) -> None:
    client = hasty.client(GET)
    link = hasty.upstream.accept()
    link.request()
    link.send(H)
    slowly(link.send, b"X: 1\r\n", LONG)
    link.send(b"Content-Length: 0\r\n\r\n")
    assert client.answer().status == 504
    link.gone()


@cases(
    "head",
    ("p14-rfc9110-10.1.1-expect-sized", b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
    ("p14-rfc9110-10.1.1-expect-chunked", b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"),
)
def test_an_upstream_that_never_says_continue_is_timed_out(hasty: Wire, head: bytes) -> None:
    client = hasty.client(POST + head)
    link = hasty.upstream.accept()
    link.head()
    answer = client.answer()
    assert (answer.status, answer.interim) == (504, [])
    assert answer.closes
    link.gone()
    hasty.never_whole()


@cases(
    "sent",
    ("p14-rfc9110-15.5.9-body-sized", POST + b"Content-Length: 10\r\n\r\nhello"),
    ("p14-rfc9110-15.5.9-body-nothing", POST + b"Content-Length: 10\r\n\r\n"),
    ("p14-rfc9110-15.5.9-body-chunked", POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
    ("p14-rfc9110-15.5.9-body-last-chunk", POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"),
)
def test_an_upload_that_stops_is_timed_out(hasty: Wire, sent: bytes) -> None:
    client = hasty.client(sent)
    link = hasty.upstream.accept()
    hasty.turned_away(client, 408)
    link.gone()
    hasty.never_whole()
    hasty.serves_on()


@case("p14-body-upload-is-slow-and-moves")
def test_an_upload_that_drips_is_waited_for(hasty: Wire) -> None:
    hasty.upstream.answers(OK)
    client = hasty.client(POST + b"Content-Length: %d\r\n\r\n" % LONG)
    slowly(client.send, b"x", LONG)
    assert client.answer().status == 200
    assert hasty.passed().body == b"x" * LONG


@case("p14-body-upload-is-not-taken")
def test_an_upstream_that_takes_no_more_of_an_upload_is_timed_out(hasty: Wire) -> None:
    client = hasty.client(POST + b"Content-Length: 1000000000\r\n\r\n")
    link = hasty.upstream.accept()
    link.head()
    feeder = threading.Thread(target=client.send, args=(bytes(64 << 20),))
    feeder.start()
    assert client.answer().status in (502, 504)
    client.sock.shutdown(socket.SHUT_RDWR)
    feeder.join()
    link.gone()
    hasty.serves_on()


@cases(
    "sent, head, part",
    ("p14-body-answer-sized", GET, H + b"Content-Length: 10\r\n\r\n", b"hello"),
    ("p14-body-answer-nothing", GET, H + b"Content-Length: 10\r\n\r\n", b""),
    ("p14-body-answer-chunked", GET, CHUNKED, b"5\r\nhello\r\n"),
    ("p14-body-answer-last-chunk", GET, CHUNKED, b"5\r\nhello\r\n0\r\n"),
    ("p14-body-answer-until-close", GET, H + b"\r\n", b"hello"),
    ("p14-body-answer-until-close-for-1.0", OLD, H + b"\r\n", b"hello"),
    ("p14-body-answer-chunked-for-1.0", OLD, CHUNKED, b"5\r\nhello\r\n"),
)
def test_an_answer_that_stops_is_cut(hasty: Wire, sent: bytes, head: bytes, part: bytes) -> None:
    client = hasty.client(sent)
    link = hasty.upstream.accept()
    link.request()
    link.send(head + part)
    assert b"hello".startswith(client.cut()[0])
    link.gone()
    hasty.serves_on()


@case("p14-body-answer-is-slow-and-moves")
def test_an_answer_that_drips_is_waited_for(hasty: Wire) -> None:
    client = hasty.client(GET)
    link = hasty.upstream.accept()
    link.request()
    link.send(CHUNKED)
    slowly(link.send, b"1\r\nx\r\n", LONG)
    link.send(b"0\r\n\r\n")
    assert client.answer().body == b"x" * LONG


@case("p14-body-answer-is-not-taken")
def test_a_client_that_takes_no_more_of_its_answer_is_cut(hasty: Wire) -> None:
    hasty.client(GET)
    link = hasty.upstream.accept()
    link.request()
    feeder = threading.Thread(
        target=link.send, args=(H + b"Content-Length: 1000000000\r\n\r\n" + bytes(64 << 20),)
    )
    feeder.start()
    feeder.join(5)
    assert not feeder.is_alive(), "the proxy still waits for a client that doesn't read"
    hasty.serves_on()


@case("p14-body-answer-is-taken-slowly")
def test_a_client_that_reads_slowly_is_waited_for(hasty: Wire) -> None:
    size = 8 << 20
    hasty.upstream.serve(
        lambda link: (link.request(), link.send(H + b"Content-Length: %d\r\n\r\n" % size + bytes(size)))
    )
    client = hasty.client(GET)
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    for _ in range(LONG):
        client.rest += client.sock.recv(1 << 18)
        time.sleep(PACE)
    assert len(client.answer().body) == size


@case("p14-pool-idle")
def test_an_idle_connection_is_closed(hasty: Wire) -> None:
    hasty.upstream.serve(None)
    client = hasty.client(GET)
    link = hasty.upstream.accept()
    link.request()
    link.send(OK)
    assert client.answer().body == b"ok"
    link.gone()


@case("p12-pool-max-idle")
def test_no_more_connections_are_kept_than_max_idle(hasty: Wire) -> None:
    clients = [hasty.client(GET) for _ in range(5)]
    links = [hasty.upstream.accept() for _ in clients]
    for link in links:
        link.request()
        link.send(OK)
    assert [client.answer().body for client in clients] == [b"ok"] * 5
    ended = 0
    for link in links:
        link.sock.settimeout(0.05)
        try:
            link.receive()
        except Gone:
            ended += 1
        except TimeoutError:
            pass
        link.sock.settimeout(5)
    assert ended >= 3, "max_idle is 2"


@case("p14-tunnel-idle")
def test_a_tunnel_in_which_nothing_moves_is_closed(hasty: Wire) -> None:
    client, link = hasty.tunnel()
    client.ended()
    link.gone()


@case("p14-tunnel-moves")
def test_a_tunnel_in_which_something_moves_stays(hasty: Wire) -> None:
    client, link = hasty.tunnel()
    slowly(client.send, b"x", LONG)
    assert link.read(LONG) == b"x" * LONG
    slowly(link.send, b"y", LONG)
    assert client.read(LONG) == b"y" * LONG
