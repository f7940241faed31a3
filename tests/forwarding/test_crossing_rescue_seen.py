"""What a rescue looks like to the client and to both backends."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proxy.routing.failures import Rescue
from proxy.routing.table import Service
from tests.kits.exchanges import Answered
from tests.kits.stage import Stage

CANARY = "http://canary:9002"
STABLE = "http://stable:9001"
GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
PUT = b"PUT /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
UNAVAILABLE = b"HTTP/1.1 503 Oh\r\nContent-Length: 2\r\n\r\nno"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.fixture
def canary(staged: type[Stage], service: Callable[..., Service]) -> Callable[..., Stage]:
    def make(**more: Rescue | str) -> Stage:
        return staged(service(weight=10_000, **more))

    return make


def counts(stage: Stage) -> tuple[Any, ...]:
    """The counts of canary and stable."""
    entries = {key[2]: entry for key, entry in stage.tally.everything().items()}
    return entries.get("canary"), entries.get("stable")


# To the client.


def test_the_failure_is_not_seen_however_it_is_cut(
    canary: Callable[..., Stage], every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]]
) -> None:
    for parts in every_cut(UNAVAILABLE):
        stage = canary()
        client = stage.client()
        client.sends(GET)
        server = stage.connects()
        server.sends(*parts)
        assert (client.got(), server.end, stage.dialled()) == (b"", "abort", [STABLE])
        assert (stage.pending(CANARY), stage.pending(STABLE)) == (0, 1)
        stage.connects().sends(OK)
        assert (client.got(), stage.idle(), stage.idle(CANARY)) == (OK, 1, 0)
        assert stage.outcomes() == [("complete", 503, "failure"), ("complete", 200, "success")]


def test_the_answer_of_stable_may_come_byte_by_byte(
    canary: Callable[..., Stage], every_cut: Callable[[bytes], Iterator[tuple[bytes, ...]]]
) -> None:
    for parts in every_cut(OK):
        stage = canary()
        client = stage.client()
        client.sends(GET)
        stage.connects().resets()
        stage.connects().sends(*parts)
        assert client.got() == OK
        assert (client.end, client.read) == ("", True)


@pytest.mark.parametrize("status", [200, 301, 400, 404, 429, 499, 501, 505, 599])
def test_other_answers_are_answers(canary: Callable[..., Stage], status: int) -> None:
    stage = canary()
    client = stage.client()
    client.sends(GET)
    answer = OK.replace(b"200", b"%d" % status)
    stage.connects().sends(answer)
    assert (client.got(), stage.dialled()) == (answer, [])


def test_the_choice_header_and_the_cookie(canary: Callable[..., Stage]) -> None:
    stage = canary(choice_header="X-Weir")
    client = stage.client()
    client.sends(GET)
    stage.connects().resets()
    stage.connects().sends(OK)
    assert b"X-Weir: stable; why=rescued\r\n" in client.got()


def test_what_stable_fails_reaches_the_client_as_it_is(
    canary: Callable[..., Stage], answers: Callable[..., list[Answered]]
) -> None:
    for fail in ("resets", "closes"):
        stage = canary()
        client = stage.client()
        client.sends(GET)
        stage.connects().sends(UNAVAILABLE)
        getattr(stage.connects(), fail)()
        assert [status for status, _, _ in answers(client.got())] == [502]
        assert stage.dialled() == []
        assert stage.outcomes() == [("complete", 503, "failure"), ("reset", 502, "failure")]
        at_canary, at_stable = counts(stage)
        assert (at_canary.harmed, at_canary.rescued, at_stable.harmed) == (1, 0, 0)
        assert at_stable.taken_over == {"failure": 1}


def test_nobody_takes_the_connection_at_either(
    canary: Callable[..., Stage], answers: Callable[..., list[Answered]]
) -> None:
    stage = canary()
    client = stage.client()
    client.sends(GET)
    stage.refuses()
    stage.refuses(504)
    assert [status for status, _, _ in answers(client.got())] == [504]
    assert stage.outcomes() == [("connect", 502, "failure"), ("connect", 504, "failure")]


def test_stable_takes_too_long_as_well(
    canary: Callable[..., Stage], answers: Callable[..., list[Answered]]
) -> None:
    stage = canary()
    client = stage.client()
    client.sends(GET)
    stage.connects()
    stage.passes(61)
    second = stage.connects()
    stage.passes(59)
    assert client.got() == b"", "the second attempt has its own time"
    stage.passes(2)
    assert [status for status, _, _ in answers(client.got())] == [504]
    assert second.end == "abort"
    assert [ending for ending, _, _ in stage.outcomes()] == ["timeout", "timeout"]


# With the rest of HTTP.


def test_pipelined_requests_are_rescued_each_and_answered_in_order(canary: Callable[..., Stage]) -> None:
    stage = canary()
    client = stage.client()
    client.sends(PUT + b"0123456789" + GET + GET)
    for number in range(3):
        stage.connects().sends(UNAVAILABLE)
        second = stage.connects()
        assert second.got().count(b"HTTP/1.1\r\n") == 1
        second.sends(OK.replace(b"hello", b"hell%d" % number))
        second.closes()
    assert client.got() == b"".join(OK.replace(b"hello", b"hell%d" % number) for number in range(3))
    assert len(stage.outcomes()) == 6
    assert (stage.dialled(), counts(stage)[0].rescued) == ([], 3)


def test_who_waits_for_a_100_gets_it_from_stable(canary: Callable[..., Stage]) -> None:
    stage = canary()
    client = stage.client()
    client.sends(PUT[:-2] + b"Expect: 100-continue\r\n\r\n")
    server = stage.connects()
    server.sends(UNAVAILABLE)
    second = stage.connects()
    assert second.got() == server.got()
    second.sends(CONTINUE)
    assert client.got() == CONTINUE
    client.sends(b"01234", b"56789")
    assert second.got() == b"0123456789"
    second.sends(OK)
    assert (client.got(), client.end) == (OK, "")
    stage.outcomes()


def test_who_was_told_to_go_on_is_not_rescued(canary: Callable[..., Stage]) -> None:
    stage = canary()
    client = stage.client()
    client.sends(PUT[:-2] + b"Expect: 100-continue\r\n\r\n")
    server = stage.connects()
    server.sends(CONTINUE, UNAVAILABLE)
    assert client.got().startswith(CONTINUE + b"HTTP/1.1 503 Oh")
    assert stage.dialled() == []
    assert stage.outcomes() == [("complete", 503, "failure")]
    assert counts(stage)[0].harmed == 1


def test_an_interim_answer_that_1_0_does_not_get_is_no_byte_of_an_answer(
    canary: Callable[..., Stage],
) -> None:
    stage = canary()
    client = stage.client()
    client.sends(GET.replace(b"1.1", b"1.0"))
    stage.connects().sends(b"HTTP/1.1 103 Hi\r\n\r\n", UNAVAILABLE)
    stage.connects().sends(OK)
    assert client.got().endswith(b"hello")
    assert stage.outcomes()[-1] == ("complete", 200, "success")


def test_an_upload_too_large_to_be_kept_gets_the_answer_and_is_never_413(
    canary: Callable[..., Stage],
) -> None:
    for body in (b"Content-Length: 20\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n14\r\n"):
        stage = canary(rescue=Rescue(max_body=10))
        client = stage.client()
        client.sends(b"PUT /a HTTP/1.1\r\nHost: shop\r\n" + body + b"0123456789", b"x")
        stage.connects().sends(UNAVAILABLE)
        assert client.got().startswith(b"HTTP/1.1 503 Oh\r\n")
        assert (stage.dialled(), stage.outcomes()) == ([], [("complete", 503, "failure")])


def test_an_upload_that_nobody_takes_is_sent_again_when_it_is_kept(canary: Callable[..., Stage]) -> None:
    stage = canary()
    client = stage.client()
    client.sends(b"PUT /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 65536\r\n\r\n")
    server = stage.connects()
    server.stalls()
    client.sends(b"x" * 65_535)
    server.resets()
    second = stage.connects()
    client.sends(b"x")
    assert second.got().endswith(b"\r\n\r\n" + b"x" * 65_536)
    second.sends(OK)
    assert client.got() == OK
    stage.outcomes()


def test_a_body_that_turns_out_malformed_at_stable_is_refused_and_nobody_is_harmed(
    canary: Callable[..., Stage], answers: Callable[..., list[Answered]]
) -> None:
    stage = canary()
    client = stage.client()
    client.sends(b"PUT /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    stage.connects().resets()
    second = stage.connects()
    client.sends(b"xyz\r\n")
    assert [status for status, _, _ in answers(client.got())] == [400]
    assert second.end == "abort"
    assert stage.outcomes() == [("reset", 502, "failure"), ("refused", 400, "excluded")]
    assert (counts(stage)[0].rescued, counts(stage)[0].harmed) == (0, 0)


def test_an_upgrade_is_offered_to_stable(canary: Callable[..., Stage]) -> None:
    stage = canary()
    client = stage.client()
    client.sends(GET[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly")
    server = stage.connects()
    server.sends(UNAVAILABLE)
    second = stage.connects()
    assert second.got() == server.got()
    second.sends(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert client.got().startswith(b"HTTP/1.1 101 ")
    assert second.got() == b"early"
    client.closes()
    second.closes()
    assert [status for _, status, _ in stage.outcomes()] == [503, 101]
