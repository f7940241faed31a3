"""How connections of clients end: late, after the last answer, and when the worker drains."""

import gc
import socket
from collections.abc import Callable
from typing import Any

import pytest

from proxy.forwarding.deadlines import LINGER_SECONDS
from proxy.forwarding.downstream import Downstream
from proxy.forwarding.upstream import Upstream
from tests.kits.exchanges import Answered
from tests.kits.stage import Stage
from tests.kits.transports import Client, Server

GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
COMPLETE = [("complete", 200, "success")]


def get(path: bytes) -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: shop\r\n\r\n" % path


def paths(data: bytes) -> list[bytes]:
    """The paths of the requests that an endpoint got."""
    return [line.split(b" ")[1] for line in data.split(b"\r\n") if line.endswith(b" HTTP/1.1")]


# Deadlines.


@pytest.mark.parametrize("silent", [0, 6])
def test_the_first_head_has_its_time_from_the_beginning_of_the_connection(
    stage: Stage, answers: Callable[..., list[Answered]], silent: float
) -> None:
    client = stage.client()
    stage.passes(silent)
    client.sends(GET[:5])
    stage.passes(9.8 - silent)
    assert client.got() == b""
    stage.passes(0.3)
    [(status, _, _)] = answers(client.got())
    assert (status, client.end) == (408, "eof")


def test_a_head_has_to_come_in_time(stage: Stage, answers: Callable[..., list[Answered]]) -> None:
    client = stage.client()
    stage.warm(client)
    stage.passes(70)
    client.sends(GET[:5])
    for byte in range(5, 14):
        stage.passes(1)
        client.sends(GET[byte : byte + 1])
    assert client.got() == b""
    stage.passes(1.1)
    [(status, fields, _)] = answers(client.got())
    assert status == 408
    assert ("Connection", "close") in fields
    assert client.end == "eof"
    assert stage.outcomes() == []


def test_an_idle_connection_is_closed_without_a_word(stage: Stage) -> None:
    fresh, used = stage.client(), stage.client()
    used.sends(GET)
    server = stage.connects()
    stage.passes(9.9)
    assert fresh.end == ""
    stage.passes(0.2)
    assert fresh.end == "close", "as for a head that doesn't come"
    server.sends(OK)
    stage.passes(74)
    assert used.end == ""
    stage.passes(1.1)
    assert used.end == "close"
    assert (fresh.got(), used.got()) == (b"", OK)
    assert set(stage.members) == set()


@pytest.mark.parametrize("parts", [(b"\r\n",), (b"\r", b"\n")])
def test_empty_lines_do_not_keep_a_connection_open(stage: Stage, parts: tuple[Any, ...]) -> None:
    client = stage.client()
    for _ in range(10):
        assert client.end == ""
        client.sends(*parts)
        stage.passes(1)
    assert (client.end, client.got()) == ("close", b"")


# The end of a connection.


def lingering(stage: Stage) -> tuple[Client, Server]:
    client = stage.client()
    client.sends(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    return client, stage.connects()


def test_a_client_that_has_read_the_last_answer_closes(stage: Stage) -> None:
    client, server = lingering(stage)
    server.sends(OK)
    assert client.end == "eof"
    client.closes()
    assert set(stage.members) == set()


def test_a_client_that_does_not_close_is_closed_but_not_reset(stage: Stage) -> None:
    client, server = lingering(stage)
    server.sends(OK)
    client.sends(b"more" * 1000)
    stage.passes(LINGER_SECONDS - 0.1)
    assert client.end == "eof"
    stage.passes(0.2)
    assert client.end == "close"
    assert set(stage.members) == set()


def test_the_last_answer_is_not_taken_from_a_slow_reader(stage: Stage) -> None:
    client, server = lingering(stage)
    client.stalls()
    server.sends(OK.replace(b"5", b"60000").replace(b"hello", b"x" * 60_000))
    assert stage.outcomes() == COMPLETE
    for _ in range(20):
        stage.passes(30)
        client.takes(1_000)
    assert client.end == "eof"
    client.takes()
    client.closes()
    assert set(stage.members) == set()


def test_nor_is_any_other_answer(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    client.stalls()
    server.sends(OK.replace(b"5", b"60000").replace(b"hello", b"x" * 60_000))
    for _ in range(20):
        stage.passes(30)
        client.takes(1_000)
    assert client.end == ""
    client.takes()
    stage.passes(160)
    assert client.end == "close"


@pytest.mark.parametrize("last", [True, False])
def test_a_reader_that_takes_nothing_is_given_up(stage: Stage, last: bool) -> None:
    if last:
        client, server = lingering(stage)
    else:
        client = stage.client()
        client.sends(GET)
        server = stage.connects()
    client.stalls()
    server.sends(OK)
    stage.passes(76 * 4)
    assert client.was_reset
    assert set(stage.members) == set()


def test_a_unix_socket_is_reset_without_the_option_that_it_does_not_know(stage: Stage) -> None:
    client = stage.client("", family=socket.AF_UNIX)
    assert client.transport.protocol.client == "unix"
    client.transport.protocol.reset()
    assert (client.end, client.transport.options) == ("abort", [])


def test_a_client_that_is_gone_when_it_is_accepted_is_nobody(stage: Stage) -> None:
    client = stage.client(None)
    assert client.end == "abort"
    assert len(stage.members) == 0
    assert stage.dialled() == []


# Draining.


def drain(stage: Stage) -> None:
    stage.plane.draining = True
    for member in stage.members:
        member.finish()
    stage.turns.run()


def test_when_it_is_over_idle_connections_are_closed(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    stage.connects().sends(OK)
    drain(stage)
    assert (client.got(), client.end) == (OK, "close")
    assert set(stage.members) == set()


def test_what_is_under_way_is_finished_and_says_close(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    drain(stage)
    assert client.end == ""
    server.sends(OK)
    assert client.got() == OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert client.end == "eof"
    assert stage.outcomes() == COMPLETE


def test_an_answer_that_began_before_is_finished(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(OK[:-1])
    drain(stage)
    server.sends(OK[-1:])
    assert (client.got(), client.end) == (OK, "eof")


def test_a_head_that_has_begun_is_awaited(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET[:10])
    drain(stage)
    client.sends(GET[10:])
    stage.connects().sends(OK)
    assert client.got() == OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert client.end == "eof"


def test_a_connection_that_was_only_just_accepted_may_send_its_request(stage: Stage) -> None:
    client = stage.client()
    drain(stage)
    assert client.end == ""
    client.sends(GET)
    stage.connects().sends(OK)
    assert client.got() == OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert client.end == "eof"


def test_but_not_for_long(stage: Stage) -> None:
    client = stage.client()
    drain(stage)
    stage.passes(LINGER_SECONDS + 0.1)
    assert (client.end, client.got(), set(stage.members)) == ("close", b"", set())


def test_a_request_that_waits_for_its_turn_is_served(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.got()
    client.transport.arrive(get(b"/2"))
    server.transport.arrive(OK)
    stage.plane.draining = True
    client.transport.protocol.finish()
    stage.turns.run()
    assert paths(server.got()) == [b"/2"]
    server.sends(OK)
    assert client.got() == OK + OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


# What is left of them.

ASKS = b"GET /a HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def kept() -> int:
    """How many connections are in memory, those included that only wait for the garbage collector."""
    return sum(type(one) in (Downstream, Upstream) for one in gc.get_objects())


@pytest.mark.parametrize("first", ["client", "server"])
@pytest.mark.parametrize(("asked", "answer"), [(GET, OK), (GET, OK[:-1]), (GET, b""), (ASKS, SWITCH)])
def test_connections_that_are_gone_are_freed_at_once(
    stage: Stage, asked: bytes, answer: bytes, first: str
) -> None:
    gc.collect()
    gc.disable()
    try:
        before = kept()
        client = stage.client()
        client.sends(asked)
        server = stage.connects()
        server.sends(answer)
        (client if first == "client" else server).resets()
        for end in (client, server):
            if not end.transport.lost:
                end.resets()
            end.transport.protocol = None  # as event loops do
        assert kept() == before
    finally:
        gc.enable()


@pytest.mark.parametrize(("asked", "answer"), [(GET, b""), (ASKS, SWITCH)])
def test_so_are_those_that_a_drain_has_to_reset(stage: Stage, asked: bytes, answer: bytes) -> None:
    gc.collect()
    gc.disable()
    try:
        before = kept()
        client = stage.client()
        client.sends(asked)
        server = stage.connects()
        server.sends(answer)
        stage.members.reset()
        stage.turns.run()
        for end in (client, server):
            assert end.transport.lost
            end.transport.protocol = None
        assert kept() == before
    finally:
        gc.enable()
