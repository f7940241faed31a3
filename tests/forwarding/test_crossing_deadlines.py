"""Exchanges at their own pace: who waits for whom, for how long, and who is blamed."""

from collections.abc import Callable

import pytest

from proxy.routing.table import Service, Timeouts
from tests.kits.exchanges import Answered
from tests.kits.stage import Stage

GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
COMPLETE = [("complete", 200, "success")]
FORWARDED = b"GET /a HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
FORWARDED += (
    b"X-Forwarded-Host: shop\r\nX-Forwarded-Port: 80\r\nX-Real-IP: 192.0.2.7\r\nX-Request-Id: w1-1\r\n\r\n"
)


# Back-pressure.

BIG = b"x" * 100_000


def test_an_endpoint_is_not_read_while_the_client_takes_nothing(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    client.stalls()
    server.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + BIG)
    assert not server.read
    server.sends(BIG)
    assert len(client.got()) < 110_000
    client.takes()
    assert server.read
    assert client.got() == BIG
    assert stage.outcomes() == COMPLETE
    assert stage.idle() == 1


def test_a_client_is_not_read_while_the_endpoint_takes_nothing(stage: Stage) -> None:
    client = stage.client()
    client.sends(POST.replace(b"10", b"200000"))
    server = stage.connects()
    server.stalls()
    client.sends(BIG)
    assert not client.read
    client.sends(BIG)
    assert len(server.got()) < 110_000
    server.takes()
    assert client.read
    assert server.got() == BIG
    server.sends(OK)
    assert client.got() == OK
    assert stage.outcomes() == COMPLETE
    assert stage.idle() == 1


def test_both_sides_are_read_again_after_an_exchange_that_was_held(stage: Stage) -> None:
    client = stage.client()
    client.sends(POST.replace(b"10", b"100000"))
    server = stage.connects()
    server.stalls()
    client.sends(BIG[:90_000])
    assert not client.read
    server.resets()
    assert client.read
    assert stage.outcomes() == [("reset", 502, "failure")]


def test_a_connection_that_still_has_much_to_send_is_not_kept(stage: Stage) -> None:
    client = stage.client()
    client.sends(POST.replace(b"10", b"100000"))
    server = stage.connects()
    server.stalls()
    client.sends(BIG)
    server.sends(OK)
    assert client.got() == OK
    assert stage.outcomes() == COMPLETE
    assert (stage.idle(), server.end) == (0, "abort")


def test_the_next_request_waits_until_the_client_takes_the_answer(stage: Stage) -> None:
    client = stage.client()
    server = stage.warm(client)
    client.sends(GET)
    client.stalls()
    server.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + BIG)
    server.got()
    assert stage.outcomes() == COMPLETE
    assert server.read
    client.sends(GET)
    assert server.got() == b""
    client.takes()
    assert server.got() == FORWARDED


# Deadlines.


@pytest.fixture
def hasty(staged: type[Stage], service: Callable[..., Service]) -> Stage:
    """A stage whose service has short timeouts: 1 s to connect, 2 s for a response, 3 s within a body."""
    return staged(service(timeouts=Timeouts(connect=1, response=2, body=3)))


def test_connecting_has_a_deadline_of_its_own(hasty: Stage) -> None:
    client = hasty.client()
    client.sends(GET)
    [(_, seconds, _)] = hasty.plane.dialler.calls
    assert seconds == 1
    hasty.passes(1000)
    assert client.got() == b""


def test_a_silent_endpoint_is_504(hasty: Stage) -> None:
    client = hasty.client()
    client.sends(GET)
    server = hasty.connects()
    hasty.passes(1.9)
    assert client.got() == b""
    hasty.passes(0.2)
    hasty.failed(client, 504, "timeout")
    assert (server.end, client.end) == ("abort", "")


def test_the_answer_is_due_from_the_end_of_the_request(hasty: Stage) -> None:
    client = hasty.client()
    client.sends(POST)
    server = hasty.connects()
    for byte in b"0123456789":
        hasty.passes(1.9)
        client.sends(bytes([byte]))
    hasty.passes(1.9)
    assert (client.got(), server.end) == (b"", "")
    hasty.passes(0.2)
    hasty.failed(client, 504, "timeout", "POST")


def test_an_upload_that_stops_is_408_and_says_nothing_about_the_endpoint(
    hasty: Stage, answers: Callable[..., list[Answered]]
) -> None:
    client = hasty.client()
    client.sends(POST + b"0123")
    server = hasty.connects()
    hasty.passes(2.9)
    client.sends(b"4")
    hasty.passes(2.9)
    assert client.got() == b""
    hasty.passes(0.2)
    assert [status for status, _, _ in answers(client.got(), ["POST"])] == [408]
    assert (server.end, client.end) == ("abort", "eof")
    assert hasty.outcomes() == [("client-left", 408, "excluded")]
    assert hasty.refusals() == ["slow-body"]


def test_interim_answers_that_wait_to_be_taken_do_not_prolong_the_wait(hasty: Stage) -> None:
    client = hasty.client()
    client.sends(GET)
    server = hasty.connects()
    client.stalls()
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: %b\r\n\r\n" % BIG[:60_000]
    server.sends(hint, hint)
    assert not server.read
    hasty.passes(1.5)
    client.takes()
    assert server.read
    hasty.passes(0.7)
    assert client.got().count(b"HTTP/1.1 504 ") == 1
    assert hasty.outcomes() == [("timeout", 504, "failure")]


def test_nor_do_those_that_are_taken_slowly(hasty: Stage) -> None:
    client = hasty.client()
    client.sends(GET)
    server = hasty.connects()
    client.stalls()
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: %b\r\n\r\n" % BIG[:60_000]
    server.sends(hint, hint)
    for _ in range(5):
        hasty.passes(0.45)
        client.takes(100)
    assert hasty.outcomes() == [("client-left", 408, "excluded")]


def test_an_endpoint_that_takes_no_more_of_an_upload_is_504(hasty: Stage) -> None:
    client = hasty.client()
    client.sends(POST.replace(b"10", b"200000"))
    server = hasty.connects()
    server.stalls()
    client.sends(BIG)
    hasty.passes(2.9)
    assert client.got() == b""
    hasty.passes(0.6)
    hasty.failed(client, 504, "timeout", "POST")
    assert client.end == "eof"


def test_an_answer_that_stops_is_cut(hasty: Stage) -> None:
    client = hasty.client()
    client.sends(GET)
    server = hasty.connects()
    server.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
    hasty.passes(2.9)
    server.sends(b"w")
    hasty.passes(2.9)
    assert client.end == ""
    hasty.passes(0.2)
    assert client.was_reset
    assert server.end == "abort"
    assert hasty.outcomes() == [("timeout", 200, "failure")]


def test_a_client_that_takes_no_more_is_cut_and_says_nothing_about_the_endpoint(hasty: Stage) -> None:
    client = hasty.client()
    client.sends(GET)
    server = hasty.connects()
    client.stalls()
    server.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + BIG)
    hasty.passes(6.5)
    assert client.was_reset
    assert server.end == "abort"
    assert hasty.outcomes() == [("client-left", 200, "excluded")]


def test_a_client_that_takes_no_more_is_not_kept_by_what_it_sends(hasty: Stage) -> None:
    client = hasty.client()
    client.sends(POST.replace(b"10", b"1000"))
    server = hasty.connects()
    client.stalls()
    server.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + BIG)
    for _ in range(40):
        client.sends(b"x")
        hasty.passes(0.1)
    assert client.was_reset
    assert hasty.outcomes() == [("client-left", 200, "excluded")]


def test_a_client_that_takes_no_more_is_not_kept_by_an_endpoint_that_does(hasty: Stage) -> None:
    client = hasty.client()
    client.sends(POST.replace(b"10", b"100000"))
    server = hasty.connects()
    server.stalls()
    client.stalls()
    client.sends(BIG[:90_000])
    server.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + BIG)
    for _ in range(15):
        hasty.passes(0.5)
        server.takes(1_000)
    assert client.was_reset
    assert hasty.outcomes() == [("client-left", 200, "excluded")]


def test_a_slow_reader_is_not_cut_while_it_takes_something(hasty: Stage) -> None:
    client = hasty.client()
    client.sends(GET)
    server = hasty.connects()
    client.stalls()
    server.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + BIG)
    server.sends(BIG)
    for _ in range(40):
        hasty.passes(2)
        client.takes(1_000)
    assert client.end == ""
    client.takes()
    assert hasty.outcomes() == COMPLETE


def test_an_upload_that_stops_within_the_answer_says_nothing_about_the_endpoint(hasty: Stage) -> None:
    client = hasty.client()
    client.sends(POST + b"0123")
    server = hasty.connects()
    server.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
    hasty.passes(3.2)
    assert client.was_reset
    assert server.end == "abort"
    assert hasty.outcomes() == [("client-left", 200, "excluded")]


def test_an_endpoint_that_takes_an_upload_slowly_is_not_cut(hasty: Stage) -> None:
    client = hasty.client()
    client.sends(POST.replace(b"10", b"100000"))
    server = hasty.connects()
    server.stalls()
    client.sends(BIG[:90_000])
    for _ in range(20):
        hasty.passes(2)
        server.takes(4_000)
    assert (client.got(), server.end) == (b"", "")
    server.takes()
    client.sends(BIG[:10_000])
    server.sends(OK)
    assert client.got() == OK


def test_a_second_stall_with_as_many_bytes_has_its_own_time(
    staged: type[Stage], service: Callable[..., Service]
) -> None:
    stage = staged(service(timeouts=Timeouts(body=60)))
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    for _ in range(2):
        client.stalls()
        server.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n", BIG[:100_000])
        stage.passes(45)
        assert client.end == ""
        client.takes()
        server.sends(BIG[:100_000])
        client.got()
        stage.passes(40)
        client.sends(GET)


def test_an_endpoint_that_ends_while_it_takes_no_more_of_an_upload_is_502_at_once(stage: Stage) -> None:
    client = stage.client()
    client.sends(POST.replace(b"10", b"1000000"))
    server = stage.connects()
    server.stalls()
    client.sends(BIG)
    server.closes()
    stage.failed(client, 502, "reset", "POST")
    assert server.end == "abort"


def test_a_request_on_a_connection_from_the_pool_counts_from_its_head(stage: Stage) -> None:
    client = stage.client()
    server = stage.warm(client)
    stage.passes(1)
    client.sends(GET)
    stage.passes(2)
    server.sends(OK)
    assert stage.outcomes() == [("complete", 200, "success")]
    assert [round(one.head_seconds, 6) for one in stage.tally.outcomes] == [0, 2]


@pytest.mark.parametrize(
    ("line", "quiet"),
    [
        (b"Content-Type: text/event-stream", 1800),
        (b"content-type:text/event-stream; charset=utf-8", 1800),
        (b"Content-Type: text/plain", 59),
        (b"Content-Type: text/event-streams", 59),
    ],
)
def test_an_event_stream_may_be_quiet_for_longer(stage: Stage, line: bytes, quiet: float) -> None:
    client = stage.client()
    client.sends(b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n")
    server = stage.connects()
    server.sends(b"HTTP/1.1 200 OK\r\n" + line + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    stage.passes(quiet)
    assert (client.got().endswith(b"\r\n\r\n"), client.end) == (True, "")
    server.sends(b"1\r\na\r\n")
    assert client.got() == b"1\r\na\r\n"
    stage.passes(2 * quiet + 3)
    assert client.end != ""
