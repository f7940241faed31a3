"""Exchanges as playbooks: what client and endpoint send, what each of them gets, and what is counted."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proxy.forwarding.exchange import Exchange
from proxy.routing.sticky import Sticky
from proxy.routing.table import Service
from tests.kits.exchanges import Answered
from tests.kits.stage import Stage

OURS = b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: shop\r\n"
OURS += b"X-Forwarded-Port: 80\r\nX-Real-IP: 192.0.2.7\r\nX-Request-Id: w1-1\r\n\r\n"
GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
FORWARDED = b"GET /a HTTP/1.1\r\nHost: shop\r\n" + OURS
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n"
POSTED = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n" + OURS
POST_CHUNKED = b"POST /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
POSTED_CHUNKED = b"POST /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n" + OURS
COMPLETE = [("complete", 200, "success")]


def dechunked(data: bytes) -> tuple[bytes, bytes]:
    """The content of chunks, and what is behind them."""
    content = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        assert re.fullmatch(rb"[0-9a-f]+", size), size
        content += data[: int(size, 16)]
        assert data[int(size, 16) :][:2] == b"\r\n"
        data = data[int(size, 16) + 2 :]
        if not int(size, 16):
            return content, data


# One request and its answer.


def test_over_a_fresh_connection_and_then_over_the_same(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    assert stage.dialled() == ["http://stable:9001"]
    assert stage.pending() == 1
    server = stage.connects()
    assert server.got() == FORWARDED
    server.sends(OK)
    assert client.got() == OK
    assert stage.outcomes() == COMPLETE
    client.sends(GET)
    assert stage.dialled() == []
    assert server.got() == FORWARDED
    server.sends(OK)
    assert client.got() == OK
    assert stage.outcomes() == COMPLETE
    assert (stage.idle(), client.end, server.end) == (1, "", "")


def test_whom_http_1_0_does_not_name_is_the_endpoint(stage: Stage) -> None:
    client = stage.client()
    client.sends(b"GET /a HTTP/1.0\r\n\r\n")
    got = stage.connects().got()
    assert got.startswith(b"GET /a HTTP/1.1\r\nHost: stable:9001\r\n")
    assert (got.count(b"\r\nHost: "), got.count(b"X-Forwarded-Port: 80\r\n")) == (1, 1)


def test_two_clients_share_a_connection_one_after_the_other(stage: Stage) -> None:
    server = stage.warm(stage.client())
    other = stage.client(("2001:db8::1", 1, 0, 0))
    other.sends(GET)
    assert b"X-Forwarded-For: 2001:db8::1\r\n" in server.got()
    third = stage.client()
    third.sends(GET)
    assert stage.dialled() == ["http://stable:9001"]
    server.sends(OK)
    assert other.got() == OK
    assert third.got() == b""


def test_however_both_sides_are_cut(
    stage: Stage, every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]]
) -> None:
    client = stage.client()
    server = stage.warm(client)
    for request in every_cut(GET):
        for answer in every_cut(OK):
            client.sends(*request)
            assert server.got() == FORWARDED
            server.sends(*answer)
            assert client.got() == OK
            assert stage.outcomes() == COMPLETE


def test_the_bytes_of_an_answer_go_on_at_once(stage: Stage) -> None:
    client = stage.client()
    server = stage.warm(client)
    client.sends(GET)
    head, _, body = OK.partition(b"hello")[0], None, b"hello"
    server.sends(head[:-1])
    assert client.got() == b""
    server.sends(head[-1:])
    assert client.got() == head
    for at in range(5):
        server.sends(body[at : at + 1])
        assert client.got() == body[at : at + 1]


def test_a_body_in_the_same_segment_goes_out_in_one_write(stage: Stage) -> None:
    client = stage.client()
    server = stage.warm(client)
    client.sends(POST + b"0123456789")
    server.sends(OK)
    assert server.transport.writes[-1] == POSTED + b"0123456789"
    assert client.transport.writes[-1] == OK


# Bodies of requests.


def test_a_sized_upload(stage: Stage, every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]]) -> None:
    client = stage.client()
    server = stage.warm(client)
    for parts in every_cut(POST + b"0123456789"):
        client.sends(*parts)
        assert server.got() == POSTED + b"0123456789"
        server.sends(OK)
        assert client.got() == OK
        assert stage.outcomes() == COMPLETE
    assert stage.idle() == 1


def test_an_upload_in_chunks(stage: Stage, every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]]) -> None:
    client = stage.client()
    server = stage.warm(client)
    for parts in every_cut(POST_CHUNKED + b"5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nDigest: abc\r\n\r\n"):
        client.sends(*parts)
        got = server.got()
        assert got.startswith(POSTED_CHUNKED)
        assert dechunked(got.removeprefix(POSTED_CHUNKED)) == (b"hello world", b"")
        server.sends(OK)
        assert client.got() == OK
        assert stage.outcomes() == COMPLETE


def test_an_upload_that_begins_while_dialling_waits_for_the_connection(stage: Stage) -> None:
    client = stage.client()
    client.sends(POST + b"0123")
    client.sends(b"456789")
    server = stage.connects()
    assert server.got() == POSTED + b"0123456789"


def test_an_upload_that_dialling_keeps_waiting_is_read_up_to_a_bound(stage: Stage) -> None:
    client = stage.client()
    client.sends(POST.replace(b"10", b"200000") + b"a" * 40_000)
    assert client.read
    client.sends(b"b" * 40_000)
    assert not client.read
    server = stage.connects()
    assert client.read
    assert server.got() == POSTED.replace(b"10", b"200000") + b"a" * 40_000 + b"b" * 40_000


def test_an_upload_is_forwarded_as_it_comes(stage: Stage) -> None:
    client = stage.client()
    client.sends(POST)
    server = stage.connects()
    assert server.got() == POSTED
    for byte in b"0123456789":
        client.sends(bytes([byte]))
        assert server.got() == bytes([byte])


@pytest.mark.parametrize("chunks", [b"x\r\n", b"5\r\nhello!", b"0\r\nbad\r\n\r\n", b"5\nhello"])
def test_a_malformed_upload_is_refused_and_what_went_out_is_aborted(
    stage: Stage, answers: Callable[..., list[Answered]], chunks: bytes
) -> None:
    client = stage.client()
    client.sends(POST_CHUNKED)
    server = stage.connects()
    client.sends(chunks + b"\r\n" * 3)
    [(status, fields, _)] = answers(client.got(), ["POST"])
    assert status == 400
    assert ("Connection", "close") in fields
    assert (server.end, client.end) == ("abort", "eof")
    assert stage.outcomes() == [("refused", 400, "excluded")]
    assert b"0\r\n\r\n" not in server.got()


def test_an_upload_that_is_malformed_at_once_never_goes_out(
    stage: Stage, answers: Callable[..., list[Answered]]
) -> None:
    client = stage.client()
    client.sends(POST_CHUNKED + b"x\r\n\r\n")
    server = stage.connects()
    assert answers(client.got(), ["POST"])[0][0] == 400
    assert (server.got(), server.end) == (b"", "abort")
    assert stage.outcomes() == [("refused", 400, "excluded")]


def test_an_upload_that_turns_out_malformed_within_the_answer_cuts_it(stage: Stage) -> None:
    client = stage.client()
    client.sends(POST_CHUNKED)
    server = stage.connects()
    server.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
    client.sends(b"x\r\n")
    assert client.was_reset
    assert server.end == "abort"
    assert stage.outcomes() == [("refused", 200, "excluded")]


# The service's own marks on an answer.


def test_the_choice_is_told_when_asked_for(staged: type[Stage], service: Callable[..., Service]) -> None:
    stage = staged(service(choice_header="X-Weir"))
    client = stage.client()
    client.sends(GET)
    stage.connects().sends(OK)
    assert b"\r\nX-Weir: stable; why=weight\r\n" in client.got()


def test_a_key_is_issued_once_and_taken_back(
    staged: type[Stage], service: Callable[..., Service], answers: Callable[..., list[Answered]]
) -> None:
    stage = staged(service(weight=10_000, sticky=Sticky("cookie", "weir", issue=True, salt="s")))
    client = stage.client()
    client.sends(GET)
    assert stage.dialled() == ["http://canary:9002"]
    server = stage.connects()
    server.sends(OK.replace(b"Content-Length", b"Set-Cookie: a=1\r\nContent-Length"))
    [(_, fields, _)] = answers(client.got())
    first, issued = [value for name, value in fields if name == "Set-Cookie"]
    assert first == "a=1"
    assert re.fullmatch(r"weir=[0-9a-f]{32}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax", issued)
    key = issued.partition(";")[0].encode()
    client.sends(GET.replace(b"\r\n\r\n", b"\r\nCookie: %b\r\n\r\n" % key))
    assert key in server.got()
    server.sends(OK)
    assert b"Set-Cookie" not in client.got()
    assert stage.tally.outcomes[-1].key[2] == "canary"


# What is counted.


def test_the_time_to_the_head_is_counted_from_the_connection(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    stage.now += 2
    server = stage.connects()
    stage.now += 0.25
    server.sends(OK[:-5])
    stage.now += 1
    server.sends(OK[-5:])
    [outcome] = stage.tally.outcomes
    assert (outcome.head_seconds, outcome.total_seconds) == (0.25, 3.25)
    assert (*outcome.key, outcome.method) == (
        "shop",
        7,
        "stable",
        "GET",
    )


def test_an_exchange_is_in_flight_until_its_end(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(OK[:-1])
    [counts] = stage.tally.changed().values()
    assert (counts.in_flight, counts.requests, stage.pending()) == (1, 0, 1)
    server.sends(OK[-1:])
    [counts] = stage.tally.changed().values()
    assert (counts.in_flight, counts.requests, stage.pending()) == (0, 1, 0)


class Log:
    def __init__(self) -> None:
        self.notes = []

    def note(self, exchange: Exchange, client: str, now: float) -> None:
        self.notes.append((exchange.status, exchange.ending, exchange.bytes_out, client, now))


@pytest.mark.parametrize("parts", [(OK,), (OK[:-5], b"hel", b"lo")])
def test_the_access_log_gets_each_exchange_once_with_the_size_of_its_body(
    stage: Stage, parts: tuple[Any, ...]
) -> None:
    log = stage.plane.accounts.access = Log()
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    stage.now += 1
    server.sends(*parts)
    client.sends(GET)
    server.resets()
    client.got()
    stage.refuses()
    size = len(client.got().partition(b"\r\n\r\n")[2])
    assert log.notes == [
        (200, "complete", 5, "192.0.2.7", 1001.0),
        (502, "connect", size, "192.0.2.7", 1001.0),
    ]


def test_it_says_what_it_carries(stage: Stage) -> None:
    client = stage.client()
    crossing = client.transport.protocol.crossing
    assert repr(crossing) == "<Crossing idle>"
    client.sends(GET)
    assert repr(crossing) == "<Crossing <Exchange shop/stable request done, response awaited, open>>"
