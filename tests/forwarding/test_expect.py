"""Expect: 100-continue as playbooks: clients that wait or do not, and what they are told meanwhile."""

from collections.abc import Callable, Iterator

import pytest

from proxy.routing.table import Service, Timeouts
from tests.kits.exchanges import Answered
from tests.kits.stage import Stage
from tests.kits.transports import Client, Server

POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"
CHUNKED = b"POST /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CLOSE = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
COMPLETE = [("complete", 200, "success")]


def asked(stage: Stage, request: bytes = POST) -> tuple[Client, Server]:
    """A client that waits, and the endpoint that has its head."""
    client = stage.client()
    client.sends(request)
    server = stage.connects()
    got = server.got()
    assert b"\r\nExpect: 100-continue\r\n" in got
    assert got.endswith(b"\r\n\r\n")
    assert client.got() == b"", "the 100 is the endpoint's to send"
    return client, server


def test_a_client_that_waits_is_told_by_the_endpoint(
    stage: Stage, every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]]
) -> None:
    for parts in every_cut(CONTINUE):
        client, server = asked(stage)
        server.sends(*parts)
        assert client.got() == CONTINUE
        client.sends(b"0123456789")
        assert server.got() == b"0123456789"
        server.sends(OK)
        assert client.got() == OK
        assert stage.outcomes() == COMPLETE
        server.closes()


def test_the_same_in_chunks(stage: Stage) -> None:
    client, server = asked(stage, CHUNKED)
    server.sends(CONTINUE)
    client.sends(b"2\r\nhi\r\n", b"0\r\n\r\n")
    assert server.got() == b"2\r\nhi\r\n0\r\n\r\n"
    server.sends(OK)
    assert client.got() == CONTINUE + OK
    assert (stage.outcomes(), stage.idle(), client.end) == (COMPLETE, 1, "")


@pytest.mark.parametrize("said", [b"", CONTINUE])
def test_a_client_that_does_not_wait_is_not_held_up(stage: Stage, said: bytes) -> None:
    client = stage.client()
    client.sends(POST + b"01234")
    server = stage.connects()
    assert server.got().endswith(b"\r\n\r\n01234")
    client.sends(b"56789")
    assert server.got() == b"56789"
    server.sends(said + OK)
    assert client.got() == said + OK
    assert (stage.outcomes(), client.end) == (COMPLETE, "")


def test_one_that_has_waited_long_enough_goes_on_unasked(stage: Stage) -> None:
    client, server = asked(stage)
    stage.passes(3)
    client.sends(b"0123456789")
    assert server.got() == b"0123456789"
    server.sends(CONTINUE + OK)
    assert client.got() == CONTINUE + OK
    assert stage.outcomes() == COMPLETE


@pytest.mark.parametrize("status", [b"417 Expectation Failed", b"413 Content Too Large", b"401 Unauthorized"])
def test_a_refusal_goes_through_and_the_body_is_not_waited_for(
    stage: Stage, answers: Callable[..., list[Answered]], status: bytes
) -> None:
    client, server = asked(stage)
    server.sends(OK.replace(b"200 OK", status))
    [(got, fields, body)] = answers(client.got(), ["POST"])
    assert (got, body) == (int(status[:3]), b"hello")
    assert ("Connection", "close") in fields, "nobody knows whether the body still comes"
    assert (server.end, client.end, stage.idle()) == ("abort", "eof", 0)
    client.sends(b"0123456789", GET)
    assert (client.got(), stage.dialled()) == (b"", [])
    assert stage.outcomes() == [("complete", int(status[:3]), "success")]


def test_a_final_answer_instead_of_100_ends_the_connection_too(stage: Stage) -> None:
    client, server = asked(stage)
    server.sends(OK)
    assert (client.got(), client.end, server.end) == (CLOSE, "eof", "abort")


def test_an_expectation_without_a_body_is_answered_as_usual(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    server = stage.connects()
    server.sends(OK)
    assert (client.got(), client.end, stage.idle()) == (OK, "", 1)


def test_http_1_0_can_expect_nothing(stage: Stage) -> None:
    client = stage.client()
    client.sends(POST.replace(b"HTTP/1.1", b"HTTP/1.0") + b"0123456789")
    server = stage.connects()
    got = server.got()
    assert b"Expect" not in got
    assert got.endswith(b"0123456789")
    server.sends(CONTINUE + OK)
    assert client.got() == CLOSE
    assert stage.outcomes() == COMPLETE


@pytest.mark.parametrize("expectation", [b"200-ok", b"100-continue, more", b""])
def test_another_expectation_is_refused_by_us(
    stage: Stage, answers: Callable[..., list[Answered]], expectation: bytes
) -> None:
    client = stage.client()
    client.sends(POST.replace(b"100-continue", expectation), GET)
    [(status, fields, _)] = answers(client.got(), ["POST"])
    assert (status, stage.dialled()) == (417, [])
    assert ("Connection", "close") in fields
    assert (stage.outcomes(), stage.refusals(), client.end) == ([], ["expectation"], "eof")


def test_a_body_that_would_be_too_large_is_refused_before_it_is_sent(
    staged: type[Stage], service: Callable[..., Service], answers: Callable[..., list[Answered]]
) -> None:
    stage = staged(service(max_body=9))
    client = stage.client()
    client.sends(POST)
    [(status, fields, _)] = answers(client.got(), ["POST"])
    assert (status, stage.dialled(), stage.refusals()) == (413, [], ["body"])
    assert ("Connection", "close") in fields


# Deadlines: a client that may be waiting is not the one that is slow.


@pytest.fixture
def hasty(staged: type[Stage], service: Callable[..., Service]) -> Stage:
    """A stage whose service has 4 s for an answer's head, and 2 s for any part of a body."""
    return staged(service(timeouts=Timeouts(response=4, body=2)))


def test_an_endpoint_that_says_nothing_to_a_waiting_client_is_504(hasty: Stage) -> None:
    client, server = asked(hasty)
    hasty.passes(3.9)
    assert client.got() == b""
    hasty.passes(0.2)
    hasty.failed(client, 504, "timeout", "POST")
    assert (server.end, client.end) == ("abort", "eof")


def test_other_interim_answers_are_no_permission(hasty: Stage) -> None:
    client, server = asked(hasty)
    hasty.passes(3)
    server.sends(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    assert client.got() == b"HTTP/1.1 103 Early Hints\r\n\r\n"
    hasty.passes(1.1)
    hasty.failed(client, 504, "timeout", "POST")


def test_a_client_that_was_told_and_sends_nothing_is_408(
    hasty: Stage, answers: Callable[..., list[Answered]]
) -> None:
    client, server = asked(hasty)
    hasty.passes(3.9)
    server.sends(CONTINUE)
    hasty.passes(1.9)
    assert client.got() == CONTINUE
    hasty.passes(0.2)
    assert [status for status, _, _ in answers(client.got(), ["POST"])] == [408]
    assert (server.end, hasty.outcomes()) == ("abort", [("client-left", 408, "excluded")])


def test_a_client_that_began_and_stopped_is_408(hasty: Stage, answers: Callable[..., list[Answered]]) -> None:
    client, _ = asked(hasty)
    client.sends(b"01")
    hasty.passes(2.1)
    assert [status for status, _, _ in answers(client.got(), ["POST"])] == [408]


def test_the_answer_is_due_from_the_end_of_the_body(hasty: Stage) -> None:
    client, server = asked(hasty)
    hasty.passes(3)
    server.sends(CONTINUE)
    client.sends(b"0123456789")
    hasty.passes(3.9)
    assert client.got() == CONTINUE
    hasty.passes(0.2)
    hasty.failed(client, 504, "timeout", "POST")


# Ends.


@pytest.mark.parametrize("said", [b"", CONTINUE])
@pytest.mark.parametrize("end", ["closes", "resets"])
def test_the_client_leaves_while_it_waits(stage: Stage, said: bytes, end: str) -> None:
    client, server = asked(stage)
    server.sends(said)
    getattr(client, end)()
    assert (server.end, stage.outcomes()) == ("abort", [("client-left", 0, "excluded")])
    assert set(stage.members) == set()


@pytest.mark.parametrize("said", [b"", CONTINUE])
def test_the_endpoint_leaves_while_it_is_asked(stage: Stage, said: bytes) -> None:
    client, server = asked(stage)
    server.sends(said)
    client.got()
    server.resets()
    stage.failed(client, 502, "reset", "POST")
    assert (client.end, stage.dialled()) == ("eof", [])


def test_a_nomination_strips_neither_what_both_sides_wait_for_nor_what_counts_hops(stage: Stage) -> None:
    client = stage.client()
    client.sends(
        b"POST /a HTTP/1.1\r\nHost: shop\r\nConnection: expect\r\nExpect: 100-continue\r\n"
        b"Content-Length: 3\r\n\r\n"
    )
    assert b"\r\nExpect: 100-continue\r\n" in stage.connects().got()
    client = stage.client()
    client.sends(b"OPTIONS /a HTTP/1.1\r\nHost: shop\r\nConnection: max-forwards\r\nMax-Forwards: 5\r\n\r\n")
    assert b"\r\nMax-Forwards: 4\r\n" in stage.connects().got()
