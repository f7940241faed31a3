"""Clients that leave, in every phase: nobody works for them any more, and nothing cut is ever completed."""

from collections.abc import Callable

import pytest

from proxy.forwarding.deadlines import SWEEP
from proxy.forwarding.downstream import MAX_PIPELINED
from proxy.routing.match import RouteMatch
from proxy.routing.table import Service
from tests.kits.exchanges import Answered
from tests.kits.stage import Stage
from tests.kits.transports import Client, Server

GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 200000\r\n\r\n"
CHUNKED = b"POST /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
BIG = b"x" * 100_000
LEFT = [("client-left", 0, "excluded")]
COMPLETE = [("complete", 200, "success")]


# The end of what a client sends, in every phase.


def test_before_anything_came(stage: Stage) -> None:
    client = stage.client()
    client.closes()
    assert (client.end, client.got(), set(stage.members)) == ("close", b"", set())
    assert (stage.outcomes(), stage.refusals()) == ([], [])


@pytest.mark.parametrize("part", [b"\r\n", b"G", GET[:-1]])
def test_within_a_head(stage: Stage, part: bytes) -> None:
    client = stage.client()
    client.sends(part)
    client.closes()
    assert (client.end, client.got(), set(stage.members)) == ("close", b"", set())
    assert (stage.outcomes(), stage.refusals(), stage.dialled()) == ([], [], [])


def test_while_dialling(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    client.closes()
    assert (client.end, client.got(), stage.outcomes(), set(stage.members)) == ("close", b"", LEFT, set())
    assert (stage.connects().got(), stage.idle()) == (b"", 1)


def test_in_one_segment_with_the_request(stage: Stage) -> None:
    client = stage.client()
    client.slips(GET)
    client.closes()
    assert (client.end, stage.outcomes(), set(stage.members)) == ("close", LEFT, set())


def test_while_an_answer_is_awaited(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    client.closes()
    assert (client.end, server.end, stage.outcomes(), stage.idle()) == ("close", "abort", LEFT, 0)
    server.sends(OK)
    assert client.got() == b""


def test_while_requests_wait_for_their_turn(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET * 3)
    server = stage.connects()
    client.closes()
    assert (stage.outcomes(), server.end, stage.dialled()) == (LEFT, "abort", [])


@pytest.mark.parametrize("sent", [CHUNKED, CHUNKED + b"5\r\nhello\r\n", POST + b"x" * 199_999])
def test_within_an_upload(stage: Stage, sent: bytes) -> None:
    client = stage.client()
    client.sends(sent)
    server = stage.connects()
    client.closes()
    assert (client.end, server.end, stage.outcomes()) == ("close", "abort", LEFT)
    assert not server.got().endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("head", [b"Content-Length: 10", b"Transfer-Encoding: chunked", b"A: until close"])
def test_within_an_answer_no_part_passes_for_the_whole(stage: Stage, head: bytes) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + b"3\r\nhel\r\n")
    client.closes()
    assert client.was_reset
    assert (server.end, stage.outcomes(), set(stage.members)) == (
        "abort",
        [("client-left", 200, "excluded")],
        set(),
    )


def test_between_requests(stage: Stage) -> None:
    client = stage.client()
    server = stage.warm(client)
    client.closes()
    assert (client.end, set(stage.members)) == ("close", set())
    assert (server.end, stage.idle()) == ("", 1), "somebody else may have the connection"


def test_after_the_last_answer(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    stage.connects().sends(OK)
    assert client.end == "eof"
    client.closes()
    assert (client.end, set(stage.members), stage.outcomes()) == ("close", set(), COMPLETE)


# The same while earlier answers wait to be taken.


def slow(stage: Stage) -> tuple[Client, Server]:
    """A client that asked once, and whose answer waits for it."""
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    client.stalls()
    server.sends(OK)
    assert stage.outcomes() == COMPLETE
    return client, server


def test_an_earlier_answer_is_still_its_own(stage: Stage) -> None:
    client, _ = slow(stage)
    client.closes()
    assert (client.end, client.transport.lost) == ("close", False)
    client.takes()
    assert (client.got(), client.transport.lost, set(stage.members)) == (OK, True, set())
    assert stage.idle() == 1


def test_what_was_asked_behind_it_is_given_up(stage: Stage) -> None:
    client, server = slow(stage)
    server.got()
    client.sends(GET + GET.replace(b"/a", b"/b"))
    assert server.got().startswith(b"GET /a ")
    client.closes()
    assert (server.end, stage.outcomes()) == ("abort", LEFT)
    server.sends(OK)
    client.takes()
    assert client.got() == OK, "the first answer and no more"
    assert (stage.dialled(), stage.tally.outcomes[1:], set(stage.members)) == (
        [],
        stage.tally.outcomes[1:2],
        set(),
    )


def test_one_that_then_takes_nothing_is_given_up_too(stage: Stage) -> None:
    client, _ = slow(stage)
    client.closes()
    stage.passes(76 * 3)
    assert client.was_reset
    assert set(stage.members) == set()


def test_own_answers_are_still_its_own(staged: type[Stage], service: Callable[..., Service]) -> None:
    stage = staged(service(match=RouteMatch("shop")))
    client = stage.client()
    client.stalls()
    client.sends(GET.replace(b"shop", b"else") * 3)
    client.closes()
    client.takes()
    assert client.got().count(b"HTTP/1.1 404 ") == 3
    assert set(stage.members) == set()


def test_one_that_takes_something_now_and_then_is_waited_for(stage: Stage) -> None:
    client, _ = slow(stage)
    client.closes()
    stage.passes(50)
    assert client.end == "close"
    client.takes(1)
    stage.passes(60)
    assert client.end == "close"
    client.takes()
    assert (client.got(), client.end, set(stage.members)) == (OK, "close", set())


# A client that leaves while it isn't read: the loop says nothing of it.


def test_one_that_is_held_because_the_endpoint_takes_nothing(stage: Stage) -> None:
    client = stage.client()
    client.sends(POST)
    server = stage.connects()
    server.stalls()
    client.sends(BIG)
    assert not client.read
    client.sends(None)
    assert (server.end, client.end) == ("", ""), "it can't be known yet"
    stage.passes(SWEEP + 0.1)
    assert (server.end, client.end, stage.outcomes()) == ("abort", "abort", LEFT)
    assert set(stage.members) == set()


def test_one_that_is_held_because_it_asked_for_too_much(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    client.sends(b"x" * (MAX_PIPELINED + 1))
    assert not client.read
    client.slips(ConnectionResetError())
    stage.passes(SWEEP + 0.1)
    assert (server.end, client.end, stage.outcomes()) == ("abort", "abort", LEFT)


def test_one_that_is_held_while_dialling(stage: Stage) -> None:
    client = stage.client()
    client.sends(POST + BIG)
    assert not client.read
    client.slips(BIG[:1000], None)
    stage.passes(SWEEP + 0.1)
    assert (client.end, stage.outcomes()) == ("abort", LEFT)
    assert (stage.connects().got(), stage.idle()) == (b"", 1)


def test_one_that_is_held_within_its_answer_is_reset(stage: Stage) -> None:
    client = stage.client()
    client.sends(POST)
    server = stage.connects()
    server.stalls()
    client.sends(BIG)
    server.sends(OK[:-1])
    client.slips(None)
    stage.passes(SWEEP + 0.1)
    assert client.was_reset
    assert (server.end, stage.outcomes()) == ("abort", [("client-left", 200, "excluded")])


def test_one_that_only_sends_more_is_still_there(stage: Stage) -> None:
    client = stage.client()
    client.sends(POST)
    server = stage.connects()
    server.stalls()
    client.sends(BIG)
    client.sends(BIG)
    stage.passes(5)
    assert (server.end, client.end) == ("", "")
    server.takes()
    server.sends(OK)
    assert (client.got(), stage.outcomes()) == (OK, COMPLETE)


def test_the_end_of_one_that_is_read_comes_by_itself(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    client.slips(None)
    stage.passes(2)
    assert (client.end, server.end) == ("", ""), "it isn't asked for, the loop will say so"


def test_one_that_is_held_between_exchanges_still_gets_its_answers(
    staged: type[Stage], service: Callable[..., Service], answers: Callable[..., list[Answered]]
) -> None:
    stage = staged(service(match=RouteMatch("shop")))
    client = stage.client()
    client.stalls()
    client.sends(*[GET.replace(b"shop", b"else") * 100] * 40)
    assert not client.read
    client.slips(None)
    stage.passes(5)
    assert client.end == ""
    for _ in range(100):
        client.takes(50_000)
    told = answers(client.got(), ["GET"] * 4_000)
    assert len(told) > 1_000, "those that were written before the end came, and whole"
    assert (client.end, set(stage.members)) == ("close", set())
