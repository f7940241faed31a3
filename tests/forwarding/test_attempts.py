"""Attempts: where a request is sent, on which connection, and what is left of an attempt that is over."""

from collections.abc import Callable

import pytest

from proxy.forwarding.attempts import Attempts
from proxy.routing.endpoint import OWN_HOST, Endpoint
from proxy.routing.failures import Rescue
from proxy.routing.table import Backend, Service
from tests.kits.located import IP, address
from tests.kits.stage import STABLE, Stage
from tests.kits.stage import service as kit_service
from tests.kits.transports import Client

CANARY = "http://canary:9002"
GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
PUT = b"PUT /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def attempts(client: Client) -> Attempts:
    """Those of this client's connection."""
    found: Attempts = client.transport.protocol.crossing.attempts
    return found


def test_a_request_dials_where_nothing_waits_and_takes_what_does(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    assert (stage.dialled(), attempts(client).upstream) == ([STABLE], None)
    server = stage.connects()
    assert attempts(client).upstream is server.transport.protocol
    server.sends(OK)
    assert (attempts(client).upstream, stage.idle()) == (None, 1)
    client.sends(GET)
    assert (stage.dialled(), stage.idle()) == ([], 0)
    assert attempts(client).upstream is server.transport.protocol


def test_a_body_is_kept_as_long_as_it_is_on_its_way(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    assert attempts(client).upload is None
    stage.connects().sends(OK)
    client.sends(PUT)
    assert attempts(client).upload is not None
    client.sends(b"hello")
    [server] = [one for one in (attempts(client).upstream,) if one is not None]
    server.data_received(OK)
    assert attempts(client).upload is None


def test_what_comes_behind_a_body_is_given_back_once(stage: Stage) -> None:
    client = stage.client()
    client.sends(PUT + b"hello" + GET)
    server = stage.connects()
    assert server.got().endswith(b"hello")
    server.sends(OK)
    assert server.got().startswith(b"GET ")
    assert attempts(client).take_rest() == b""


@pytest.mark.parametrize("rest", [b"", b"x"])
def test_a_connection_whose_request_is_still_on_its_way_is_not_used_again(stage: Stage, rest: bytes) -> None:
    client = stage.client()
    client.sends(PUT + b"hell")
    server = stage.connects()
    server.sends(OK + rest)
    assert (stage.idle(), server.end) == (0, "abort")


def test_another_endpoint_is_dialled_and_the_first_connection_dropped(
    staged: type[Stage], service: Callable[..., Service]
) -> None:
    stage = staged(service(weight=10_000))
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    shelf = attempts(client).shelf
    server.sends(b"HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n")
    assert (server.end, stage.dialled()) == ("abort", [STABLE])
    assert (shelf.address, attempts(client).shelf) == (address(CANARY), None), "it is searched for"
    assert (stage.pending(CANARY), stage.pending()) == (0, 1)
    stage.connects()
    assert attempts(client).shelf.address == address(STABLE)


def test_a_request_without_an_endpoint_is_no_answer_of_the_one_before(
    stage: Stage, service: Callable[..., Service]
) -> None:
    client = stage.client()
    client.sends(GET)
    stage.connects().sends(OK)
    dead = service(dead=frozenset({(STABLE, IP)}))
    stage.plane.table = stage.plane.table.replace(2, [dead])
    client.sends(GET)
    assert client.got().count(b"HTTP/1.1 503 ") == 1
    assert (stage.dialled(), stage.pending()) == ([], 0)


def test_a_connection_that_comes_too_late_is_kept_for_others(
    staged: type[Stage], service: Callable[..., Service]
) -> None:
    stage = staged(service(rescue=Rescue(on=False)))
    client = stage.client()
    client.sends(GET)
    client.closes()
    late = stage.connects()
    assert (late.got(), late.end, stage.idle()) == (b"", "", 1)


def test_nothing_is_left_of_a_body_that_the_proxy_answered_itself(
    staged: type[Stage], service: Callable[..., Service]
) -> None:
    stage = staged(service(weight=10_000))
    client = stage.client()
    client.sends(PUT + b"hello")
    for _ in range(2):
        server = stage.connects()
        assert server.got().endswith(b"\r\n\r\nhello")
        server.closes()
    assert client.got().startswith(b"HTTP/1.1 502 ")
    assert (attempts(client).upload, attempts(client).upstream, client.end) == (None, None, "")
    client.sends(GET)
    assert stage.connects().got().endswith(b"\r\n\r\n")


def test_nothing_is_left_of_a_connection_that_was_a_tunnel(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    server = stage.connects()
    server.sends(b"HTTP/1.1 101 Oh\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    left = attempts(client)
    assert left.upstream is server.transport.protocol
    server.resets()
    assert left.upstream is None


def test_it_shows_its_connection(stage: Stage) -> None:
    client = stage.client()
    assert repr(attempts(client)) == "<Attempts on no connection>"
    client.sends(GET)
    stage.connects()
    assert repr(attempts(client)) == f"<Attempts on <Upstream {STABLE} ({IP}) awaiting, 1 requests>>"


def test_an_endpoint_gets_the_host_that_it_wants(staged: type[Stage]) -> None:
    stable = Backend("stable", (Endpoint.parse(STABLE, host_sent=OWN_HOST),))
    stage = staged(kit_service(backends=(stable, Backend("canary", ()))))
    client = stage.client()
    client.sends(GET)
    got = stage.connects().got()
    assert got.startswith(b"GET /a HTTP/1.1\r\nHost: stable:9001\r\n")
    assert b"\r\nX-Forwarded-Host: shop\r\n" in got


def test_an_endpoint_is_told_the_choice_where_that_is_asked_for_and_nobody_else_tells_it(
    staged: type[Stage],
) -> None:
    stage = staged(kit_service(weight=10_000, endpoint_header="X-Weir-Backend"))
    client = stage.client()
    client.sends(GET[:-2] + b"x-weir-backend: evil\r\nX_Weir_Backend: evil\r\nX-B: 1\r\n\r\n")
    canary = stage.connects()
    assert b"\r\nX-Weir-Backend: canary; why=weight\r\n" in (got := canary.got())
    assert (b"evil" in got, b"\r\nX-B: 1\r\n" in got) == (False, True)
    canary.resets()
    assert b"\r\nX-Weir-Backend: stable; why=rescued\r\n" in stage.connects().got()
