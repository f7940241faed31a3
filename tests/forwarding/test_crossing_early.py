"""Answers that come before the request is whole: they go on at once, and the rest is not waited for."""

from collections.abc import Callable

from tests.kits.exchanges import Answered
from tests.kits.stage import Stage

GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
COMPLETE = [("complete", 200, "success")]
BIG = b"x" * 100_000


def test_an_answer_may_begin_before_the_request_is_whole(stage: Stage) -> None:
    client = stage.client()
    client.sends(POST)
    server = stage.connects()
    server.got()
    server.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    for byte in b"0123456789":
        client.sends(bytes([byte]))
        assert server.got() == bytes([byte])
        client.got()
        server.sends(bytes([byte]))
        assert client.got() == bytes([byte])
    assert stage.outcomes() == COMPLETE
    assert stage.idle() == 1


def test_an_early_answer_ends_the_connection_and_says_so(
    stage: Stage, answers: Callable[..., list[Answered]]
) -> None:
    client = stage.client()
    client.sends(POST + b"0123")
    server = stage.connects()
    server.sends(OK.replace(b"200 OK", b"413 Content Too Large"))
    [(status, fields, _)] = answers(client.got(), ["POST"])
    assert status == 413
    assert ("Connection", "close") in fields
    assert (server.end, client.end, stage.idle()) == ("abort", "eof", 0)
    assert stage.outcomes() == [("complete", 413, "success")]
    client.sends(b"456789", GET)
    assert (client.got(), stage.dialled()) == (b"", [])


def test_an_early_answer_until_close_does_not_wait_for_the_upload(
    stage: Stage, answers: Callable[..., list[Answered]]
) -> None:
    client = stage.client()
    client.sends(POST.replace(b"10", b"200000"))
    server = stage.connects()
    server.stalls()
    client.sends(BIG)
    assert not client.read
    server.sends(b"HTTP/1.1 413 Content Too Large\r\n\r\nhello")
    server.closes()
    [(status, _, body)] = answers(client.got(), ["POST"])
    assert (status, body) == (413, b"hello")
    assert (server.end, client.end, stage.idle()) == ("abort", "eof", 0)
    assert stage.outcomes() == [("complete", 413, "success")]
