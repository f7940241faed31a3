"""Connections of clients that speak TLS: what endpoints are told of it, and ends that both have to say."""

from collections.abc import Callable

import pytest

from proxy.forwarding.deadlines import LINGER_SECONDS
from proxy.routing.sticky import Sticky
from proxy.routing.table import Service
from tests.kits.exchanges import Answered
from tests.kits.stage import Stage

GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
LAST = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
COMPLETE = [("complete", 200, "success")]


@pytest.mark.parametrize(("secure", "proto"), [(True, b"https"), (False, b"http")])
def test_the_endpoint_is_told(stage: Stage, secure: bool, proto: bytes) -> None:
    client = stage.client(secure=secure)
    client.sends(GET)
    assert b"\r\nX-Forwarded-Proto: " + proto + b"\r\n" in stage.connects().got()


@pytest.mark.parametrize("secure", [True, False])
def test_a_key_is_issued_for_tls_alone_where_it_was_issued_over_tls(
    staged: type[Stage], service: Callable[..., Service], secure: bool
) -> None:
    stage = staged(service(weight=10_000, sticky=Sticky("cookie", "weir", issue=True, salt="s")))
    client = stage.client(secure=secure)
    client.sends(GET)
    stage.connects().sends(OK)
    assert (b"; Secure" in client.got()) is secure


def test_the_last_answer_is_followed_by_a_goodbye_and_not_by_half_a_one(stage: Stage) -> None:
    client = stage.client(secure=True)
    client.sends(LAST, GET)
    stage.connects().sends(OK)
    assert client.got() == OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert (client.end, set(stage.members), stage.dialled()) == ("close", set(), [])
    assert stage.outcomes() == COMPLETE


def test_the_goodbye_waits_until_the_last_answer_is_taken(stage: Stage) -> None:
    client = stage.client(secure=True)
    client.sends(LAST)
    server = stage.connects()
    client.stalls()
    server.sends(OK)
    assert (client.end, client.transport.lost) == ("close", False)
    stage.passes(LINGER_SECONDS + 1)
    assert client.transport.lost is False
    client.takes()
    assert (client.transport.lost, set(stage.members)) == (True, set())


def test_one_that_never_takes_it_is_reset(stage: Stage) -> None:
    client = stage.client(secure=True)
    client.sends(LAST)
    server = stage.connects()
    client.stalls()
    server.sends(OK)
    stage.passes(76 * 3)
    assert (client.end, set(stage.members)) == ("abort", set())


def test_a_refusal_is_followed_by_a_goodbye_too(stage: Stage, answers: Callable[..., list[Answered]]) -> None:
    client = stage.client(secure=True)
    client.sends(b"NONSENSE\r\n\r\n")
    assert [status for status, _, _ in answers(client.got())] == [400]
    assert (client.end, set(stage.members)) == ("close", set())
