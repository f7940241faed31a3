"""Connections over the limit: told so and counted, and let go; the others notice nothing."""

from collections.abc import Callable

from proxy.forwarding.accounts import Refusal
from proxy.forwarding.exchange import Exchange
from proxy.forwarding.members import MOST_DISMISSED
from tests.kits.exchanges import Answered
from tests.kits.stage import Stage

GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Log:
    """An access log that keeps what it gets."""

    def __init__(self) -> None:
        self.lines = []

    def note(self, exchange: Exchange, client: str, now: float) -> None:
        self.lines.append((exchange.status, exchange.ending))

    def refused(self, refusal: Refusal, client: str, now: float) -> None:
        self.lines.append((refusal.status, refusal.reason, refusal.request_id, client))


def test_connections_over_the_limit_are_told_so_and_counted(
    stage: Stage, answers: Callable[..., list[Answered]]
) -> None:
    stage.plane.connections = 2
    log = stage.plane.accounts.access = Log()
    first, second, third = stage.client(), stage.client(), stage.client()
    assert (first.end, second.end, first.got(), second.got()) == ("", "", b"", b"")
    [(status, fields, body)] = answers(third.got())
    assert (status, third.end) == (503, "eof")
    assert ("Connection", "close") in fields
    assert b"too many connections" in body
    assert stage.refusals() == ["connections"]
    assert [line[:2] for line in log.lines] == [(503, "connections")]
    third.sends(GET)
    assert stage.dialled() == []
    first.sends(GET)
    stage.connects().sends(OK)
    assert first.got() == OK


def test_when_one_leaves_there_is_room_again(stage: Stage) -> None:
    stage.plane.connections = 1
    first, over = stage.client(), stage.client()
    assert over.got().startswith(b"HTTP/1.1 503 ")
    first.closes()
    assert len(stage.members) == 1, "the one that was told is still there"
    next_ = stage.client()
    assert next_.got() == b""
    next_.sends(GET)
    stage.connects().sends(OK)
    assert next_.got() == OK


def test_one_that_was_told_is_not_kept_for_long(stage: Stage) -> None:
    stage.plane.connections = 0
    client = stage.client()
    stage.passes(2.1)
    assert (client.end, set(stage.members)) == ("close", set())


def test_of_very_many_the_last_are_closed_without_a_word(stage: Stage) -> None:
    stage.plane.connections = 1
    stage.client()
    told = [stage.client() for _ in range(MOST_DISMISSED)]
    untold = [stage.client() for _ in range(3)]
    assert all(one.got().startswith(b"HTTP/1.1 503 ") and one.end == "eof" for one in told)
    assert [(one.got(), one.end) for one in untold] == [(b"", "close")] * 3
    assert stage.refusals() == ["connections"] * (MOST_DISMISSED + 3)
    told[0].closes()
    assert stage.client().got().startswith(b"HTTP/1.1 503 ")
