"""Answers of every kind as playbooks: what clients of both versions get of them."""

from collections.abc import Callable, Iterator

import pytest

from tests.kits.exchanges import Answered
from tests.kits.stage import Stage

OURS = b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: shop\r\n"
OURS += b"X-Forwarded-Port: 80\r\nX-Real-IP: 192.0.2.7\r\nX-Request-Id: w1-1\r\n\r\n"
GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
GET_1_0 = b"GET /a HTTP/1.0\r\nHost: shop\r\n\r\n"
FORWARDED = b"GET /a HTTP/1.1\r\nHost: shop\r\n" + OURS
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n"
COMPLETE = [("complete", 200, "success")]


# Bodies of answers.

ANSWERS = {
    "sized": (b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", False),
    "empty": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", False),
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        False,
    ),
    "trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\nA: b\r\n\r\n",
        False,
    ),
    "until close": (b"HTTP/1.1 200 OK\r\n\r\nhello world", True),
    "until close, 1.0": (b"HTTP/1.0 200 OK\r\n\r\nhello world", True),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("minor", [0, 1])
def test_every_kind_of_answer_to_both_versions(
    stage: Stage,
    every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]],
    answers: Callable[..., list[Answered]],
    name: str,
    minor: int,
) -> None:
    wire, closes = ANSWERS[name]
    for parts in every_cut(wire):
        client = stage.client()
        client.sends(GET if minor else GET_1_0)
        server = stage.connects() if stage.dialled() else server  # noqa: F821 - the one of the round before
        server.sends(*parts)
        if closes:
            server.closes()
        [(status, fields, body)] = answers(client.got(), closed=client.end == "eof")
        assert (status, body) == (200, b"" if name == "empty" else b"hello world")
        assert stage.outcomes() == COMPLETE
        names = {field.lower(): value for field, value in fields}
        sized = name in ("sized", "empty")
        assert ("content-length" in names) is sized
        assert names.get("transfer-encoding") == (None if sized or not minor else "chunked")
        assert client.end == ("" if minor else "eof")
        assert names.get("connection") == (None if minor else "close")
        assert stage.idle() == (0 if closes else 1)


def test_http_1_0_may_keep_its_connection_when_the_length_is_known(stage: Stage) -> None:
    client = stage.client()
    for _ in range(2):
        client.sends(b"GET /a HTTP/1.0\r\nHost: shop\r\nConnection: Keep-Alive\r\n\r\n")
        server = stage.connects() if stage.dialled() else server  # noqa: F821 - the one of the round before
        server.sends(OK)
        assert client.got() == OK.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n")
    assert client.end == ""


@pytest.mark.parametrize("name", ["chunked", "until close"])
def test_http_1_0_may_not_keep_it_when_only_the_end_tells_the_length(stage: Stage, name: str) -> None:
    client = stage.client()
    client.sends(GET_1_0.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n"))
    server = stage.connects()
    server.sends(ANSWERS[name][0])
    server.closes()
    assert client.got() == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello world"
    assert client.end == "eof"


def test_a_client_that_says_close_is_told_so(stage: Stage) -> None:
    client = stage.client()
    client.sends(b"GET /a HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")
    server = stage.connects()
    assert server.got() == FORWARDED
    server.sends(OK)
    assert client.got() == OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert (client.end, stage.idle()) == ("eof", 1)


BODILESS = [
    ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200),
    ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200),
    ("HEAD", b"HTTP/1.1 200 OK\r\n\r\n", 200),
    ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
    ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: a\r\n\r\n", 304),
    ("GET", b"HTTP/1.1 304 Not Modified\r\n\r\n", 304),
]


@pytest.mark.parametrize(("method", "wire", "status"), BODILESS)
def test_answers_without_a_body_end_with_their_head(
    stage: Stage, answers: Callable[..., list[Answered]], method: str, wire: bytes, status: int
) -> None:
    client = stage.client()
    client.sends(GET.replace(b"GET", method.encode()))
    server = stage.connects()
    server.sends(wire)
    [(got, fields, body)] = answers(client.got(), [method])
    assert (got, body) == (status, b"")
    assert [value for name, value in fields if name == "Content-Length"] == ["5"] * wire.count(
        b"Content-Length"
    )
    assert stage.outcomes() == [("complete", status, "success")]
    assert (stage.idle(), client.end) == (1, "")


@pytest.mark.parametrize(("method", "wire", "status"), BODILESS)
def test_a_body_that_may_not_be_there_reaches_nobody(
    stage: Stage, method: str, wire: bytes, status: int
) -> None:
    client = stage.client()
    client.sends(GET.replace(b"GET", method.encode()))
    server = stage.connects()
    server.sends(wire + b"hello")
    assert b"hello" not in client.got()
    assert (stage.idle(), server.end) == (0, "abort")
    assert stage.outcomes() == [("complete", status, "success")]


@pytest.mark.parametrize("name", ["sized", "empty", "chunked", "trailers"])
@pytest.mark.parametrize("surplus", [b"x", b"\r\n", OK])
def test_bytes_behind_an_answer_reach_nobody_and_the_connection_is_not_kept(
    stage: Stage, answers: Callable[..., list[Answered]], name: str, surplus: bytes
) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(ANSWERS[name][0] + surplus)
    assert len(answers(client.got())) == 1
    assert stage.outcomes() == COMPLETE
    assert (stage.idle(), server.end) == (0, "abort")
    client.sends(GET)
    stage.connects().sends(OK)
    assert client.got() == OK


@pytest.mark.parametrize("close", [b"HTTP/1.1 200 OK\r\nConnection: close", b"HTTP/1.0 200 OK"])
def test_a_connection_that_the_endpoint_wants_closed_is_not_kept(stage: Stage, close: bytes) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(close + b"\r\nContent-Length: 5\r\n\r\nhello")
    assert client.got() == OK
    assert (client.end, stage.idle(), server.end) == ("", 0, "abort")
    assert stage.outcomes() == COMPLETE


def test_an_endpoint_of_http_1_0_may_keep_its_connection(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    stage.connects().sends(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello")
    assert client.got() == OK
    assert stage.idle() == 1


# Interim answers.

INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


def test_interim_answers_go_before_the_answer(
    stage: Stage, every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]]
) -> None:
    client = stage.client()
    server = stage.warm(client)
    for parts in every_cut(b"HTTP/1.1 100 Continue\r\n\r\n" + INTERIM + OK):
        client.sends(GET)
        server.sends(*parts)
        assert client.got() == b"HTTP/1.1 100 Continue\r\n\r\n" + INTERIM + OK
        assert stage.outcomes() == COMPLETE
    assert stage.idle() == 1


def test_http_1_0_never_gets_an_interim_answer(stage: Stage, answers: Callable[..., list[Answered]]) -> None:
    client = stage.client()
    client.sends(GET_1_0)
    stage.connects().sends(INTERIM + OK)
    assert [status for status, _, _ in answers(client.got())] == [200]


def test_a_client_that_waits_for_100_gets_it_from_the_endpoint(stage: Stage) -> None:
    client = stage.client()
    expecting = POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
    client.sends(expecting)
    server = stage.connects()
    assert b"Expect: 100-continue\r\n" in server.got()
    server.sends(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert client.got() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sends(b"0123456789")
    assert server.got() == b"0123456789"
    server.sends(OK)
    assert client.got() == OK
    assert stage.outcomes() == COMPLETE


def test_a_change_of_protocol_that_nobody_asked_for(
    stage: Stage, answers: Callable[..., list[Answered]]
) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nsecrets")
    [(status, _, _)] = answers(client.got())
    assert (status, server.end) == (502, "abort")
    assert stage.outcomes() == [("garbage", 502, "failure")]
