"""A backend is out: what goes on there has its time, and ends."""

from collections.abc import Callable

import pytest

from proxy.forwarding.members import LOOK_AGAIN_SECONDS
from proxy.routing.endpoint import Endpoint
from proxy.routing.table import Backend, Service
from tests.kits.stage import Stage, Trip
from tests.kits.transports import Client, Server

CANARY = "http://canary:9002"
STABLE = "http://stable:9001"
GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello"
ASKS = GET[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"5\r\nhello\r\n"


def streaming(stage: Stage, request_: bytes = GET, answer: bytes = STREAM) -> tuple[Client, Server]:
    """A client that gets an answer from the canary which doesn't end, or a tunnel."""
    client = stage.client()
    client.sends(request_)
    server = stage.connects()
    server.sends(answer)
    client.got(), server.got()
    return client, server


@pytest.mark.parametrize("drain", [10.0, 0, 0.5])
def test_streams_and_tunnels_end_when_they_had_their_time(
    tripping: Callable[..., tuple[Stage, Trip]], drain: float
) -> None:
    stage, trip = tripping(drain)
    client, server = streaming(stage)
    tunnelled, end = streaming(stage, ASKS, SWITCH)
    trip.halts()
    assert trip.timers == [drain]
    server.sends(CHUNK)
    end.sends(b"x")
    assert (client.got(), tunnelled.got()) == (CHUNK, b"x")
    trip.rings()
    assert (client.was_reset, server.end) == (True, "abort")
    assert (tunnelled.end, end.end) == ("close", "close")
    assert sorted(stage.outcomes()) == [("halted", 101, "excluded"), ("halted", 200, "excluded")]
    entry = trip.counts()[7, "canary"]
    assert (entry.in_flight, entry.tunnels, entry.rescued) == (0, 0, 0)
    assert (entry.harmed, entry.cut) == (1, 1), "the client of the stream has half an answer"
    assert trip.timers == [], "nobody waits any more"


def test_what_ends_by_itself_meanwhile_is_whole(tripping: Callable[..., tuple[Stage, Trip]]) -> None:
    stage, trip = tripping()
    client, server = streaming(stage)
    trip.halts()
    server.sends(CHUNK + b"0\r\n\r\n")
    trip.rings()
    assert (client.got(), client.end) == (CHUNK + b"0\r\n\r\n", "")
    assert stage.outcomes() == [("complete", 200, "success")]


def test_they_may_be_kept(tripping: Callable[..., tuple[Stage, Trip]]) -> None:
    stage, trip = tripping(None)
    client, server = streaming(stage)
    trip.halts()
    assert trip.timers == []
    server.sends(CHUNK)
    assert (client.got(), client.end) == (CHUNK, "")


def test_those_of_stable_go_on(tripping: Callable[..., tuple[Stage, Trip]]) -> None:
    stage, trip = tripping(force="X-To")
    client, server = streaming(stage, GET[:-2] + b"X-To: never\r\n\r\n")
    trip.halts()
    trip.rings()
    server.sends(CHUNK)
    assert (client.got(), client.end) == (CHUNK, "")


def test_a_backend_that_is_back_in_service_is_left_alone(tripping: Callable[..., tuple[Stage, Trip]]) -> None:
    stage, trip = tripping()
    client, _ = streaming(stage)
    trip.halts()
    trip.resumes()
    trip.rings()
    assert client.end == ""
    assert trip.timers == []


def test_one_that_is_halted_again_has_its_whole_time_again(
    tripping: Callable[..., tuple[Stage, Trip]],
) -> None:
    stage, trip = tripping()
    trip.halts()
    trip.resumes()
    client, _ = streaming(stage)
    trip.halts()
    assert trip.timers == [10.0, 10.0]
    trip.rings()
    assert client.end == ""
    trip.rings()
    assert client.was_reset


def test_a_service_that_is_gone_by_then_troubles_nobody(tripping: Callable[..., tuple[Stage, Trip]]) -> None:
    stage, trip = tripping()
    client, _ = streaming(stage)
    trip.halts()
    stage.plane.table = stage.plane.table.replace(9, [], ["shop"])
    trip.rings()
    assert client.end == ""


@pytest.mark.parametrize(("drain", "again"), [(10.0, 10.0), (0, LOOK_AGAIN_SECONDS)])
def test_an_answer_that_begins_after_that_has_as_long(
    tripping: Callable[..., tuple[Stage, Trip]], drain: float, again: float
) -> None:
    stage, trip = tripping(drain)
    client = stage.client()
    client.sends(POST)
    server = stage.connects()
    trip.halts()
    trip.rings()
    assert (client.end, trip.timers) == ("", [again])
    trip.rings()
    server.sends(STREAM + CHUNK)
    assert client.got() == STREAM + CHUNK
    trip.rings()
    assert (client.was_reset, trip.timers) == (True, [])
    assert stage.outcomes() == [("halted", 200, "excluded")]


def test_what_was_promoted_since_is_another_backend_s(
    tripping: Callable[..., tuple[Stage, Trip]], service: Callable[..., Service]
) -> None:
    stage, trip = tripping()
    client, server = streaming(stage)
    backends = (Backend("stable", (Endpoint.parse(CANARY),)), Backend("canary", (Endpoint.parse(STABLE),)))
    later = service(revision=9, backends=backends, halted=frozenset({"canary"}))
    stage.plane.table = stage.plane.table.replace(9, [later])
    stage.members.halt(later, "canary")
    trip.rings()
    server.sends(CHUNK)
    assert (client.got(), client.end) == (CHUNK, "")
