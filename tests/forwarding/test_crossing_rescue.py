"""Requests that the canary fails: sent again to stable, once, before the client has seen anything."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from proxy.forwarding.halt import HaltedBackend
from proxy.forwarding.rescue import CAPACITY
from proxy.routing.endpoint import Endpoint
from proxy.routing.failures import Rescue
from proxy.routing.table import Service
from tests.kits.stage import Stage
from tests.kits.transports import Client, Server

CANARY = "http://canary:9002"
STABLE = "http://stable:9001"
CANARY_OUT = HaltedBackend("shop", "canary", frozenset({Endpoint.parse(CANARY)}))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def asks(method: bytes = b"GET", body: bytes = b"", chunked: bool = False, more: bytes = b"") -> bytes:
    fields = b"Host: shop\r\n" + more
    if chunked:
        fields += b"Transfer-Encoding: chunked\r\n"
        body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    elif body:
        fields += b"Content-Length: %d\r\n" % len(body)
    return method + b" /a HTTP/1.1\r\n" + fields + b"\r\n" + body


def fails(stage: Stage, client: Client, server: Server, how: int | str) -> None:
    if isinstance(how, int):
        server.sends(b"HTTP/1.1 %d Oh\r\nContent-Length: 2\r\n\r\nno" % how)
    elif how == "garbage":
        server.sends(b"SSH-2.0-x\r\n\r\n")
    elif how == "hangs":
        stage.passes(61)
    else:
        getattr(server, how)()


@pytest.fixture
def canary(staged: type[Stage], service: Callable[..., Service]) -> Callable[..., Stage]:
    def make(**more: Rescue) -> Stage:
        return staged(service(weight=10_000, **more))

    return make


HOWS = [500, 502, 503, 504, "garbage", "hangs", "closes", "resets"]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(
    "method", [b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"POST", b"PATCH", b"TRACE"]
)
def test_who_is_rescued(canary: Callable[..., Stage], method: bytes, how: int | str) -> None:
    stage = canary()
    client = stage.client()
    client.sends(asks(method))
    server = stage.connects()
    fails(stage, client, server, how)
    safe = method in (b"GET", b"HEAD", b"OPTIONS")
    expected = safe or (method in (b"PUT", b"DELETE") and how != 500)
    assert stage.dialled() == ([STABLE] if expected else [])
    if not expected:
        assert client.got()
        return
    assert client.got() == b""
    second = stage.connects()
    sent = second.got()
    assert sent == server.got()
    second.sends(OK.replace(b"hello", b"") if method == b"HEAD" else OK)
    assert client.got().startswith(b"HTTP/1.1 200 OK")
    first, last = stage.tally.outcomes
    assert (first.key[2], first.passed_on, first.rescue_of, first.drawn) == ("canary", True, None, True)
    assert (last.key[2], last.drawn, last.taken_over) == ("stable", False, True)
    assert last.rescue_of == ("shop", 7, "canary")
    assert [o[2] for o in stage.outcomes()] == ["failure", "success"]
    [entry] = [e for k, e in stage.tally.everything().items() if k[2] == "canary"]
    assert (entry.rescued, entry.harmed) == (1, 0)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [1, 1000, 65_536, 65_537, 200_000])
@pytest.mark.parametrize("how", [503, "resets", "hangs"])
def test_a_body_is_sent_again_while_it_is_kept(
    canary: Callable[..., Stage], size: int, chunked: bool, how: int | str
) -> None:
    stage = canary()
    client = stage.client()
    request = asks(b"PUT", b"x" * size, chunked=chunked)
    step = len(request) if size > 1000 else 1
    client.sends(*(request[at : at + step] for at in range(0, len(request), step)))
    server = stage.connects()
    fails(stage, client, server, how)
    if size > 65_536:
        assert stage.dialled() == []
        return
    assert stage.dialled() == [STABLE]
    second = stage.connects()
    again = second.got()
    _, _, body = again.partition(b"\r\n\r\n")
    plain = server.got().partition(b"\r\n\r\n")[2]
    assert body == plain
    assert body.count(b"x") >= size
    second.sends(OK)
    assert client.got().startswith(b"HTTP/1.1 200")
    stage.outcomes()


def test_an_upload_goes_on_at_the_second_backend(canary: Callable[..., Stage]) -> None:
    stage = canary()
    client = stage.client()
    request = asks(b"PUT", b"0123456789")
    client.sends(request[:-6])
    server = stage.connects()
    server.resets()
    client.sends(request[-6:-3])
    second = stage.connects()
    client.sends(request[-3:] + asks(b"GET"))
    assert second.got().endswith(b"\r\n\r\n0123456789")
    second.sends(OK)
    assert client.got() == OK
    assert stage.dialled() == [CANARY]  # the pipelined one has its own choice
    stage.connects().sends(OK)
    assert client.got() == OK
    stage.outcomes()


def test_an_empty_chunked_body_without_room_for_a_copy_is_whole_at_stable(
    canary: Callable[..., Stage],
) -> None:
    stage = canary(rescue=Rescue(max_body=0))
    client = stage.client()
    client.sends(asks(b"PUT", chunked=True))
    stage.connects().resets()
    if stage.dialled():
        assert stage.connects().got().endswith(b"0\r\n\r\n")


def test_nothing_after_an_interim_answer_or_a_byte_of_the_answer(canary: Callable[..., Stage]) -> None:
    for first, how in (
        (b"HTTP/1.1 103 Hi\r\n\r\n", 503),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", "resets"),
    ):
        stage = canary()
        client = stage.client()
        client.sends(asks())
        server = stage.connects()
        server.sends(first)
        fails(stage, client, server, how)
        assert stage.dialled() == []


def test_never_three(canary: Callable[..., Stage]) -> None:
    stage = canary()
    client = stage.client()
    client.sends(asks())
    stage.connects().resets()
    second = stage.connects()
    second.sends(b"HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n")
    assert client.got().startswith(b"HTTP/1.1 503")
    assert stage.dialled() == []
    stage.outcomes()


def test_the_budget_ends(canary: Callable[..., Stage]) -> None:
    stage = canary()
    rescued = 0
    for _ in range(int(CAPACITY) + 5):
        client = stage.client()
        client.sends(asks())
        stage.refuses()
        if stage.dialled():
            rescued += 1
            server = stage.connects()
            server.sends(OK)
        client.closes()
    assert rescued == CAPACITY


def test_off_and_keyed(canary: Callable[..., Stage]) -> None:
    for rescue, more, expected in (
        (Rescue(on=False), b"", []),
        (Rescue(keyed=True), b"Idempotency-Key: a\r\n", [STABLE]),
        (Rescue(keyed=True), b"", []),
        (Rescue(), b"Idempotency-Key: a\r\n", []),
    ):
        stage = canary(rescue=rescue)
        stage.client().sends(asks(b"POST" if rescue.on else b"GET", more=more))
        stage.connects().resets()
        assert stage.dialled() == expected


@pytest.mark.parametrize("how", ["resets", "refuses"])
def test_the_log_says_how_it_failed_and_not_what_we_would_have_said(
    canary: Callable[..., Stage], how: str
) -> None:
    stage = canary()
    noted = []
    stage.plane.accounts.access = type("Sink", (), {"note": lambda self, e, c, n: noted.append(e)})()
    client = stage.client()
    client.sends(asks())
    if how == "refuses":
        stage.refuses()
    else:
        stage.connects().resets()
    stage.connects().sends(OK)
    assert noted[0].failed == ("canary connect" if how == "refuses" else "canary reset")


def test_the_copy_is_let_go_with_the_exchange(canary: Callable[..., Stage]) -> None:
    stage = canary()
    client = stage.client()
    client.sends(asks(b"PUT", b"x" * 60_000))
    stage.connects().sends(OK)
    upload = client.transport.protocol.crossing.attempts.upload
    assert upload is None or not upload.again()


def halt(stage: Stage) -> Service:
    table = stage.plane.table
    service = replace(table.services["shop"], revision=8, halted=frozenset({"canary"}))
    stage.plane.table = table.replace(2, [service])
    for member in stage.members:
        member.halted(CANARY_OUT, drained=False)
    stage.turns.run()
    return service


def test_who_waits_at_a_trip_is_answered_by_stable(canary: Callable[..., Stage]) -> None:
    stage = canary()
    client = stage.client()
    client.sends(asks())
    stage.connects()
    halt(stage)
    assert stage.dialled() == [STABLE]
    stage.connects().sends(OK)
    assert client.got() == OK
    assert stage.outcomes() == [("halted", 0, "excluded"), ("complete", 200, "success")]


@pytest.mark.parametrize("rescue", [Rescue(), Rescue(on=False)])
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_nothing_new_is_sent_to_a_halted_backend_when_dialling_took_longer(
    canary: Callable[..., Stage], rescue: Rescue, method: bytes
) -> None:
    stage = canary(rescue=rescue)
    client = stage.client()
    client.sends(asks(method))
    halt(stage)
    server = stage.connects()
    assert server.got() == b""


def test_without_budget_nothing_new_is_sent_to_a_halted_backend(canary: Callable[..., Stage]) -> None:
    stage = canary()
    stage.plane.affords = lambda exchange: False
    client = stage.client()
    client.sends(asks())
    halt(stage)
    assert stage.connects().got() == b""


def test_an_answer_that_begins_after_the_drain_does_not_go_on_for_ever(canary: Callable[..., Stage]) -> None:
    stage = canary(rescue=Rescue(on=False))
    client = stage.client()
    client.sends(asks())
    server = stage.connects()
    halt(stage)
    for member in stage.members:
        member.halted(CANARY_OUT, drained=True)
    [awaited] = [member.halted(CANARY_OUT, drained=True) for member in stage.members]
    assert awaited
    server.sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    [awaited] = [member.halted(CANARY_OUT, drained=True) for member in stage.members]
    assert client.was_reset
    assert not awaited
