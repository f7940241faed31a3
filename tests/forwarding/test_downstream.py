"""Connections of clients: which requests are read, and in which order they are answered."""

from collections.abc import Callable, Iterator

import pytest

from proxy.forwarding import downstream
from proxy.forwarding.downstream import MAX_PIPELINED
from proxy.http1.head import RequestHead
from proxy.http1.head_cache import LONGEST, HeadCache, Heads
from proxy.http1.limits import Limits
from proxy.http1.parser import cut_request
from proxy.routing.match import RouteMatch
from proxy.routing.table import Service
from tests.kits.exchanges import Answered
from tests.kits.stage import Stage

GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
COMPLETE = [("complete", 200, "success")]


def get(path: bytes) -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: shop\r\n\r\n" % path


def paths(data: bytes) -> list[bytes]:
    """The paths of the requests that an endpoint got."""
    return [line.split(b" ")[1] for line in data.split(b"\r\n") if line.endswith(b" HTTP/1.1")]


def page(name: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name)


@pytest.fixture
def picky(staged: type[Stage], service: Callable[..., Service]) -> Stage:
    """A stage whose only service is for the host shop."""
    return staged(service(match=RouteMatch("shop")))


# Requests one after the other.


def test_pipelined_requests_are_sent_one_at_a_time_and_answered_in_order(
    stage: Stage, every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]]
) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(OK)
    client.got(), server.got()
    for parts in every_cut(get(b"/1") + get(b"/2") + get(b"/3")):
        client.sends(*parts)
        for number in (b"/1", b"/2", b"/3"):
            assert paths(server.got()) == [number]
            server.sends(page(number))
            assert client.got() == page(number)
    assert stage.dialled() == []


def test_requests_behind_a_body_wait_too(
    stage: Stage, every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]]
) -> None:
    post = b"POST /1 HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello"
    chunked = b"POST /2 HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    for parts in every_cut(post + chunked + get(b"/3")):
        client = stage.client()
        client.sends(*parts)
        server = stage.connects() if stage.dialled() else server  # noqa: F821 - the one of the round before
        for number, body in ((b"/1", b"hello"), (b"/2", b"0\r\n\r\n"), (b"/3", b"")):
            got = server.got()
            assert paths(got) == [number]
            assert got.endswith(body or b"\r\n\r\n")
            server.sends(page(number))
            assert client.got() == page(number)


def test_no_request_behind_the_last_one_is_served(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + get(b"/2"))
    server = stage.connects()
    server.sends(OK)
    client.sends(get(b"/3"))
    assert paths(server.got()) == [b"/a"]
    assert (client.end, stage.outcomes()) == ("eof", COMPLETE)


def test_empty_lines_before_a_request_are_skipped(
    stage: Stage, every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]]
) -> None:
    for parts in every_cut(b"\r\n\r\n\r\n" + GET):
        client = stage.client()
        client.sends(*parts)
        server = stage.connects() if stage.dialled() else server  # noqa: F821 - the one of the round before
        assert paths(server.got()) == [b"/a"]
        server.sends(OK)
        assert client.got() == OK


def test_a_flood_of_empty_lines_is_cut_off_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    cuts: list[int] = []

    def cut(data: bytes, limits: Limits) -> tuple[bytes, bytes]:
        cuts.append(len(data))
        return cut_request(data, limits)

    monkeypatch.setattr(downstream, "cut_request", cut)
    client = stage.client()
    client.sends(b"\r\n" * 500_000)
    assert cuts == [1_000_000], "a cut for each would copy all that is left each time"
    client.sends(GET)
    stage.connects().sends(OK)
    assert client.got() == OK


def test_what_is_pipelined_is_not_looked_up_as_one_head(picky: Stage) -> None:
    """Its hash would be that of all that is left, for each request of it."""
    looked_up = []

    class Noting(HeadCache):
        def get(self, block: bytes) -> RequestHead | None:
            looked_up.append(len(block))
            return super().get(block)

    picky.plane.heads.requests = Noting()
    client = picky.client()
    client.sends(GET.replace(b"shop", b"else") * 1000)
    assert client.got().count(b"HTTP/1.1 404 Not Found\r\n") == 1000
    assert max(looked_up) <= LONGEST
    assert len(looked_up) > 1000


def test_only_so_many_bytes_are_read_ahead(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    more = GET * (MAX_PIPELINED // len(GET))
    client.sends(more)
    assert client.read
    client.sends(GET)
    assert not client.read
    server.sends(OK)
    assert client.read
    for _ in range(more.count(b"GET") + 1):
        assert paths(server.got()) == [b"/a"] or paths(server.got()) == []
        server.sends(OK)
    assert client.got() == OK * (more.count(b"GET") + 2)


def test_what_was_read_ahead_in_one_piece_is_held_too(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET + GET * (MAX_PIPELINED // len(GET)) + GET)
    server = stage.connects()
    assert not client.read
    server.sends(OK)
    assert client.read


def test_an_upload_that_came_ahead_is_let_through(stage: Stage) -> None:
    client = stage.client()
    client.sends(b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 300000\r\n\r\n" + b"x" * 200_000)
    server = stage.connects()
    assert client.read
    client.sends(b"x" * 100_000)
    server.sends(OK)
    assert client.got() == OK


def test_answers_of_our_own_wait_until_the_client_takes_them(picky: Stage) -> None:
    client = picky.client()
    client.stalls()
    request = GET.replace(b"shop", b"else")
    client.sends(*[request * 100] * 40)
    assert not client.read
    assert len(client.transport.written) < 70_000
    for _ in range(100):
        client.takes(50_000)
    assert client.got().count(b"HTTP/1.1 404 Not Found\r\n") == 4_000
    assert client.read


# Requests that become no exchange.


@pytest.mark.parametrize(
    ("wire", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: shop\n\n", 400),
        (b"GET / HTTP/2.0\r\nHost: shop\r\n\r\n", 505),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 400),
        (b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 400),
        (b"POST / HTTP/1.0\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"CONNECT shop:80 HTTP/1.1\r\nHost: shop\r\n\r\n", 501),
        (b"GET /" + b"a" * 20_000, 414),
        (b"GET / HTTP/1.1\r\nHost: shop\r\nA: " + b"a" * 70_000, 431),
        (b"GET / HTTP/1.1\r\nHost: shop\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_bad_request_is_answered_and_is_the_last(
    stage: Stage, answers: Callable[..., list[Answered]], wire: bytes, status: int
) -> None:
    for parts in ((wire,), [wire[at : at + 997] for at in range(0, len(wire), 997)]):
        client = stage.client()
        client.sends(*parts, GET)
        [(got, fields, _)] = answers(client.got())
        assert got == status
        assert ("Connection", "close") in fields
        assert client.end == "eof"
    assert (stage.dialled(), stage.outcomes()) == ([], [])


def test_a_bad_request_behind_a_good_one_waits_for_its_turn(
    stage: Stage, answers: Callable[..., list[Answered]]
) -> None:
    client = stage.client()
    client.sends(GET + b"GET / HTTP/1.1\r\n\r\n")
    server = stage.connects()
    assert client.got() == b""
    server.sends(OK)
    assert [status for status, _, _ in answers(client.got(), ["GET", "GET"])] == [200, 400]
    assert client.end == "eof"


def test_nobody_answers_for_a_host(picky: Stage, answers: Callable[..., list[Answered]]) -> None:
    client = picky.client()
    client.sends(GET.replace(b"shop", b"else") + GET.replace(b"shop", b"else").replace(b"GET", b"HEAD"))
    first, second = answers(client.got(), ["GET", "HEAD"])
    assert (first[0], second[0]) == (404, 404)
    assert first[2]
    assert client.end == ""
    client.sends(GET)
    picky.connects().sends(OK)
    assert client.got() == OK


def test_nobody_answers_for_a_host_and_a_body_is_to_come(
    picky: Stage, answers: Callable[..., list[Answered]]
) -> None:
    client = picky.client()
    client.sends(b"POST / HTTP/1.1\r\nHost: else\r\nContent-Length: 100\r\n\r\n" + GET)
    [(status, fields, _)] = answers(client.got())
    assert status == 404
    assert ("Connection", "close") in fields
    assert (client.end, picky.dialled()) == ("eof", [])


def test_nobody_answers_for_a_host_to_http_1_0(picky: Stage, answers: Callable[..., list[Answered]]) -> None:
    client = picky.client()
    client.sends(b"GET / HTTP/1.0\r\n\r\n")
    assert answers(client.got())[0][0] == 404
    assert client.end == "eof"


# What it says.


def test_it_says_where_it_stands(stage: Stage) -> None:
    client = stage.client()
    protocol = client.transport.protocol
    seen = [repr(protocol)]
    client.sends(GET[:10])
    seen.append(repr(protocol))
    client.sends(GET[10:])
    seen.append(repr(protocol))
    stage.connects().sends(OK)
    seen.append(repr(protocol))
    client.closes()
    seen.append(repr(protocol))
    assert seen == [
        "<Downstream 192.0.2.7 new, <Crossing idle>>",
        "<Downstream 192.0.2.7 head, <Crossing idle>>",
        "<Downstream 192.0.2.7 exchange, "
        "<Crossing <Exchange shop/stable request done, response awaited, open>>>",
        "<Downstream 192.0.2.7 idle, <Crossing idle>>",
        "<Downstream 192.0.2.7 closed, gone>",
    ]


def test_a_head_larger_than_what_may_be_pipelined_is_read_to_its_end(stage: Stage) -> None:
    stage.plane.heads = Heads(Limits(head=256 * 1024))
    client = stage.client()
    client.sends(b"GET /a HTTP/1.1\r\nHost: shop\r\n" + (b"X: " + b"y" * 7000 + b"\r\n") * 10)
    assert client.read
    client.sends(b"\r\n")
    assert stage.dialled() == ["http://stable:9001"]
