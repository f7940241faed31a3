"""Exchanges that break, on the endpoint's side and on the client's."""

from collections.abc import Callable

import pytest

from proxy.forwarding.upstream import Upstream
from proxy.routing.table import Service
from tests.kits.exchanges import Answered
from tests.kits.stage import Stage

GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
GET_1_0 = b"GET /a HTTP/1.0\r\nHost: shop\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n"
POST_CHUNKED = b"POST /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
FORWARDED = b"GET /a HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
FORWARDED += (
    b"X-Forwarded-Host: shop\r\nX-Forwarded-Port: 80\r\nX-Real-IP: 192.0.2.7\r\nX-Request-Id: w1-1\r\n\r\n"
)
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


# What the endpoint gets wrong.


@pytest.mark.parametrize(("status", "detail"), [(502, "the connection was refused"), (504, "it took longer")])
def test_nobody_takes_the_connection(stage: Stage, status: int, detail: str) -> None:
    client = stage.client()
    client.sends(GET)
    stage.refuses(status, detail)
    stage.failed(client, status, "connect")
    assert (client.end, client.read) == ("", True)
    client.sends(GET)
    stage.connects().sends(OK)
    assert client.got() == OK


def test_the_connection_is_gone_before_the_request_is_sent(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    shelf, _, then = stage.plane.dialler.calls[0]

    def hung_up(upstream: Upstream) -> None:
        upstream.connection_lost(None)
        then(upstream)

    stage.plane.dialler.calls[0] = (shelf, 5, hung_up)
    stage.connects()
    stage.failed(client, 502, "connect")


@pytest.mark.parametrize("end", ["closes", "resets"])
@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", INTERIM])
def test_the_endpoint_goes_away_before_the_answer(stage: Stage, end: str, sent: bytes) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(sent)
    client.got()
    getattr(server, end)()
    stage.failed(client, 502, "reset")
    assert client.end == ""


GARBAGE = [
    b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    b"\x00\x01\x02\x03\n",
    b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
    b"HTTP/1.1 000 OK\r\n\r\n",
    b"HTTP/2.0 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n",
    b"HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 201 + b"\r\n",
    b"HTTP/1.1 200 OK\r\nA: " + b"a" * 66000,
    b"a" * 20000,
]


@pytest.mark.parametrize("wire", GARBAGE, ids=lambda wire: str(wire)[:40])
@pytest.mark.parametrize("before", [b"", INTERIM])
def test_what_is_no_answer_is_502(stage: Stage, wire: bytes, before: bytes) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(before)
    client.got()
    server.sends(wire)
    assert server.end == "abort"
    stage.failed(client, 502, "garbage")


def test_head_gets_502_without_a_body(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET.replace(b"GET", b"HEAD"))
    stage.refuses()
    assert client.got().endswith(b"\r\n\r\n")


CUTS = {
    "sized": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
    "sized, nothing came": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "chunked, last chunk begun": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    "chunked, in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello",
}


@pytest.mark.parametrize("name", CUTS)
@pytest.mark.parametrize("end", ["closes", "resets"])
@pytest.mark.parametrize("request_", [GET, GET_1_0])
def test_a_cut_answer_is_never_completed(stage: Stage, name: str, end: str, request_: bytes) -> None:
    client = stage.client()
    client.sends(request_)
    server = stage.connects()
    server.sends(CUTS[name])
    getattr(server, end)()
    assert b"\r\n0\r\n" not in client.got()
    assert client.was_reset
    assert stage.outcomes() == [("truncated", 200, "failure")]
    assert (stage.idle(), set(stage.members)) == (0, set())


@pytest.mark.parametrize("request_", [GET, GET_1_0])
def test_an_answer_until_close_that_ends_in_a_reset_is_cut(stage: Stage, request_: bytes) -> None:
    client = stage.client()
    client.sends(request_)
    server = stage.connects()
    server.sends(b"HTTP/1.1 200 OK\r\n\r\nhello")
    server.resets()
    assert b"\r\n0\r\n" not in client.got()
    assert client.was_reset
    assert stage.outcomes() == [("truncated", 200, "failure")]


@pytest.mark.parametrize("chunks", [b"5\r\nhello!\r\n", b"x\r\n", b"0\r\nbad\r\n\r\n"])
def test_an_answer_that_turns_out_malformed_is_cut(stage: Stage, chunks: bytes) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunks)
    assert client.was_reset
    assert server.end == "abort"
    assert stage.outcomes() == [("truncated", 200, "failure")]


def test_an_error_of_the_endpoint_goes_through_and_is_a_failure(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    stage.connects().sends(OK.replace(b"200 OK", b"500 Internal Server Error"))
    assert client.got().startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert stage.outcomes() == [("complete", 500, "failure")]
    assert (stage.idle(), client.end) == (1, "")


def test_no_endpoint_is_there(
    staged: type[Stage], service: Callable[..., Service], answers: Callable[..., list[Answered]]
) -> None:
    stage = staged(service(endpoints=()))
    client = stage.client()
    client.sends(GET + GET)
    assert [status for status, _, _ in answers(client.got(), ["GET", "GET"])] == [503, 503]
    assert stage.outcomes() == [("refused", 503, "failure")] * 2
    assert client.end == ""
    client.sends(POST + b"0123")
    assert b"Connection: close" in client.got()
    assert client.end == "eof"


# The client leaves.


@pytest.mark.parametrize("end", ["closes", "resets"])
@pytest.mark.parametrize(
    ("sent", "status"), [(b"", 0), (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", 200)]
)
def test_the_endpoint_is_left_when_the_client_leaves(
    stage: Stage, end: str, sent: bytes, status: int
) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(sent)
    getattr(client, end)()
    assert server.end == "abort"
    assert stage.outcomes() == [("client-left", status, "excluded")]
    assert (stage.idle(), set(stage.members)) == (0, set())


@pytest.mark.parametrize("request_", [GET, GET_1_0])
def test_a_client_that_ends_its_side_gets_no_part_as_the_whole(stage: Stage, request_: bytes) -> None:
    client = stage.client()
    client.sends(request_)
    server = stage.connects()
    server.sends(b"HTTP/1.1 200 OK\r\n\r\nhello")
    client.closes()
    assert client.was_reset
    assert server.end == "abort"
    assert stage.outcomes() == [("client-left", 200, "excluded")]


def test_a_client_that_ends_its_side_behind_an_answer_is_only_closed(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    stage.connects().sends(OK)
    client.closes()
    assert (client.got(), client.end) == (OK, "close")
    assert stage.outcomes() == [("complete", 200, "success")]


@pytest.mark.parametrize("end", ["closes", "resets"])
def test_a_cut_upload_is_never_completed(stage: Stage, end: str) -> None:
    client = stage.client()
    client.sends(POST_CHUNKED + b"5\r\nhello\r\n")
    server = stage.connects()
    getattr(client, end)()
    assert server.end == "abort"
    assert not server.got().endswith(b"0\r\n\r\n")
    assert stage.outcomes() == [("client-left", 0, "excluded")]


def test_a_connection_that_comes_when_the_client_is_gone_is_kept_for_others(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    client.resets()
    assert stage.outcomes() == [("client-left", 0, "excluded")]
    server = stage.connects()
    assert (stage.idle(), server.got()) == (1, b"")
    other = stage.client()
    other.sends(GET)
    assert server.got() == FORWARDED


def test_but_not_when_it_is_gone_as_well(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    client.resets()
    shelf, _, then = stage.plane.dialler.calls[0]

    def hung_up(upstream: Upstream) -> None:
        upstream.connection_lost(None)
        then(upstream)

    stage.plane.dialler.calls[0] = (shelf, 5, hung_up)
    stage.connects()
    assert stage.idle() == 0


def test_a_failed_dial_of_a_client_that_is_gone_troubles_nobody(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    client.resets()
    stage.refuses()
    assert (client.got(), stage.outcomes()) == (b"", [("client-left", 0, "excluded")])
