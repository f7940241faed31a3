"""Answers that come before the request is whole: they go on at once, and the rest is not waited for."""

from collections.abc import Callable

from tests.kits.exchanges import Answered
from tests.kits.stage import Stage
from tests.kits.transports import Client, Server

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


def uploading(stage: Stage, head: bytes = POST) -> tuple[Client, Server]:
    """A client has sent the head and four bytes of ten."""
    client = stage.client()
    client.sends(head + b"0123")
    server = stage.connects()
    assert server.got().endswith(b"\r\n\r\n0123")
    return client, server


def test_a_refusal_that_has_come_is_read_before_more_is_sent(
    stage: Stage, answers: Callable[..., list[Answered]]
) -> None:
    client, server = uploading(stage)
    server.slips(OK.replace(b"200 OK", b"413 Content Too Large"), None)
    client.transport.arrive(b"456")
    client.transport.arrive(b"789")
    server.told()
    assert server.got() == b"", "the endpoint has closed: a write would fail, and the answer be lost"
    assert [status for status, _, _ in answers(client.got(), ["POST"])] == [413]
    assert (server.end, client.end, stage.idle()) == ("abort", "eof", 0)
    assert stage.outcomes() == [("complete", 413, "success")]


def test_what_came_meanwhile_goes_on_in_its_order(stage: Stage) -> None:
    client, server = uploading(stage)
    server.slips(b"HTTP/1.1 102 Processing\r\n\r\n")
    client.transport.arrive(b"456")
    client.transport.arrive(b"789" + GET)
    assert server.got() == b""
    server.told()
    assert server.got() == b"456789"
    server.sends(OK)
    assert client.got() == b"HTTP/1.1 102 Processing\r\n\r\n" + OK
    assert server.got().startswith(b"GET /a"), "the next request, over the same connection"
    server.sends(OK)
    assert client.got() == OK
    assert stage.outcomes() == [*COMPLETE, *COMPLETE]


def test_an_endpoint_that_breaks_meanwhile_gets_nothing_more(stage: Stage) -> None:
    client, server = uploading(stage)
    server.slips(ConnectionResetError())
    client.transport.arrive(b"456789")
    server.told()
    assert server.got() == b""
    stage.failed(client, 502, "reset", "POST")


def test_a_client_that_leaves_meanwhile_leaves_nothing_behind(stage: Stage) -> None:
    client, server = uploading(stage)
    server.slips(b"HTTP/1.1 102 Processing\r\n\r\n")
    client.transport.arrive(b"456789")
    client.transport.lose(ConnectionResetError())
    server.told()
    assert (server.got(), server.end, stage.idle()) == (b"", "abort", 0)
    assert [ending for ending, _, _ in stage.outcomes()] == ["client-left"]


def test_an_answer_that_is_held_back_holds_back_no_upload(stage: Stage) -> None:
    client, server = uploading(stage)
    server.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n")
    client.stalls()
    server.sends(BIG)
    assert not server.read
    server.slips(BIG)
    client.sends(b"456789")
    assert server.got() == b"456789"
    client.takes()
    assert stage.outcomes() == COMPLETE
