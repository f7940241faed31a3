"""Who is turned away, with which words, and under which reason it is counted."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from proxy.forwarding.accounts import Refusal
from proxy.forwarding.exchange import Exchange
from proxy.http1.forwarded_fields import Provenance
from proxy.http1.head_cache import Heads
from proxy.http1.limits import Limits
from proxy.routing.match import RouteMatch
from proxy.routing.table import Service
from tests.kits.exchanges import Answered
from tests.kits.stage import Stage

GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"POST /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture
def picky(staged: type[Stage], service: Callable[..., Service]) -> Stage:
    """A stage whose only service is for the host shop and takes bodies of up to 8 bytes."""
    return staged(service(match=RouteMatch("shop"), max_body=8))


class Log:
    """An access log that keeps what it gets."""

    def __init__(self) -> None:
        self.lines = []

    def note(self, exchange: Exchange, client: str, now: float) -> None:
        self.lines.append((exchange.status, exchange.reason, exchange.request_id, client))

    def refused(self, refusal: Refusal, client: str, now: float) -> None:
        self.lines.append((refusal.status, refusal.reason, refusal.request_id, client))


# Requests that can't be read, and what they are counted under.


@pytest.mark.parametrize(
    ("wire", "status", "reason"),
    [
        (b"GET / HTTP/1.1\r\nHost : shop\r\n\r\n", 400, "malformed"),
        (b"\x16\x03\x01", 400, "malformed"),
        (b"GET / HTTP/2.0\r\nHost: shop\r\n\r\n", 505, "version"),
        (b"CONNECT shop:80 HTTP/1.1\r\nHost: shop\r\n\r\n", 501, "method"),
        (b"GET * HTTP/1.1\r\nHost: shop\r\n\r\n", 400, "target"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "host"),
        (POST.replace(b"10", b"10\r\nContent-Length: 11"), 400, "length"),
        (POST.replace(b"POST", b"TRACE"), 400, "length"),
        (CHUNKED.replace(b"chunked", b"gzip"), 501, "coding"),
        (CHUNKED.replace(b"1.1", b"1.0"), 400, "coding"),
        (b"GET /" + b"a" * 100, 414, "line"),
        (GET.replace(b"\r\n\r\n", b"\r\nA: " + b"a" * 200), 431, "head"),
        (GET.replace(b"\r\n\r\n", b"\r\nA: b\r\nA: b\r\nA: b\r\n\r\n"), 431, "fields"),
        (b"OPTIONS / HTTP/1.1\r\nHost: shop\r\nMax-Forwards: x\r\n\r\n", 400, "hops"),
        (GET.replace(b"\r\n\r\n", b"\r\nExpect: x\r\n\r\n"), 417, "expectation"),
        (POST, 413, "body"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_each_reason_has_its_word(
    picky: Stage, answers: Callable[..., list[Answered]], wire: bytes, status: int, reason: str
) -> None:
    picky.plane.heads = Heads(Limits(line=90, head=180, fields=3))
    log = picky.plane.accounts.access = Log()
    client = picky.client()
    client.sends(wire, GET)
    [(got, fields, body)] = answers(client.got())
    assert (got, picky.refusals()) == (status, [reason])
    assert ("Connection", "close") in fields
    assert ("Cache-Control", "no-store") in fields
    assert b"request id: w1-1\n" in body
    assert log.lines == [(status, reason, b"w1-1", "192.0.2.7")]
    assert (client.end, picky.dialled(), picky.outcomes()) == ("eof", [], [])


def test_a_request_is_refused_once_however_much_follows(
    stage: Stage, answers: Callable[..., list[Answered]]
) -> None:
    client = stage.client()
    client.sends(b"NONSENSE\r\n\r\n" * 3 + GET, b"NONSENSE\r\n\r\n", GET)
    assert len(answers(client.got())) == 1
    assert stage.refusals() == ["malformed"]


def test_nobody_answers_for_a_host(picky: Stage, answers: Callable[..., list[Answered]]) -> None:
    log = picky.plane.accounts.access = Log()
    client = picky.client()
    client.sends(GET.replace(b"shop", b"else"), GET.replace(b"GET", b"HEAD").replace(b"shop", b"other"))
    assert [status for status, _, _ in answers(client.got(), ["GET", "HEAD"])] == [404, 404]
    assert picky.refusals() == ["no-service", "no-service"]
    assert [line[:2] for line in log.lines] == [(404, "no-service")] * 2
    assert client.end == ""


def test_a_head_that_does_not_come_in_time(stage: Stage, answers: Callable[..., list[Answered]]) -> None:
    log = stage.plane.accounts.access = Log()
    client = stage.client()
    client.sends(GET[:-1])
    stage.passes(10.1)
    [(status, _, body)] = answers(client.got())
    assert (status, stage.refusals(), client.end) == (408, ["slow-head"], "eof")
    assert b"the head of the request took too long" in body
    assert [line[:2] for line in log.lines] == [(408, "slow-head")]


def test_an_idle_connection_that_ends_is_no_refusal(stage: Stage) -> None:
    client = stage.client()
    stage.passes(76)
    assert (client.end, client.got(), stage.refusals()) == ("close", b"", [])


# Bodies that are too large.


def test_a_body_of_as_many_bytes_as_are_taken(picky: Stage) -> None:
    client = picky.client()
    client.sends(POST.replace(b"10", b"8") + b"01234567")
    server = picky.connects()
    assert server.got().endswith(b"\r\n\r\n01234567")
    server.sends(OK)
    client.sends(CHUNKED + b"8\r\n01234567\r\n0\r\n\r\n")
    server.sends(OK)
    assert client.got() == OK + OK
    assert picky.refusals() == []


def test_one_that_says_that_it_is_larger_never_gets_anywhere(
    picky: Stage, answers: Callable[..., list[Answered]]
) -> None:
    client = picky.client()
    client.sends(POST + b"0123456789", GET)
    [(status, fields, _)] = answers(client.got())
    assert (status, picky.dialled(), picky.refusals()) == (413, [], ["body"])
    assert ("Connection", "close") in fields
    assert picky.tally.everything().keys() == {("", 0, "body")}, "no service has begun anything"


@pytest.mark.parametrize("parts", [(b"9\r\n012345678\r\n",), (b"8\r\n01234567\r\n", b"1\r\n8\r\n")])
def test_one_in_chunks_is_refused_when_it_has_become_larger(
    picky: Stage, answers: Callable[..., list[Answered]], parts: tuple[Any, ...]
) -> None:
    log = picky.plane.accounts.access = Log()
    client = picky.client()
    client.sends(CHUNKED)
    server = picky.connects()
    client.sends(*parts, b"0\r\n\r\n" + GET)
    [(status, fields, body)] = answers(client.got())
    assert status == 413
    assert b"a body of more than 8 bytes" in body
    assert ("Connection", "close") in fields
    assert (server.end, client.end) == ("abort", "eof")
    assert not server.got().endswith(b"0\r\n\r\n"), "a cut upload is never completed"
    assert picky.outcomes() == [("refused", 413, "excluded")]
    assert picky.refusals() == ["body"]
    assert log.lines == [(413, "body", b"w1-1", "192.0.2.7")]


def test_one_that_becomes_too_large_within_the_answer_cuts_it(picky: Stage) -> None:
    client = picky.client()
    client.sends(CHUNKED)
    server = picky.connects()
    server.sends(OK[:-2])
    client.sends(b"9\r\n012345678\r\n")
    assert client.was_reset
    assert server.end == "abort"
    assert picky.outcomes() == [("refused", 200, "excluded")]
    assert picky.refusals() == ["body"]


@pytest.mark.parametrize(
    ("wire", "status", "reason"),
    [
        (b"x\r\n", 400, "malformed"),
        (b"1;" + b"a" * 90, 431, "line"),
        (b"0\r\n" + b"A: b\r\n" * 4, 431, "fields"),
    ],
)
def test_a_body_that_turns_out_malformed_is_counted_by_its_reason_too(
    stage: Stage, answers: Callable[..., list[Answered]], wire: bytes, status: int, reason: str
) -> None:
    stage.plane.heads = Heads(Limits(line=90, head=1000, fields=3))
    client = stage.client()
    client.sends(CHUNKED)
    server = stage.connects()
    client.sends(wire)
    assert [got for got, _, _ in answers(client.got())] == [status]
    assert (stage.outcomes(), stage.refusals()) == ([("refused", status, "excluded")], [reason])
    assert server.end == "abort"


# Requests that go no further (RFC 9110 section 7.6.2).


@pytest.mark.parametrize("method", [b"OPTIONS", b"TRACE"])
def test_at_their_last_hop_they_are_answered_by_us(
    stage: Stage, answers: Callable[..., list[Answered]], method: bytes
) -> None:
    client = stage.client()
    request = GET.replace(b"GET", method)
    client.sends(request.replace(b"\r\n\r\n", b"\r\nMax-Forwards: 0\r\nCookie: a=secret\r\n\r\n") + GET)
    [(status, fields, body)] = answers(client.got())
    assert status == 200
    assert b"secret" not in body
    assert body.startswith(b"TRACE /a HTTP/1.1\r\nHost: shop\r\n" if method == b"TRACE" else b"")
    assert ("X-Request-Id", "w1-1") in fields
    assert (stage.refusals(), client.end) == ([], "")
    stage.connects().sends(OK)
    assert client.got() == OK


@pytest.mark.parametrize("method", [b"OPTIONS", b"TRACE"])
def test_before_that_they_go_on_with_one_hop_fewer(stage: Stage, method: bytes) -> None:
    client = stage.client()
    client.sends(GET.replace(b"GET", method).replace(b"\r\n\r\n", b"\r\nMax-Forwards: 2\r\n\r\n"))
    assert b"\r\nMax-Forwards: 1\r\n" in stage.connects().got()


def test_other_methods_are_not_counted(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET.replace(b"\r\n\r\n", b"\r\nMax-Forwards: 0\r\n\r\n"))
    assert b"\r\nMax-Forwards: 0\r\n" in stage.connects().got()


def test_a_body_behind_the_last_hop_is_not_read_as_a_request(
    stage: Stage, answers: Callable[..., list[Answered]]
) -> None:
    client = stage.client()
    client.sends(
        POST.replace(b"POST", b"OPTIONS").replace(b"\r\n\r\n", b"\r\nMax-Forwards: 0\r\n\r\n") + b"0123456789"
    )
    [(status, fields, _)] = answers(client.got())
    assert status == 200
    assert ("Connection", "close") in fields
    assert (client.end, stage.refusals()) == ("eof", [])


# The words.

JSON = b"\r\nAccept: application/json\r\n\r\n"


def test_programs_get_json(picky: Stage, answers: Callable[..., list[Answered]]) -> None:
    client = picky.client()
    client.sends(GET.replace(b"shop", b"else").replace(b"\r\n\r\n", JSON))
    [(status, fields, body)] = answers(client.got())
    assert status == 404
    assert ("Content-Type", "application/json") in fields
    assert json.loads(body) == {
        "status": 404,
        "title": "Not Found",
        "detail": "no service answers for this host and path",
        "request_id": "w1-1",
    }


def test_also_when_the_endpoint_is_at_fault_and_without_a_word_of_it(
    stage: Stage, answers: Callable[..., list[Answered]]
) -> None:
    client = stage.client()
    client.sends(GET.replace(b"\r\n\r\n", JSON))
    stage.refuses()
    [(status, fields, body)] = answers(client.got())
    assert (status, json.loads(body)["status"], json.loads(body)["request_id"]) == (502, 502, "w1-1")
    assert ("Content-Type", "application/json") in fields
    assert b"9001" not in body
    assert stage.refusals() == [], "that is the backend's failure"


def test_a_head_is_answered_with_a_head(picky: Stage, answers: Callable[..., list[Answered]]) -> None:
    client = picky.client()
    client.sends(GET.replace(b"GET", b"HEAD").replace(b"shop", b"else").replace(b"\r\n\r\n", JSON) + GET)
    [(status, fields, _)] = answers(client.got(), ["HEAD"])
    assert status == 404
    assert int(dict(fields)["Content-Length"]) > 0
    assert picky.dialled() == ["http://stable:9001"]


def test_a_trusted_peers_id_is_the_exchanges(stage: Stage, answers: Callable[..., list[Answered]]) -> None:
    stage.plane.provenance = Provenance(("192.0.2.0/24",))
    log = stage.plane.accounts.access = Log()
    client = stage.client()
    client.sends(GET.replace(b"\r\n\r\n", b"\r\nX-Request-Id: theirs\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"))
    stage.refuses()
    [(_, fields, body)] = answers(client.got())
    assert ("X-Request-Id", "theirs") in fields
    assert b"request id: theirs\n" in body
    assert log.lines == [(502, "", b"theirs", "1.2.3.4")]


def test_what_is_refused_is_noted_under_its_own_client(stage: Stage) -> None:
    stage.plane.provenance = Provenance(("192.0.2.0/24",))
    log = stage.plane.accounts.access = Log()
    client = stage.client()
    client.sends(GET.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"))
    stage.connects().sends(OK)
    bad = POST.replace(b"POST", b"TRACE")
    client.sends(bad.replace(b"\r\n\r\n", b"\r\nX-Request-Id: theirs\r\nX-Forwarded-For: 5.6.7.8\r\n\r\n"))
    assert log.lines == [(200, "", b"w1-1", "1.2.3.4"), (400, "length", b"theirs", "5.6.7.8")]
